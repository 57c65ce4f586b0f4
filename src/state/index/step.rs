//! From format 1, which had a pair of sled's for every small pair, to format 2, which packs them, and to format 3, where
//! those that are not packed lie on piles.

use std::path::Path;

use super::{Index, Room, loose};
use crate::port::store::Op;
use crate::state::sled_error::Failure;
use crate::state::trees::{INDEX, RUNS};

/// Where format 1 kept small pairs.
const LOOSE: &str = "index";
/// How much is packed at once.
const ROOM: Room = Room { fresh_bytes: 4 << 20, loose: 4096 };
/// Pairs read at once.
const BATCH: usize = 1024;

/// Packs what format 1 left. Run again after a crash, it begins anew: the loose pairs go when all are packed.
pub(in crate::state) fn pack_index(db: &sled::Db, folder: &Path) -> Result<(), Failure> {
    if !db.tree_names().iter().any(|name| **name == *LOOSE.as_bytes()) {
        return Ok(());
    }
    let (loose, packed) = (db.open_tree(LOOSE)?, db.open_tree(INDEX)?);
    packed.clear()?;
    let index = Index::open(packed, &folder.join(RUNS), ROOM)?;
    let mut pairs = loose.iter().peekable();
    while pairs.peek().is_some() {
        let batch = pairs.by_ref().take(BATCH);
        let ops: Result<Vec<Op>, sled::Error> = batch
            .map(|pair| pair.map(|(key, value)| Op::Put(key.to_vec(), value.to_vec())))
            .collect();
        index.write(ops?)?;
    }
    index.settle()?;
    db.flush()?;
    db.drop_tree(LOOSE)?;
    Ok(())
}

/// Lays what format 2 left loose on the first pile.
pub(in crate::state) fn pile_loose(db: &sled::Db, _folder: &Path) -> Result<(), Failure> {
    loose::pile(&db.open_tree(INDEX)?)
}
