//! Targets: what they take, one result for each change, the same change twice, what is left alone and what is erased.

use serde_json::{Map, Value, json};

use crate::host::{Connection, TargetChange, TargetReceipt, Write};
use crate::model::entity::Entity;
use crate::model::fault::Fault;
use crate::model::record::Cursor;

use super::super::drive::{Patience, connect};
use super::super::stage::{Often, Shelf, Stage, Trouble};
use super::{Bench, Outcome, SMALL, Stop, ensure, fail, skip};

/// What keys of records may look like: those of the connectors, with whatever their platforms have in ids.
const KEYS: [&str; 3] =
    ["kit:employee:1", "kit:employee:a b/é?&=#%2F", "kit:employee:名\u{1f600}\"\\"];
const ODD: &str = "\u{1f469}\u{200d}\u{1f52c} \u{5d0}\u{5d1} \"quoted\\ \u{20bb7}\ttab";
/// The most pages of what a target holds.
const MOST_PAGES: usize = 1_000;

/// A target that is set up, and what the platform lets be written.
struct Desk {
    stage: Box<dyn Stage>,
    connection: Connection,
    kind: Entity,
    sample: Map<String, Value>,
}

impl Desk {
    async fn open(bench: &Bench) -> Result<Self, Stop> {
        if !bench.exports("target") {
            return Err(skip("the component writes no system"));
        }
        let stage = bench.cast.open(SMALL).await?;
        let shelf = stage.shelf().ok_or_else(|| skip("nothing that is written is kept here"))?;
        let kinds = shelf.samples.iter().max_by_key(|(kind, _)| **kind);
        let Some((kind, sample)) = kinds else {
            return Err(skip("`kit.yaml` has no `stores`"));
        };
        let (kind, sample) = (*kind, sample.clone());
        let connection = connect(&bench.plugin, stage.as_ref(), Patience::ONCE)?;
        Ok(Self { stage, connection, kind, sample })
    }

    /// The sample with this text in its places.
    fn fields(&self, text: &str) -> Map<String, Value> {
        let filled = |value: &Value| match value {
            Value::String(template) => Value::String(template.replace("{name}", text)),
            other => other.clone(),
        };
        self.sample.iter().map(|(name, value)| (name.clone(), filled(value))).collect()
    }

    fn upsert(&self, key: &str, fields: &Map<String, Value>) -> TargetChange {
        TargetChange {
            key: key.to_owned(),
            entity: self.kind,
            write: Write::Upsert,
            id: None,
            fields: Value::Object(fields.clone()).to_string(),
        }
    }

    fn retire(&self, key: &str) -> TargetChange {
        let fields = Map::new();
        TargetChange { write: Write::Retire, ..self.upsert(key, &fields) }
    }

    async fn write(
        &self,
        changes: &[TargetChange],
    ) -> Result<Vec<Result<TargetReceipt, Fault>>, Stop> {
        self.connection.write(changes).await.map_err(|fault| {
            fail(format!("the call fails as a whole: {fault}"), super::remedy_of(&fault))
        })
    }

    /// Writes what must be taken.
    async fn take(&self, changes: &[TargetChange]) -> Result<Vec<TargetReceipt>, Stop> {
        let results = self.write(changes).await?;
        results.into_iter().collect::<Result<_, Fault>>().map_err(|fault| {
            fail(format!("a sound change is refused: {fault}"), super::remedy_of(&fault))
        })
    }

    fn shelf(&self) -> Shelf {
        self.stage.shelf().unwrap_or_default()
    }

    fn kept(&self, key: &str) -> Option<Map<String, Value>> {
        Some(self.shelf().rows.get(&(self.kind, key.to_owned()))?.fields.clone())
    }
}

/// What it takes is said in a form that programs read.
pub(super) async fn describe(bench: &Bench) -> Outcome {
    let desk = Desk::open(bench).await?;
    let described = desk.connection.describe().await?;
    let remedy = "answer `describe` with a JSON Schema for each kind that the target takes";
    ensure(!described.is_empty(), || "it takes no kind".to_owned(), remedy)?;
    let mut told = Vec::new();
    for (kind, text) in &described {
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| fail(format!("the schema of `{kind}` is no JSON: {error}"), remedy))?;
        let mut compiler = boon::Compiler::new();
        let mut schemas = boon::Schemas::new();
        let at = "kit:schema";
        let found = compiler
            .add_resource(at, schema)
            .map_err(|error| error.to_string())
            .and_then(|()| compiler.compile(at, &mut schemas).map_err(|error| error.to_string()));
        let index = found
            .map_err(|error| fail(format!("the schema of `{kind}` is none: {error}"), remedy))?;
        if *kind == desk.kind {
            let sample = Value::Object(desk.fields("Example"));
            schemas.validate(&sample, index).map_err(|error| {
                fail(
                    format!("the schema of `{kind}` refuses what the platform takes: {error}"),
                    "make schema and `sample` in kit.yaml agree",
                )
            })?;
        }
        told.push(kind.to_string());
    }
    ensure(
        described.iter().any(|(kind, _)| *kind == desk.kind),
        || format!("the platform keeps `{}`, which it does not describe", desk.kind),
        remedy,
    )?;
    Ok(told.join(", "))
}

