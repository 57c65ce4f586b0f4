//! The file of a recording: a header, calls, an end; JSON lines under zstd.
//!
//! The invariant: a file under its own name is whole, and neither writing nor reading one uses more than its bounds.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::call::{Call, Outcome};
use super::effect::Effect;
use crate::host::limits::Limits;
use crate::model::hash::ContentHash;
use crate::model::ids::PluginName;

/// The format that this build writes and reads.
const FORMAT: u32 = 1;
/// The most bytes of a recording before it is compressed.
pub(super) const BYTES: u64 = 512 << 20;
/// The most bytes of one line: one call with all its responses.
const LINE_BYTES: u64 = 128 << 20;
/// Fast, and a twentieth of the size: recordings are repetitive.
const LEVEL: i32 = 3;

/// Why a recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be written.
    #[error(
        "the recording `{path}` cannot be written; check that the folder is there and has room"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The file cannot be read.
    #[error(
        "the recording `{path}` cannot be read; check that it is a whole file written by `rollcall sync --record`"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error(
        "line {line} of the recording `{path}` cannot be understood; record again with this build"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// Another format.
    #[error(
        "the recording `{path}` has format {found}, this build reads {FORMAT}; record again with this build"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// It ends too early.
    #[error("the recording `{path}` breaks off: it has no end; record again")]
    Cut {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than allowed.
    #[error(
        "the recording `{path}` is larger than {limit} bytes before compression; record a smaller run, such as one kind or one department"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// It was made with another component.
    #[error(
        "the recording `{path}` was made with another build of plugin `{plugin}` ({recorded}, this is {found}); use that build, or say `--any-build` to judge this one by it"
    )]
    Digest {
        /// The file.
        path: PathBuf,
        /// The plugin.
        plugin: PluginName,
        /// The component that was recorded.
        recorded: ContentHash,
        /// The component that is there.
        found: ContentHash,
    },
    /// It was made with another plugin.
    #[error(
        "the recording `{path}` was made with plugin `{recorded}`, not with `{found}`; name the component with `--plugin`"
    )]
    Plugin {
        /// The file.
        path: PathBuf,
        /// The plugin that was recorded.
        recorded: PluginName,
        /// The plugin that is there.
        found: PluginName,
    },
    /// The recorder listens to one connection and was given a second, or none.
    #[error("a recording is of one connection; select one with `--tenant` and `--connection`")]
    Connection,
}

/// What a recording was made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    rollcall_recording: u32,
    pub(super) plugin: PluginName,
    version: String,
    pub(super) digest: ContentHash,
    pub(super) bounds: Bounds,
}

/// The limits on which an outcome depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bounds {
    memory_bytes: usize,
    table_elements: usize,
    boundary_bytes: usize,
    page_records: usize,
}

impl Bounds {
    pub(super) fn of(limits: &Limits) -> Self {
        let Limits { memory_bytes, table_elements, boundary_bytes, page_records, .. } = *limits;
        Self { memory_bytes, table_elements, boundary_bytes, page_records }
    }

    pub(super) fn limits(self) -> Limits {
        let Self { memory_bytes, table_elements, boundary_bytes, page_records } = self;
        Limits { memory_bytes, table_elements, boundary_bytes, page_records, ..Limits::STANDARD }
    }
}

impl Header {
    pub(super) fn new(
        plugin: PluginName,
        version: String,
        digest: ContentHash,
        bounds: Bounds,
    ) -> Self {
        Self { rollcall_recording: FORMAT, plugin, version, digest, bounds }
    }
}

/// The one thing that every format says of itself.
#[derive(Deserialize)]
struct Format {
    rollcall_recording: u32,
}

/// A line after the header.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Call(Box<Taken>),
    LeftOut { export: String, reason: String },
    End { calls: u64, left_out: u64 },
}

