//! State without runs: records laid down as a first run lays them down.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use rollcall::model::entity::Entity;
use rollcall::model::hash::ContentHash;
use rollcall::model::ids::{RunId, SourceId};
use rollcall::model::record::Record;
use rollcall::sync::ledger::{Entry, FrameId, Ledger, Standing};

/// Records of a frame, as a run writes them.
const FRAME: usize = 256;

/// Lays down (id, payload) of every record of a kind. The target holds none of them.
pub(crate) fn keep(
    ledger: &Ledger,
    entity: Entity,
    records: impl IntoIterator<Item = (String, String)>,
) {
    let mut records = records
        .into_iter()
        .map(|(id, payload)| Record { id: SourceId::parse(&id).unwrap(), payload: payload.into() });
    let mut slots = 0..;
    for frame in (0..).map(|seq| FrameId::new(RunId(1), seq)) {
        let part: Vec<Record> = records.by_ref().take(FRAME).collect();
        if part.is_empty() {
            return;
        }
        ledger.write_blobs(vec![ledger.put_frame(entity, frame, &part).unwrap()]).unwrap();
        let put = |(record, slot): (&Record, u32)| {
            let entry = Entry {
                slot,
                raw: ContentHash::of(&record.payload),
                frame,
                wanted: Standing::Unknown,
                applied: Standing::Unknown,
                run: RunId(1),
                parked: false,
                absent: false,
                replayed: false,
            };
            ledger.put_entry(entity, record.id.as_str(), &entry)
        };
        ledger.write_index(part.iter().zip(slots.by_ref()).map(put).collect()).unwrap();
    }
}