/// Each change has its own result, and a refused one harms no other.
pub(super) async fn results(bench: &Bench) -> Outcome {
    let desk = Desk::open(bench).await?;
    let fields = desk.fields("Example");
    let mut unknown = fields.clone();
    unknown.insert("kit_field_that_there_is_not".to_owned(), json!("x"));
    let changes = [
        desk.upsert(KEYS[0], &fields),
        desk.upsert("kit:employee:unknown-field", &unknown),
        desk.upsert(KEYS[2], &fields),
    ];
    let results = desk.write(&changes).await?;
    let sound = results[0].is_ok() && results[2].is_ok();
    let remedy =
        "answer with one result for each change, in order, and go on after one that is refused";
    ensure(sound, || format!("sound changes beside a refused one end with {results:?}"), remedy)?;
    let kept = desk.kept(KEYS[0]).is_some() && desk.kept(KEYS[2]).is_some();
    ensure(kept, || "a change that was taken is not there".to_owned(), remedy)?;
    let told = match &results[1] {
        Err(fault) => {
            super::well_told(fault)?;
            let refused = matches!(fault, Fault::Invalid(_));
            ensure(
                refused,
                || format!("a field that the target does not have ends with: {fault}"),
                "answer with `Fault::Invalid`: repeating does not help",
            )?;
            "a field too many is refused"
        }
        Ok(_) => "a field too many is left out",
    };
    let nothing = desk.write(&[]).await?;
    ensure(nothing.is_empty(), || "no change has results".to_owned(), remedy)?;
    Ok(format!("in order; {told}"))
}

/// The same change twice has the effect of one.
pub(super) async fn idempotent(bench: &Bench) -> Outcome {
    let desk = Desk::open(bench).await?;
    let changes = KEYS.map(|key| desk.upsert(key, &desk.fields(ODD)));
    let first = desk.take(&changes).await?;
    let before = desk.shelf();
    let second = desk.take(&changes).await?;
    let remedy = "write under the change's key; where the system has only its own ids, look the key up first";
    ensure(
        first == second,
        || "the same change has another id the second time".to_owned(),
        remedy,
    )?;
    ensure(
        desk.shelf() == before && before.rows.len() == KEYS.len(),
        || format!("{} records of {} changes, written twice", desk.shelf().rows.len(), KEYS.len()),
        remedy,
    )?;
    Ok(format!("{} records, written twice, are the same {}", KEYS.len(), before.rows.len()))
}

/// Texts, keys, what is left alone and what is erased.
pub(super) async fn fields(bench: &Bench) -> Outcome {
    let desk = Desk::open(bench).await?;
    let whole = desk.fields(ODD);
    for key in KEYS {
        desk.take(&[desk.upsert(key, &whole)]).await?;
        let expected: Map<String, Value> = whole
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        ensure(
            desk.kept(key).as_ref() == Some(&expected),
            || {
                format!(
                    "of {} fields under the key {key:?}, not all arrive as they are",
                    expected.len()
                )
            },
            "send `fields` as they are, and percent-encode the key in the address",
        )?;
    }
    let Some((name, _)) = whole.iter().find(|(_, value)| value.is_string()) else {
        return Ok("texts and keys arrive as they are".to_owned());
    };
    let one = Map::from_iter([(name.clone(), json!("changed"))]);
    desk.take(&[desk.upsert(KEYS[0], &one)]).await?;
    let kept = desk.kept(KEYS[0]).unwrap_or_default();
    let others = whole.iter().filter(|(other, value)| *other != name && !value.is_null());
    let lost = others.clone().find(|(other, value)| kept.get(*other) != Some(value));
    ensure(
        lost.is_none() && kept.get(name) == Some(&json!("changed")),
        || format!("a change of `{name}` alone changes other fields too"),
        "send only the fields of the change: what is absent is left alone",
    )?;
    states(&desk, &whole, name).await?;
    Ok("texts and keys as they are; absent is left alone, null erases, empty stays empty"
        .to_owned())
}

/// What a change says of a field.
#[derive(Clone, Copy)]
enum Told {
    Absent,
    Null,
    Empty,
    Value(&'static str),
}

impl Told {
    fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Null => "null",
            Self::Empty => "empty",
            Self::Value(_) => "a value",
        }
    }

    /// The field as it is sent, and what is kept of it afterwards.
    fn over(self, held: Option<Value>) -> (Option<Value>, Option<Value>) {
        match self {
            Self::Absent => (None, held),
            Self::Null => (Some(Value::Null), None),
            Self::Empty => (Some(json!("")), Some(json!(""))),
            Self::Value(text) => (Some(json!(text)), Some(json!(text))),
        }
    }
}

