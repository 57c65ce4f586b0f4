//! What an archive keeps, and how it survives.

use std::path::PathBuf;

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;

fn shelf() -> Shelf {
    Shelf {
        tenant: TenantId::parse("acme").unwrap(),
        connection: ConnectionId::parse("feishu").unwrap(),
        entity: Entity::Employee,
    }
}

fn archive(dir: &TempDir, days: u32, bytes: u64) -> FileArchive {
    FileArchive::new(dir.path().join("archive"), Retention { days, bytes })
}

fn version(id: &str, until: u32, raw: &str) -> Version {
    Version {
        id: SourceId::parse(id).unwrap(),
        run: RunId(until - 1),
        until_run: RunId(until),
        until_ms: i64::from(until) * DAY_MS,
        ended: false,
        mapping: Some(ContentHash::of(b"m")),
        raw: Bytes::copy_from_slice(raw.as_bytes()),
    }
}

fn path(dir: &TempDir, run: u32) -> PathBuf {
    dir.path().join(format!("archive/acme/feishu/employee/{run:08}.jsonl.zst"))
}

fn told(archive: &FileArchive, id: &str) -> Vec<(u32, String)> {
    let id = SourceId::parse(id).unwrap();
    let found = archive.versions(&shelf(), Some(&id)).unwrap();
    let text = |raw: &Bytes| String::from_utf8(raw.to_vec()).unwrap();
    found.iter().map(|it| (it.until_run.0, text(&it.raw))).collect()
}

