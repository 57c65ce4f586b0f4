//! The format of the state: a number stored at creation, checked at every opening.
//!
//! Not for the meaning of keys. The invariant: a folder is opened only in the format that this build writes; an older
//! one is brought up step by step first, a newer one is refused untouched.

use std::path::Path;

use super::index::{pack_index, pile_loose};
use super::sled_error::Failure;

const KEY: &[u8] = b"format";

/// Brings a folder from one format to the next.
pub(super) type Step = fn(&sled::Db, &Path) -> Result<(), Failure>;

/// The steps of this build: the first leads from format 1 to format 2. The current format is one more than its length.
pub(super) const STEPS: &[Step] = &[pack_index, pile_loose];

/// Checks the format of an opened folder; a fresh one gets the current format, an older one is brought up to it.
pub(super) fn settle(
    db: &sled::Db,
    folder: &Path,
    fresh: bool,
    steps: &[Step],
) -> Result<(), Failure> {
    let known = u32::try_from(steps.len()).unwrap_or(u32::MAX).saturating_add(1);
    let Some(stored) = db.get(KEY)? else {
        if !fresh {
            return Err(Failure::Damaged("it has no format number".to_owned()));
        }
        return store(db, known);
    };
    let found = <[u8; 4]>::try_from(stored.as_ref())
        .map(u32::from_be_bytes)
        .ok()
        .filter(|found| *found > 0)
        .ok_or_else(|| Failure::Damaged("its format number is unreadable".to_owned()))?;
    if found > known {
        return Err(Failure::Newer { found, known });
    }
    for (format, step) in (2..).zip(steps).skip(found as usize - 1) {
        step(db, folder)?;
        store(db, format)?;
    }
    Ok(())
}

/// A step and its number may be torn apart by a crash: a step must bear being run again.
fn store(db: &sled::Db, format: u32) -> Result<(), Failure> {
    db.insert(KEY, &format.to_be_bytes())?;
    db.flush()?;
    Ok(())
}
