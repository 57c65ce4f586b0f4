//! Large values in files of their own, appended and never changed.
//!
//! sled keeps up to sixteen values on one page, and its cache counts pages by the thousand: values of some kilobytes
//! would fill the memory with whatever was read last. So they lie here and the tree holds a [`Pointer`].
//!
//! Not for knowing which value is current; that is [`super::blobs`]. The invariant: bytes that a pointer names are never
//! moved or overwritten; a file goes as a whole, after no pointer on disk names it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sled_error::Failure;
use crate::model::hash::ContentHash;

/// Bytes before a record: length of its key, length of its value.
const HEAD: u64 = 8;
const POINTER: usize = 32;

/// Where a value lies, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) file: u32,
    /// Where the value starts.
    at: u64,
    len: u32,
    check: ContentHash,
}

/// How far the files were on disk at the last flush.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    file: u32,
    size: u64,
}

impl Mark {
    pub(super) fn encode(self) -> [u8; 12] {
        let mut out = [0; 12];
        out[..4].copy_from_slice(&self.file.to_be_bytes());
        out[4..].copy_from_slice(&self.size.to_be_bytes());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (file, size) = bytes.split_first_chunk()?;
        let size = size.try_into().ok()?;
        Some(Self { file: u32::from_be_bytes(*file), size: u64::from_be_bytes(size) })
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) size: u64,
    /// Bytes that pointers name.
    pub(super) live: u64,
}

/// The files, and the one that grows.
#[derive(Debug)]
pub(super) struct ValueLog {
    folder: PathBuf,
    /// A file of this many bytes is closed and the next one begun.
    limit_bytes: u64,
    current: u32,
    file: Arc<File>,
    usage: BTreeMap<u32, Usage>,
}

impl Pointer {
    pub(super) fn encode(&self) -> [u8; POINTER] {
        let mut out = [0; POINTER];
        out[..4].copy_from_slice(&self.file.to_be_bytes());
        out[4..12].copy_from_slice(&self.at.to_be_bytes());
        out[12..16].copy_from_slice(&self.len.to_be_bytes());
        out[16..].copy_from_slice(&self.check.0);
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (file, rest) = bytes.split_first_chunk()?;
        let (at, rest) = rest.split_first_chunk()?;
        let (len, check) = rest.split_first_chunk()?;
        Some(Self {
            file: u32::from_be_bytes(*file),
            at: u64::from_be_bytes(*at),
            len: u32::from_be_bytes(*len),
            check: ContentHash(check.try_into().ok()?),
        })
    }

    fn end(&self) -> u64 {
        self.at + u64::from(self.len)
    }

    /// Whether both name the same bytes of the same file.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        (self.file, self.at, self.len) == (other.file, other.at, other.len)
    }
}

/// Reads what a pointer names; `None` when its file is gone.
pub(super) fn read(folder: &Path, pointer: &Pointer) -> Result<Option<Vec<u8>>, Failure> {
    let mut file = match File::open(path(folder, pointer.file)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    file.seek(SeekFrom::Start(pointer.at))?;
    let mut value = Vec::new();
    file.take(pointer.len.into()).read_to_end(&mut value)?;
    if ContentHash::of(&value) == pointer.check {
        Ok(Some(value))
    } else {
        Err(Failure::Damaged(format!(
            "a value in `{:08}.values` is not what was written",
            pointer.file
        )))
    }
}

fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}.values"))
}

