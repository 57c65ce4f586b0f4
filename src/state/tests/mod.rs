//! What stores promise: all of them, and the one on disk when things go wrong.

mod backup;
mod contract;
mod failures;
mod killed;
mod memory;
mod values;

use super::backup::{self as stream, BackupError};
use super::{MemoryStore, Options, SledStore};
use crate::port::store::{Op, Space, Store, StoreError};

fn put(key: &str, value: &str) -> Op {
    Op::Put(key.into(), value.into())
}

fn delete(key: &str) -> Op {
    Op::Delete(key.into())
}

fn keys(store: &dyn Store, space: Space, prefix: &str, after: Option<&str>) -> Vec<String> {
    store
        .scan(space, prefix.as_bytes(), after.map(str::as_bytes))
        .map(|pair| String::from_utf8(pair.unwrap().0.to_vec()).unwrap())
        .collect()
}

fn get(store: &dyn Store, space: Space, key: &str) -> Option<String> {
    let value = store.get(space, key.as_bytes()).unwrap()?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}

/// A value too large for the tree, told apart by its seed.
fn large(seed: usize, bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 31 + seed * 17 + at / 251).to_le_bytes()[0]).collect()
}

/// A command that runs one ignored test of this binary, as `sh -c` words to put a limit before.
fn child(test: &str, folder: &std::path::Path) -> std::process::Command {
    let module = module_path!().split_once("::").unwrap().1;
    let program = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new("sh");
    command
        .env("CHILD_FOLDER", folder)
        .env("CHILD_PROGRAM", program)
        .env("CHILD_TEST", format!("{module}::{test}"));
    command
}

/// Runs the child's program in place of its shell.
const BECOME_TEST: &str = r#"exec "$CHILD_PROGRAM" --exact "$CHILD_TEST" --ignored --nocapture"#;

fn child_folder() -> std::path::PathBuf {
    std::env::var_os("CHILD_FOLDER").unwrap().into()
}
