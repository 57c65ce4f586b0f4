//! The write-ahead log stays short, and what it holds gets into the file.

use super::*;

/// Bytes that the log gathers in these tests before they are carried over.
const LOG_BYTES: u32 = 128 << 10;

/// A world whose log is short.
fn short_log() -> World {
    let mut world = World::new();
    let file = world.folder.path().join("ehr.db");
    let options = Options { log_bytes: LOG_BYTES, ..Options::default() };
    world.ehr = EmbeddedEhr::open(&file, world.clock.clone(), options).unwrap();
    world
}

fn log_bytes(world: &World) -> u64 {
    std::fs::metadata(world.folder.path().join("ehr.db-wal")).unwrap().len()
}

/// Writes so many sets of new people. Returns the most that the log's file held.
async fn hire(world: &World, sets: std::ops::Range<u32>) -> u64 {
    let mut most = 0;
    for set in sets {
        let people = (0..300).map(|n| person(&format!("u{set}-{n}"), &json!({})));
        world.apply(Entity::Employee, people.collect()).await;
        most = most.max(log_bytes(world));
    }
    most
}

#[tokio::test]
async fn what_the_log_gathers_is_carried_over_while_sets_come() {
    let world = short_log();
    let most = hire(&world, 0..60).await;
    assert!(most < 16 * u64::from(LOG_BYTES), "the log held {most} bytes");
    assert_eq!(world.ask("SELECT count(*) FROM employees").as_deref(), Some("18000"));
    assert_eq!(world.ask("PRAGMA integrity_check").as_deref(), Some("ok"));
}

#[tokio::test]
async fn whoever_reads_sees_what_was_there_and_the_log_is_short_again_afterwards() {
    let world = short_log();
    hire(&world, 0..1).await;
    let reader = world.look();
    let people = || {
        let count = "SELECT count(*) FROM employees";
        reader.query_row(count, (), |row| row.get::<_, i64>(0)).unwrap()
    };
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(people(), 300);
    let long = hire(&world, 1..40).await;
    assert!(long > 16 * u64::from(LOG_BYTES), "it holds what the reader must not see: {long}");
    assert_eq!(people(), 300);
    reader.execute_batch("COMMIT").unwrap();
    hire(&world, 40..50).await;
    assert!(log_bytes(&world) < 16 * u64::from(LOG_BYTES), "{}", log_bytes(&world));
    assert_eq!(people(), 15_000);
}

#[tokio::test]
async fn an_ehr_at_rest_leaves_no_log_once_nobody_reads_it() {
    let mut world = World::new();
    let file = world.folder.path().join("ehr.db");
    let options = Options { rest: Duration::from_millis(20), ..Options::default() };
    world.ehr = EmbeddedEhr::open(&file, world.clock.clone(), options).unwrap();
    let log = || std::fs::metadata(file.with_file_name("ehr.db-wal")).unwrap().len();
    let reader = world.look();
    let people = |name: &str| reader.query_row(name, (), |row| row.get::<_, i64>(0)).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    assert_eq!(people("SELECT count(*) FROM employees"), 0);
    world.apply(Entity::Employee, vec![person("u1", &json!({}))]).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(log() > 0, "the reader sees what it saw");
    assert_eq!(people("SELECT count(*) FROM employees"), 0);
    reader.execute_batch("COMMIT").unwrap();
    assert!(world.load_one(Entity::Employee, "u1").await.is_some());
    for _ in 0..500 {
        if log() == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(log(), 0);
    assert_eq!(people("SELECT count(*) FROM employees"), 1);
}
