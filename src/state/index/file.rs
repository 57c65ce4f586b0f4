//! The file of a run: blocks of words one after the other, in key order, and after them the tail: which keys the file may
//! have, and where its blocks begin.
//!
//! Not for knowing which files are runs; that is [`super::run`]. The invariant: a file is on disk before anything names
//! it, and never changed after; bytes that are not what was written are a failure.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use fastbloom::BloomFilter;

use super::block;
use super::merge::Word;
use crate::model::hash::{ContentHash, ContentHasher};
use crate::state::sled_error::Failure;

/// Bytes after each block: the beginning of its hash.
const CHECK: usize = 8;
/// Bytes that gather before they are written.
const BUFFER: usize = 128 << 10;

/// The path of the file with a number.
pub(super) fn path(folder: &Path, id: u32) -> PathBuf {
    folder.join(format!("{id:08}.run"))
}

/// The numbers of the files in a folder, which is made if it is missing.
pub(super) fn numbers(folder: &Path) -> Result<Vec<u32>, Failure> {
    fs::create_dir_all(folder)?;
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".run"));
        numbers.extend(number.and_then(|number| number.parse::<u32>().ok()));
    }
    Ok(numbers)
}

/// Where the tail of a file lies, and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) at: u64,
    pub(super) len: u64,
    pub(super) check: ContentHash,
}

/// A file that is being written.
pub(super) struct Writer {
    out: BufWriter<File>,
    folder: PathBuf,
    at: u64,
    fences: Fences,
    /// The last key of the block before.
    last: Vec<u8>,
}

impl Writer {
    pub(super) fn create(folder: &Path, id: u32) -> Result<Self, Failure> {
        let mut options = File::options();
        let file = options.create(true).truncate(true).read(true).write(true);
        let out = BufWriter::with_capacity(BUFFER, file.open(path(folder, id))?);
        let folder = folder.to_owned();
        Ok(Self { out, folder, at: 0, fences: Fences::default(), last: Vec::new() })
    }

    /// Appends a block of words, all greater than those before.
    pub(super) fn append(&mut self, words: &[Word]) -> Result<(), Failure> {
        let [(first, _), ..] = words else { return Ok(()) };
        let shared = first.iter().zip(&self.last).take_while(|(a, b)| a == b).count();
        self.fences.push(&first[..first.len().min(shared + 1)], self.at);
        let packed = block::pack(words);
        self.out.write_all(&packed)?;
        self.out.write_all(&check(&packed))?;
        self.at += (packed.len() + CHECK) as u64;
        self.last.clone_from(&words[words.len() - 1].0);
        Ok(())
    }

    /// Writes the tail and brings the file to disk, and its name.
    pub(super) fn finish(mut self, filter: &BloomFilter) -> Result<(Blocks, Tail), Failure> {
        // Of a large run the tail is megabytes: it is not gathered before it is written.
        let mut out = Summed { out: &mut self.out, hasher: ContentHasher::default(), len: 0 };
        encode(&mut out, filter, &self.fences)?;
        let tail = Tail { at: self.at, len: out.len, check: out.hasher.finish() };
        let file = self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        File::open(&self.folder)?.sync_all()?;
        let fences = self.fences.fitted();
        Ok((Blocks { file: Mutex::new(file), fences, end: tail.at }, tail))
    }
}

/// The blocks of a file that is whole.
#[derive(Debug)]
pub(super) struct Blocks {
    file: Mutex<File>,
    fences: Fences,
    /// Where the last block ends.
    end: u64,
}

impl Blocks {
    /// Opens a file and reads its tail.
    pub(super) fn open(folder: &Path, id: u32, tail: Tail) -> Result<(Self, BloomFilter), Failure> {
        let mut file = match File::open(path(folder, id)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(broken()),
            Err(error) => return Err(error.into()),
        };
        let mut packed = Vec::new();
        file.seek(SeekFrom::Start(tail.at))?;
        (&mut file).take(tail.len).read_to_end(&mut packed)?;
        if ContentHash::of(&packed) != tail.check {
            return Err(broken());
        }
        let (filter, fences) = decode(&packed).ok_or_else(broken)?;
        Ok((Self { file: Mutex::new(file), fences, end: tail.at }, filter))
    }