#[test]
fn versions_come_back_byte_for_byte_and_in_order() {
    let dir = TempDir::new().unwrap();
    let archive = archive(&dir, 365, 1 << 30);
    let broken = "{\n \"a\" : 1.0 }";
    archive.append(&shelf(), RunId(2), &[version("u1", 2, r#"{"a":1e0,"a":2}"#)]).unwrap();
    archive
        .append(&shelf(), RunId(3), &[version("u1", 3, broken), version("u2", 3, "{}")])
        .unwrap();
    archive.append(&shelf(), RunId(3), &[version("u3", 3, " no json ")]).unwrap();
    archive.flush().unwrap();
    assert_eq!(told(&archive, "u1"), [(2, r#"{"a":1e0,"a":2}"#.into()), (3, broken.to_owned())]);
    assert_eq!(told(&archive, "u3"), [(3, " no json ".to_owned())]);
    let all = archive.versions(&shelf(), None).unwrap();
    assert_eq!(all.len(), 4);
    assert_eq!(all[0], version("u1", 2, r#"{"a":1e0,"a":2}"#));
    let text = zstd::stream::decode_all(File::open(path(&dir, 3)).unwrap()).unwrap();
    assert_eq!(String::from_utf8(text).unwrap().lines().count(), 3, "any tool reads it");
}

#[test]
fn a_torn_tail_is_passed_over_and_cut_before_more_is_added() {
    let dir = TempDir::new().unwrap();
    let archive = archive(&dir, 365, 1 << 30);
    archive.append(&shelf(), RunId(2), &[version("u1", 2, r#"{"a":1}"#)]).unwrap();
    let whole = fs::read(path(&dir, 2)).unwrap();
    let next = segment::pack(&[version("u2", 2, r#"{"a":2}"#)]).unwrap();
    for cut in 1..next.len() {
        fs::write(path(&dir, 2), [&whole[..], &next[..cut]].concat()).unwrap();
        assert_eq!(archive.versions(&shelf(), None).unwrap().len(), 1, "cut at {cut}");
    }
    // What the process before left behind is mended by the next one.
    let archive = self::archive(&dir, 365, 1 << 30);
    archive.append(&shelf(), RunId(2), &[version("u3", 2, r#"{"a":3}"#)]).unwrap();
    let ids: Vec<String> =
        archive.versions(&shelf(), None).unwrap().iter().map(|it| it.id.to_string()).collect();
    assert_eq!(ids, ["u1", "u3"]);
    zstd::stream::decode_all(File::open(path(&dir, 2)).unwrap()).unwrap();
}

#[test]
fn what_a_repeated_run_archives_again_is_shown_once() {
    let dir = TempDir::new().unwrap();
    let archive = archive(&dir, 365, 1 << 30);
    for (run, raw) in [(2, "{}"), (3, "{}"), (4, "[]"), (5, "{}")] {
        archive.append(&shelf(), RunId(run), &[version("u1", run, raw)]).unwrap();
    }
    assert_eq!(told(&archive, "u1"), [(3, "{}".into()), (4, "[]".into()), (5, "{}".to_owned())]);
}

#[test]
fn segments_go_when_they_are_old_and_the_oldest_when_there_are_too_many() {
    let dir = TempDir::new().unwrap();
    let (tenant, connection) = (shelf().tenant, shelf().connection);
    let keep = archive(&dir, 10, 1 << 30);
    for run in 2..8 {
        keep.append(&shelf(), RunId(run), &[version("u1", run, &format!("[{run}]"))]).unwrap();
    }
    assert_eq!(keep.prune(&tenant, &connection, 14 * DAY_MS).unwrap(), 2, "runs 2 and 3");
    assert_eq!(keep.prune(&tenant, &connection, 14 * DAY_MS).unwrap(), 0);
    let size = fs::metadata(path(&dir, 7)).unwrap().len();
    let few = archive(&dir, 10, 2 * size);
    assert_eq!(few.prune(&tenant, &connection, 14 * DAY_MS).unwrap(), 2);
    assert_eq!(told(&few, "u1"), [(6, "[6]".to_owned()), (7, "[7]".to_owned())]);
}

#[test]
fn what_was_replaced_after_a_time_comes_in_the_order_of_time() {
    let dir = TempDir::new().unwrap();
    let archive = archive(&dir, 365, 1 << 30);
    // The state was lost after run 9: runs are numbered anew, time goes on.
    for (name, run) in [(8, 8), (9, 9), (1, 10), (2, 11)] {
        let versions = ["u1", "u2"].map(|id| version(id, run, &format!("[{run}]")));
        archive.append(&shelf(), RunId(name), &versions).unwrap();
    }
    let since = |ms: i64, most: usize| {
        let mut told = Vec::new();
        let take = &mut |version: Version| {
            told.push(format!("{} {}", version.id, version.until_ms / DAY_MS));
            if told.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        archive.since(&shelf(), ms, take).unwrap();
        told
    };
    assert_eq!(since(9 * DAY_MS, 9), ["u1 10", "u2 10", "u1 11", "u2 11"]);
    assert_eq!(since(8 * DAY_MS, 3), ["u1 9", "u2 9", "u1 10"]);
    assert_eq!(since(11 * DAY_MS, 9), [""; 0]);
}

#[test]
fn an_archive_tells_how_far_back_it_reaches_once_something_is_gone() {
    let dir = TempDir::new().unwrap();
    let (tenant, connection) = (shelf().tenant, shelf().connection);
    let archive = archive(&dir, 10, 1 << 30);
    for run in 2..5 {
        archive.append(&shelf(), RunId(run), &[version("u1", run, "{}")]).unwrap();
    }
    archive.prune(&tenant, &connection, 12 * DAY_MS).unwrap();
    assert_eq!(archive.reach(&tenant, &connection).unwrap(), Reach::All, "nothing is old yet");
    archive.prune(&tenant, &connection, 14 * DAY_MS).unwrap();
    assert_eq!(archive.reach(&tenant, &connection).unwrap(), Reach::Since(3 * DAY_MS));
    let mark = dir.path().join("archive/acme/feishu/reaches-back-to");
    fs::write(mark, "nobody can read this").unwrap();
    assert_eq!(archive.reach(&tenant, &connection).unwrap(), Reach::Nothing);
}

#[test]
fn not_every_run_looks_at_all_segments() {
    let dir = TempDir::new().unwrap();
    let (tenant, connection) = (shelf().tenant, shelf().connection);
    let archive = archive(&dir, 1, 1 << 30);
    let now = 9 * DAY_MS;
    for (passed_ms, gone) in [(0, 1), (PRUNE_EVERY_MS - 1, 0), (PRUNE_EVERY_MS, 1)] {
        archive.append(&shelf(), RunId(2), &[version("u1", 2, "{}")]).unwrap();
        assert_eq!(archive.prune(&tenant, &connection, now + passed_ms).unwrap(), gone);
    }
}

#[test]
fn an_archive_that_is_not_there_holds_nothing_and_one_that_cannot_be_written_says_so() {
    let dir = TempDir::new().unwrap();
    let archive = archive(&dir, 1, 1);
    assert_eq!(archive.versions(&shelf(), None).unwrap(), []);
    assert_eq!(archive.prune(&shelf().tenant, &shelf().connection, 0).unwrap(), 0);
    fs::write(dir.path().join("archive"), "a file").unwrap();
    let error = archive.append(&shelf(), RunId(2), &[version("u1", 2, "{}")]).unwrap_err();
    assert!(error.to_string().contains("cannot be written"), "{error}");
}
