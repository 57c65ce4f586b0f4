//! A store as one stream of bytes: to keep, to move, to try things on a copy.
//!
//! Not a log of changes. The invariant: a stream is restored whole or not at all; it carries a chained hash of its pairs.

use std::io::{self, Read, Write};

use crate::model::hash::ContentHash;
use crate::port::store::{Op, Space, Store, StoreError};

const MAGIC: &[u8] = b"rollcall state 1\n";
const END: u8 = 0xff;
/// Bytes that one restoring batch gathers.
const BATCH_BYTES: usize = 1 << 20;
/// Most bytes of a key or a value; more is no backup but noise.
const LIMIT_BYTES: u32 = 1 << 30;

/// Why a backup or a restore failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream failed.
    #[error("the backup cannot be read or written: {0}; check its disk, then run again")]
    Stream(#[from] io::Error),
    /// The stream is no backup, or not all of one.
    #[error("the backup is damaged: {0}; use another one")]
    Damaged(&'static str),
    /// There is something that a restore would mix with.
    #[error("there is state already; restore into a folder that does not exist yet")]
    Occupied,
}

/// Writes all pairs of a store; tells how many. What is written meanwhile may be in it or not.
///
/// # Errors
/// [`BackupError`] when the store or the stream fails.
pub fn write(store: &dyn Store, out: &mut dyn Write) -> Result<u64, BackupError> {
    out.write_all(MAGIC)?;
    let mut chain = ContentHash::of(MAGIC);
    let mut count = 0;
    for space in SPACES {
        for pair in store.scan(space, b"", None) {
            let (key, value) = pair?;
            out.write_all(&[tag(space)])?;
            out.write_all(&length(&key)?)?;
            out.write_all(&length(&value)?)?;
            out.write_all(&key)?;
            out.write_all(&value)?;
            chain = link(&chain, space, &key, &value);
            count += 1;
        }
    }
    out.write_all(&[END])?;
    out.write_all(&chain.0)?;
    out.flush()?;
    Ok(count)
}

/// Fills an empty store from a stream; tells how many pairs. After an error the store holds a part and is of no use.
///
/// # Errors
/// [`BackupError`] when the stream is no whole backup, or the store is not empty or fails.
pub fn read(store: &dyn Store, from: &mut dyn Read) -> Result<u64, BackupError> {
    if SPACES.into_iter().any(|space| store.scan(space, b"", None).next().is_some()) {
        return Err(BackupError::Occupied);
    }
    let mut magic = [0; MAGIC.len()];
    exact(from, &mut magic)?;
    if magic != MAGIC {
        return Err(BackupError::Damaged("it does not begin like one"));
    }
    let mut chain = ContentHash::of(MAGIC);
    let mut count = 0;
    let mut batch = Batch { store, space: Space::Index, ops: Vec::new(), bytes: 0 };
    loop {
        let mut head = [0];
        exact(from, &mut head)?;
        let Some(space) = SPACES.into_iter().find(|space| tag(*space) == head[0]) else { break };
        let (key_len, value_len) = (read_length(from)?, read_length(from)?);
        let (key, value) = (bytes(from, key_len)?, bytes(from, value_len)?);
        chain = link(&chain, space, &key, &value);
        count += 1;
        batch.put(space, key, value)?;
    }
    let mut stated = [0; 16];
    exact(from, &mut stated)?;
    if stated != chain.0 {
        return Err(BackupError::Damaged("its checksum does not match"));
    }
    batch.settle()?;
    store.flush()?;
    Ok(count)
}

const SPACES: [Space; 2] = [Space::Index, Space::Blob];

/// Stable for ever: part of the stream.
fn tag(space: Space) -> u8 {
    match space {
        Space::Index => 1,
        Space::Blob => 2,
    }
}

fn link(chain: &ContentHash, space: Space, key: &[u8], value: &[u8]) -> ContentHash {
    ContentHash::of_parts([&chain.0, [tag(space)].as_slice(), key, value])
}

fn length(bytes: &[u8]) -> Result<[u8; 4], BackupError> {
    let len = u32::try_from(bytes.len()).ok().filter(|len| *len <= LIMIT_BYTES);
    len.map(u32::to_be_bytes).ok_or(BackupError::Damaged("a value is larger than a backup holds"))
}

fn read_length(from: &mut dyn Read) -> Result<u32, BackupError> {
    let mut len = [0; 4];
    exact(from, &mut len)?;
    let len = u32::from_be_bytes(len);
    if len > LIMIT_BYTES {
        return Err(BackupError::Damaged("a length in it is out of bounds"));
    }
    Ok(len)
}

/// Reads as much as is there, not as much as is claimed: a false length costs no memory.
fn bytes(from: &mut dyn Read, len: u32) -> Result<Vec<u8>, BackupError> {
    let mut out = Vec::new();
    let read = from.take(len.into()).read_to_end(&mut out)?;
    if read == len as usize { Ok(out) } else { Err(SHORT) }
}

fn exact(from: &mut dyn Read, out: &mut [u8]) -> Result<(), BackupError> {
    from.read_exact(out).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => SHORT,
        _ => error.into(),
    })
}

const SHORT: BackupError = BackupError::Damaged("it ends too early");

/// Pairs on their way into the store.
struct Batch<'s> {
    store: &'s dyn Store,
    space: Space,
    ops: Vec<Op>,
    bytes: usize,
}

impl Batch<'_> {
    fn put(&mut self, space: Space, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreError> {
        if space != self.space || self.bytes >= BATCH_BYTES {
            self.settle()?;
            self.space = space;
        }
        self.bytes += key.len() + value.len();
        self.ops.push(Op::Put(key, value));
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        self.store.write(self.space, std::mem::take(&mut self.ops))
    }
}