    pub(super) fn count(&self) -> usize {
        self.fences.places.len()
    }

    /// The block in which a key would be.
    pub(super) fn home(&self, key: &[u8]) -> Option<usize> {
        self.fences.home(key)
    }

    /// No key before a block is as great as this, and none in it is smaller.
    pub(super) fn fence(&self, block: usize) -> Option<&[u8]> {
        self.fences.get(block)
    }

    /// Reads a block.
    pub(super) fn read(&self, block: usize) -> Result<Vec<u8>, Failure> {
        let at = *self.fences.places.get(block).ok_or_else(broken)?;
        let end = self.fences.places.get(block + 1).copied().unwrap_or(self.end);
        let len = end.checked_sub(at).and_then(|len| usize::try_from(len).ok());
        let mut packed = vec![0; len.filter(|&len| len >= CHECK).ok_or_else(broken)?];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(at))?;
            match file.read_exact(&mut packed) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(broken()),
                read => read?,
            }
        }
        let sum = packed.split_off(packed.len() - CHECK);
        if sum == check(&packed) { Ok(packed) } else { Err(broken()) }
    }
}

/// What tells blocks apart: for each a text that no key before it reaches and no key in it is smaller than. Texts are as
/// short as that allows; they are what a run takes of the memory, beside its filter.
#[derive(Debug, Default)]
struct Fences {
    /// The texts, one after the other.
    texts: Vec<u8>,
    /// Where each text ends.
    ends: Vec<usize>,
    /// Where each block begins.
    places: Vec<u64>,
}

impl Fences {
    fn push(&mut self, text: &[u8], place: u64) {
        self.texts.extend_from_slice(text);
        self.ends.push(self.texts.len());
        self.places.push(place);
    }

    fn get(&self, block: usize) -> Option<&[u8]> {
        let from = if block == 0 { 0 } else { *self.ends.get(block - 1)? };
        self.texts.get(from..*self.ends.get(block)?)
    }

    fn home(&self, key: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.places.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.get(middle)? <= key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1)
    }

    /// Without room to grow.
    fn fitted(mut self) -> Self {
        self.texts.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.places.shrink_to_fit();
        self
    }
}

/// The tail: the filter's count of hashes, the count of its words, its words; the count of fences; for each the length of
/// its text, its block's place, the text. Numbers are big-endian, of four bytes except words and places.
fn encode(out: &mut impl Write, filter: &BloomFilter, fences: &Fences) -> io::Result<()> {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes();
    out.write_all(&filter.num_hashes().to_be_bytes())?;
    out.write_all(&count(filter.as_slice().len()))?;
    for word in filter.as_slice() {
        out.write_all(&word.to_be_bytes())?;
    }
    out.write_all(&count(fences.places.len()))?;
    for (block, place) in fences.places.iter().enumerate() {
        let text = fences.get(block).unwrap_or_default();
        out.write_all(&count(text.len()))?;
        out.write_all(&place.to_be_bytes())?;
        out.write_all(text)?;
    }
    Ok(())
}

/// Writes on, and sums up what it has written.
struct Summed<'w, W> {
    out: &'w mut W,
    hasher: ContentHasher,
    len: u64,
}

impl<W: Write> Write for Summed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.hasher.update(&bytes[..taken]);
        self.len += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn decode(mut packed: &[u8]) -> Option<(BloomFilter, Fences)> {
    let rest = &mut packed;
    let hashes = u32::from_be_bytes(array(rest)?);
    let mut words = Vec::new();
    for _ in 0..u32::from_be_bytes(array(rest)?) {
        words.push(u64::from_be_bytes(array(rest)?));
    }
    if words.is_empty() {
        return None;
    }
    let mut fences = Fences::default();
    for _ in 0..u32::from_be_bytes(array(rest)?) {
        let len = u32::from_be_bytes(array(rest)?);
        let place = u64::from_be_bytes(array(rest)?);
        let (text, left) = rest.split_at_checked(usize::try_from(len).ok()?)?;
        *rest = left;
        fences.push(text, place);
    }
    let filter = BloomFilter::from_vec(words).hashes(hashes);
    rest.is_empty().then(|| (filter, fences.fitted()))
}

fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (array, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*array)
}

fn check(packed: &[u8]) -> [u8; CHECK] {
    ContentHash::of(packed).0.first_chunk().copied().unwrap_or_default()
}

fn broken() -> Failure {
    Failure::Damaged("a file of small values is missing or broken".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(numbers: std::ops::Range<u32>) -> Vec<Word> {
        numbers.map(|n| (format!("key/{n:03}").into_bytes(), Some(vec![7; 5]))).collect()
    }

    fn written(folder: &Path) -> (Blocks, Tail) {
        let mut writer = Writer::create(folder, 3).unwrap();
        for from in [0, 10, 20] {
            writer.append(&words(from..from + 10)).unwrap();
        }
        let mut filter = BloomFilter::with_num_bits(640).hashes(2);
        filter.insert_hash(9);
        writer.finish(&filter).unwrap()
    }

    #[test]
    fn a_key_has_one_block_before_and_after_the_file_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (first, tail) = written(folder.path());
        let (again, filter) = Blocks::open(folder.path(), 3, tail).unwrap();
        assert!(filter.contains_hash(9));
        assert_eq!(numbers(folder.path()).unwrap(), [3]);
        for blocks in [first, again] {
            let home = |key: &str| blocks.home(key.as_bytes());
            assert_eq!([home("key/000"), home("key/009"), home("key/0099")], [Some(0); 3]);
            assert_eq!([home("key/010"), home("key/029"), home("z")], [Some(1), Some(2), Some(2)]);
            assert_eq!(home(""), None);
            assert_eq!(blocks.fence(2), Some(&b"key/02"[..]), "as short as tells them apart");
            for (block, from) in [(0, 0), (1, 10), (2, 20)] {
                assert_eq!(blocks.read(block).unwrap(), block::pack(&words(from..from + 10)));
            }
            assert_eq!((blocks.count(), blocks.fence(3)), (3, None));
            assert!(blocks.read(3).is_err());
        }
    }

    #[test]
    fn what_is_cut_off_or_changed_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        let (blocks, tail) = written(folder.path());
        let whole = fs::read(path(folder.path(), 3)).unwrap();
        let open = || Blocks::open(folder.path(), 3, tail);
        for at in [tail.at, whole.len() as u64 - 1] {
            let mut changed = whole.clone();
            changed[usize::try_from(at).unwrap()] ^= 1;
            fs::write(path(folder.path(), 3), &changed).unwrap();
            assert!(matches!(open(), Err(Failure::Damaged(_))), "{at}");
        }
        fs::write(path(folder.path(), 3), &whole[..whole.len() - 1]).unwrap();
        assert!(matches!(open(), Err(Failure::Damaged(_))));
        let mut changed = whole.clone();
        changed[2] ^= 1;
        fs::write(path(folder.path(), 3), &changed).unwrap();
        assert!(matches!(blocks.read(0), Err(Failure::Damaged(_))));
        assert!(blocks.read(1).is_ok());
        fs::remove_file(path(folder.path(), 3)).unwrap();
        assert!(matches!(open(), Err(Failure::Damaged(_))));
    }

    #[test]
    fn a_tail_cut_anywhere_is_none() {
        let mut filter = BloomFilter::with_num_bits(128).hashes(2);
        filter.insert_hash(9);
        let mut fences = Fences::default();
        fences.push(b"", 0);
        fences.push(b"key/1", 4096);
        let mut packed = Vec::new();
        encode(&mut packed, &filter, &fences).unwrap();
        assert!(decode(&packed).is_some());
        for end in 0..packed.len() {
            assert!(decode(&packed[..end]).is_none(), "{end}");
        }
    }
}