/// A call that can be repeated.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Taken {
    pub(super) instance: u64,
    pub(super) call: Call,
    pub(super) effects: Vec<Effect>,
    pub(super) outcome: Outcome,
}

/// A recording that is being written, beside its name.
pub(super) struct Writer {
    limit: u64,
    path: PathBuf,
    part: PathBuf,
    out: zstd::Encoder<'static, BufWriter<File>>,
    left: u64,
}

impl Writer {
    pub(super) fn create(path: &Path, limit: u64) -> Result<Self, RecordError> {
        let part = part(path);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened =
            options.open(&part).and_then(|file| zstd::Encoder::new(BufWriter::new(file), LEVEL));
        let out = opened.map_err(|source| RecordError::Write { path: path.to_owned(), source })?;
        Ok(Self { limit, path: path.to_owned(), part, out, left: limit })
    }

    /// The most bytes it may hold.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Writes a line; `Ok(false)` when there is no room for it.
    pub(super) fn line<T: Serialize>(&mut self, line: &T) -> Result<bool, RecordError> {
        let failed = |source| RecordError::Write { path: self.path.clone(), source };
        let mut json = serde_json::to_vec(line).map_err(|error| failed(error.into()))?;
        json.push(b'\n');
        let length = json.len() as u64;
        if length > self.left || length > LINE_BYTES {
            return Ok(false);
        }
        self.left -= length;
        self.out.write_all(&json).map_err(failed)?;
        Ok(true)
    }

    /// Leaves nothing behind.
    pub(super) fn discard(self) {
        // A file that cannot be removed does no harm: it never gets its name.
        std::fs::remove_file(&self.part).ok();
    }

    /// Writes the end, for which there is always room, and gives the file its name.
    pub(super) fn finish(mut self, end: &Line) -> Result<(), RecordError> {
        self.left = LINE_BYTES;
        self.line(end)?;
        let Self { path, part, out, .. } = self;
        let finish = || {
            let file = out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            std::fs::rename(&part, &path)
        };
        finish().map_err(|source| RecordError::Write { path: path.clone(), source })
    }
}

fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// A recording that is being read.
pub(super) struct Reader {
    path: PathBuf,
    lines: BufReader<zstd::Decoder<'static, BufReader<File>>>,
    left: u64,
    line: u64,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<(Header, Self), RecordError> {
        let failed = |source| RecordError::Read { path: path.to_owned(), source };
        let decoder = File::open(path).and_then(zstd::Decoder::new).map_err(failed)?;
        let lines = BufReader::new(decoder);
        let mut reader = Self { path: path.to_owned(), lines, left: BYTES + LINE_BYTES, line: 0 };
        let text = reader.text()?;
        let Format { rollcall_recording: found } = reader.parsed(&text)?;
        if found != FORMAT {
            return Err(RecordError::Format { path: path.to_owned(), found });
        }
        Ok((reader.parsed(&text)?, reader))
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Result<Line, RecordError> {
        let text = self.text()?;
        self.parsed(&text)
    }

    fn text(&mut self) -> Result<Vec<u8>, RecordError> {
        let limit = self.left.min(LINE_BYTES);
        let mut text = Vec::new();
        let read = (&mut self.lines).take(limit + 1).read_until(b'\n', &mut text);
        let path = || self.path.clone();
        read.map_err(|source| RecordError::Read { path: path(), source })?;
        let length = text.len() as u64;
        if length > limit {
            return Err(RecordError::TooLarge { path: path(), limit });
        }
        if text.pop() != Some(b'\n') {
            return Err(RecordError::Cut { path: path() });
        }
        self.left -= length;
        self.line += 1;
        Ok(text)
    }

    fn parsed<'t, T: Deserialize<'t>>(&self, text: &'t [u8]) -> Result<T, RecordError> {
        serde_json::from_slice(text).map_err(|source| {
            let (path, line) = (self.path.clone(), self.line);
            RecordError::Line { path, line, source }
        })
    }
}