impl ValueLog {
    /// Opens the files of a folder, which is made if it is missing.
    pub(super) fn open(folder: &Path, limit_bytes: u64) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let mut usage = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".values"));
            if let Some(number) = number.and_then(|number| number.parse().ok()) {
                usage.insert(number, Usage { size: entry.metadata()?.len(), live: 0 });
            }
        }
        let current = usage.last_key_value().map_or(1, |(number, _)| *number);
        let file = Arc::new(begin(folder, current)?);
        let mut log = Self { folder: folder.to_owned(), limit_bytes, current, file, usage };
        log.cut_torn_end()?;
        Ok(log)
    }

    /// A crash may leave half a record at the end; no pointer names it.
    fn cut_torn_end(&mut self) -> Result<(), Failure> {
        let mut whole = 0;
        for record in self.records(self.current)? {
            whole = record?.1.end();
        }
        self.file.set_len(whole)?;
        self.usage.entry(self.current).or_default().size = whole;
        Ok(())
    }

    /// Counts a pointer found at opening; `false` when what it names was never on disk as `mark` has it, and is lost.
    pub(super) fn adopt(&mut self, pointer: &Pointer, mark: Mark) -> Result<bool, Failure> {
        match self.usage.get_mut(&pointer.file) {
            Some(usage) if pointer.end() <= usage.size => {
                usage.live += u64::from(pointer.len);
                Ok(true)
            }
            Some(_) | None if Mark { file: pointer.file, size: pointer.end() } > mark => Ok(false),
            Some(_) | None => Err(Failure::Damaged(format!(
                "`{:08}.values` is missing or too short",
                pointer.file
            ))),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file that grows, to bring it to disk.
    pub(super) fn growing(&self) -> Arc<File> {
        self.file.clone()
    }

    /// Where the files end.
    pub(super) fn end(&self) -> Mark {
        let size = self.usage.get(&self.current).map_or(0, |usage| usage.size);
        Mark { file: self.current, size }
    }

    /// Bytes of all files.
    pub(super) fn size(&self) -> u64 {
        self.usage.values().map(|usage| usage.size).sum()
    }

    /// Appends a value.
    pub(super) fn append(&mut self, key: &[u8], value: &[u8]) -> Result<Pointer, Failure> {
        let size = self.end().size;
        if size >= self.limit_bytes {
            self.roll()?;
            return self.append(key, value);
        }
        let long = |_| Failure::Disk("a value of 4 GiB or more does not fit".to_owned());
        let (key_len, len) =
            (u32::try_from(key.len()).map_err(long)?, u32::try_from(value.len()).map_err(long)?);
        // A record is cut off at the next opening if only its head was written.
        (&*self.file).write_all(&[&key_len.to_be_bytes(), &len.to_be_bytes(), key].concat())?;
        (&*self.file).write_all(value)?;
        let usage = self.usage.entry(self.current).or_default();
        let at = size + HEAD + u64::from(key_len);
        usage.size = at + u64::from(len);
        usage.live += u64::from(len);
        Ok(Pointer { file: self.current, at, len, check: ContentHash::of(value) })
    }

    /// Closes the growing file for good and begins the next.
    fn roll(&mut self) -> Result<(), Failure> {
        self.file.sync_data()?;
        let next = self.current + 1;
        self.file = Arc::new(begin(&self.folder, next)?);
        self.current = next;
        self.usage.insert(next, Usage::default());
        Ok(())
    }

    /// Says that a pointer is no longer in force.
    pub(super) fn release(&mut self, pointer: &Pointer) {
        if let Some(usage) = self.usage.get_mut(&pointer.file) {
            usage.live = usage.live.saturating_sub(pointer.len.into());
        }
    }

    /// Closed files that nothing names.
    pub(super) fn dead(&self) -> Vec<u32> {
        self.closed().filter(|(_, usage)| usage.live == 0).map(|(number, _)| number).collect()
    }

    /// A closed file of which less than half is in force.
    pub(super) fn sparse(&self) -> Option<u32> {
        let mut sparse =
            self.closed().filter(|(_, usage)| usage.live > 0 && usage.live * 2 < usage.size);
        sparse.next().map(|(number, _)| number)
    }

    fn closed(&self) -> impl Iterator<Item = (u32, Usage)> {
        self.usage.range(..self.current).map(|(number, usage)| (*number, *usage))
    }

    /// Removes a file that no pointer on disk names.
    pub(super) fn remove(&mut self, number: u32) -> Result<(), Failure> {
        fs::remove_file(path(&self.folder, number))?;
        self.usage.remove(&number);
        Ok(())
    }

    /// The keys and places of a file's records, without their values and unchecked.
    pub(super) fn records(&self, number: u32) -> Result<Records, Failure> {
        let file = File::open(path(&self.folder, number))?;
        let size = file.metadata()?.len();
        Ok(Records { file: io::BufReader::new(file), number, at: 0, size })
    }
}

/// Opens or makes a file to append to.
fn begin(folder: &Path, number: u32) -> Result<File, Failure> {
    let file = File::options().create(true).append(true).open(path(folder, number))?;
    // Its name must outlive a power cut as well.
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Walks the records of a file up to its end, or to where a record is cut off.
pub(super) struct Records {
    file: io::BufReader<File>,
    number: u32,
    at: u64,
    size: u64,
}

impl Records {
    fn read(&mut self) -> io::Result<Option<(Vec<u8>, Pointer)>> {
        if self.at + HEAD > self.size {
            return Ok(None);
        }
        let (mut key_len, mut len) = ([0; 4], [0; 4]);
        self.file.read_exact(&mut key_len)?;
        self.file.read_exact(&mut len)?;
        let (key_len, len) = (u64::from(u32::from_be_bytes(key_len)), u32::from_be_bytes(len));
        let at = self.at + HEAD + key_len;
        if at + u64::from(len) > self.size {
            return Ok(None);
        }
        let mut key = vec![0; usize::try_from(key_len).unwrap_or(usize::MAX)];
        self.file.read_exact(&mut key)?;
        self.file.seek_relative(len.into())?;
        self.at = at + u64::from(len);
        Ok(Some((key, Pointer { file: self.number, at, len, check: ContentHash([0; 16]) })))
    }
}

impl Iterator for Records {
    type Item = Result<(Vec<u8>, Pointer), Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().map_err(Failure::from).transpose()
    }
}
