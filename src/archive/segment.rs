//! One segment: zstd frames in a row, each with a checksum.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::path::Path;

use crate::model::ids::{RunId, SourceId};
use crate::port::archive::Version;

use super::line;

/// Compression level: fast, as for the state.
const LEVEL: i32 = 1;
/// How a segment's name ends.
const END: &str = ".jsonl.zst";
/// The most that a frame may unpack to: a group of a run has 512 records.
const FRAME_BYTES: usize = 1 << 30;

/// The name of a run's segment; in the order of names is in the order of runs.
pub(super) fn name(run: RunId) -> String {
    format!("{:08}{END}", run.0)
}

pub(super) fn is_one(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(END))
}

/// Versions as one frame.
pub(super) fn pack(versions: &[Version]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for version in versions {
        line::write(version, &mut text)?;
    }
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))?;
    compressor.compress(&text)
}

/// Cuts what a crash left behind the last whole frame.
pub(super) fn mend(path: &Path) -> io::Result<()> {
    let bytes = match fs::read(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    let whole = whole(&bytes).map(<[u8]>::len).sum::<usize>();
    if whole < bytes.len() {
        File::options().write(true).open(path)?.set_len(whole as u64)?;
    }
    Ok(())
}

/// The whole frames that bytes begin with.
fn whole(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let length = zstd::zstd_safe::find_frame_compressed_size(rest).ok()?;
        let (frame, after) = rest.split_at_checked(length).filter(|_| length > 0)?;
        // A frame can have its length and not its content.
        unpack(frame).ok()?;
        rest = after;
        Some(frame)
    })
}

fn unpack(frame: &[u8]) -> io::Result<Vec<u8>> {
    let size = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten().unwrap_or(0);
    let size = usize::try_from(size).ok().filter(|&size| size <= FRAME_BYTES);
    let size = size.ok_or_else(|| io::Error::other("a frame larger than allowed"))?;
    zstd::bulk::decompress(frame, size)
}

/// Passes on a segment's versions, of one record where `id` is given, until `take` breaks off; whether it was read to its
/// end.
pub(super) fn each(
    path: &Path,
    id: Option<&SourceId>,
    mut take: impl FnMut(Version) -> ControlFlow<()>,
) -> io::Result<bool> {
    let bytes = fs::read(path)?;
    let named = id.map(|id| serde_json::to_string(id.as_str())).transpose()?;
    for frame in whole(&bytes) {
        let text = String::from_utf8(unpack(frame)?).map_err(io::Error::other)?;
        // A line begins with its id; most lines are somebody else's.
        let about =
            |line: &&str| named.as_ref().is_none_or(|named| line[..].contains(named.as_str()));
        for line in text.lines().filter(about) {
            if let Some(version) = line::read(line, id)?
                && take(version).is_break()
            {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// When the run of a segment began, in Unix milliseconds; long ago for one without a whole frame.
pub(super) fn until_ms(path: &Path) -> io::Result<i64> {
    let mut head = Vec::new();
    // The first frame is enough, and it is not long.
    let mut file = File::open(path)?;
    file.by_ref().take(4 << 20).read_to_end(&mut head)?;
    let Some(frame) = whole(&head).next() else { return Ok(0) };
    let text = String::from_utf8(unpack(frame)?).map_err(io::Error::other)?;
    let first = text.lines().next().map(|line| line::read(line, None)).transpose()?.flatten();
    Ok(first.map_or(0, |version| version.until_ms))
}
