//! Compiled code on disk: kept, and never believed blindly.

use rollcall::host::PluginHost;
use rollcall::model::entity::Entity;
use rollcall::port::provider::Provider as _;

use super::{Bench, FULL, connect};

fn entries(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    all.sort();
    all
}

#[tokio::test]
async fn compiled_code_is_kept_and_a_damaged_or_foreign_entry_is_not_believed() {
    let bench = Bench::new();
    bench.guest("trap", &FULL);
    bench.guest("flood", &["plugin"]);
    let file = bench.folder.path().join("trap.wasm");
    let folder = bench.folder.path().join("cache");
    let fresh = || PluginHost::new(Some(folder.clone())).unwrap();
    fresh().load(&file).unwrap();
    let entry = entries(&folder).remove(0);
    let whole = std::fs::read(&entry).unwrap();
    let written = std::fs::metadata(&entry).unwrap().modified().unwrap();
    fresh().load(&file).unwrap();
    assert_eq!(
        std::fs::metadata(&entry).unwrap().modified().unwrap(),
        written,
        "taken from the cache"
    );

    fresh().load(&bench.folder.path().join("flood.wasm")).unwrap();
    let other = entries(&folder).into_iter().find(|it| *it != entry).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let bad = [
        flipped,
        whole[..whole.len() - 1].to_vec(),
        whole[..20].to_vec(),
        vec![],
        std::fs::read(other).unwrap(),
    ];
    for bytes in bad {
        std::fs::write(&entry, bytes).unwrap();
        let plugin = fresh().load(&file).unwrap();
        let page = connect(&plugin, &[], &[]).list(Entity::Department, None, None).await;
        assert_eq!(page.unwrap().records, vec![]);
        assert_eq!(std::fs::read(&entry).unwrap(), whole, "written anew");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let error = PluginHost::new(Some(folder.path().to_owned())).err().unwrap();
    assert!(error.to_string().contains("chmod go-w"), "{error}");
}
