//! How far back a connection's archive reaches: one number beside its shelves.

use std::fs;
use std::io;
use std::path::Path;

use crate::port::archive::{ArchiveError, Reach};

use super::fault;

/// Its file.
const NAME: &str = "reaches-back-to";

/// What the file says; without one nothing was removed.
pub(super) fn read(connection: &Path) -> Result<Reach, ArchiveError> {
    let path = connection.join(NAME);
    let text = match fs::read_to_string(&path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Reach::All),
        read => read.map_err(|cause| fault(&path, "read", &cause))?,
    };
    // Digits that nobody can read say that something is missing, not how much.
    Ok(text.trim().parse().map_or(Reach::Nothing, Reach::Since))
}

/// Notes that what was replaced at `ms` and before is about to be removed.
pub(super) fn note(connection: &Path, ms: i64) -> Result<(), ArchiveError> {
    let reach = match read(connection)? {
        Reach::All => ms,
        Reach::Since(known) => known.max(ms),
        Reach::Nothing => return Ok(()),
    };
    let (path, aside) = (connection.join(NAME), connection.join(format!("{NAME}.new")));
    let written = fs::write(&aside, reach.to_string()).and_then(|()| fs::rename(&aside, &path));
    written.map_err(|cause| fault(&path, "written", &cause))
}