/// All steps from one of the four states of a field to another.
async fn states(desk: &Desk, whole: &Map<String, Value>, name: &str) -> Result<(), Stop> {
    const ALL: [[Told; 2]; 4] = [
        [Told::Absent, Told::Absent],
        [Told::Null, Told::Null],
        [Told::Empty, Told::Empty],
        [Told::Value("one"), Told::Value("two")],
    ];
    for [first, _] in ALL {
        for [_, second] in ALL {
            let mut held = None;
            for told in [Told::Null, first, second] {
                let mut fields = whole.clone();
                fields.remove(name);
                let (sent, kept) = told.over(held);
                fields.extend(sent.map(|value| (name.to_owned(), value)));
                desk.take(&[desk.upsert(KEYS[0], &fields)]).await?;
                held = kept;
            }
            let kept = desk.kept(KEYS[0]).unwrap_or_default();
            ensure(
                kept.get(name) == held.as_ref(),
                || {
                    format!(
                        "`{name}`, first {} and then {}, is not kept as it should be",
                        first.word(),
                        second.word()
                    )
                },
                "send fields as they are: absent is left alone, null erases, an empty text is empty",
            )?;
        }
    }
    Ok(())
}

/// An end is a mark, may be repeated, and may come for what is not there.
pub(super) async fn retire(bench: &Bench) -> Outcome {
    let desk = Desk::open(bench).await?;
    let key = KEYS[1];
    desk.take(&[desk.upsert(key, &desk.fields("Example"))]).await?;
    for _ in 0..2 {
        desk.take(&[desk.retire(key), desk.retire("kit:employee:never-there")]).await?;
    }
    let shelf = desk.shelf();
    let row = shelf.rows.get(&(desk.kind, key.to_owned()));
    let remedy = "retire by the system's own mark or end date; a record that has ended or is not there is no fault";
    ensure(row.is_some_and(|row| row.retired), || "the record has not ended".to_owned(), remedy)?;
    ensure(shelf.rows.len() == 1, || "a retirement makes a record".to_owned(), remedy)?;
    Ok("ended, twice, and what was never there as well".to_owned())
}

/// What it holds can be read back under the keys it was written with.
pub(super) async fn held(bench: &Bench) -> Outcome {
    let desk = Desk::open(bench).await?;
    desk.take(&KEYS.map(|key| desk.upsert(key, &desk.fields("Example")))).await?;
    let (mut keys, mut cursor) = (Vec::new(), None::<Cursor>);
    for _ in 0..MOST_PAGES {
        let page = match desk.connection.held(desk.kind, cursor.as_ref()).await {
            Ok(page) => page,
            Err(Fault::Unsupported) => {
                return Err(skip("it does not list what it holds, so drift cannot be found"));
            }
            Err(fault) => return Err(fault.into()),
        };
        keys.extend(page.records.into_iter().map(|record| String::from(record.id)));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    keys.sort();
    let mut wanted = KEYS.map(str::to_owned);
    wanted.sort();
    ensure(
        keys == wanted,
        || format!("{} records are listed, {} were written", keys.len(), wanted.len()),
        "list every record once, with the external id as its id",
    )?;
    Ok(format!("{} records under their keys", keys.len()))
}

/// A system that fails or throttles in the middle: every change has its result, and a repetition ends in the same state.
pub(super) async fn interrupted(bench: &Bench) -> Outcome {
    let desk = Desk::open(bench).await?;
    let changes = KEYS.map(|key| desk.upsert(key, &desk.fields("Example")));
    for trouble in [Trouble::ServerError, Trouble::Throttled, Trouble::Reset, Trouble::WebPage] {
        desk.stage.play(trouble, Often::Once)?;
        let results = desk.write(&changes).await?;
        let refused: Vec<&Fault> = results.iter().filter_map(|it| it.as_ref().err()).collect();
        let passing =
            |fault: &&Fault| matches!(fault, Fault::RateLimited(_) | Fault::Unavailable(_));
        ensure(
            !refused.is_empty() && refused.iter().all(passing),
            || format!("{trouble:?} ends with {results:?}"),
            "answer with `Fault::RateLimited` or `Fault::Unavailable` for what may succeed later",
        )?;
        desk.take(&changes).await?;
        let kept = desk.shelf().rows.len();
        let remedy = "write under the change's key, so that a repetition finds what is there";
        ensure(kept == KEYS.len(), || format!("{kept} records of {} changes", KEYS.len()), remedy)?;
    }
    Ok("each change has its result, and a repetition completes the rest".to_owned())
}
