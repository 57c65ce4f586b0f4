//! The same job with what a Python user would take: dlt, and a Singer tap with a target, each into an `SQLite` file. As they are
//! documented, with default settings; the mapping is in Python.
//!
//! `sh benches/peers/run.sh [PEOPLE] [ROUNDS]` sets them up and runs the benchmark with them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::median::median;
use crate::platform::{Platform, Timed};

/// One of them, and its times.
pub(crate) struct Peer {
    python: PathBuf,
    script: &'static str,
    file: &'static str,
    pub(crate) name: &'static str,
    timed: Timed,
}

/// Those that are set up: all, where `PEERS_PYTHON` names the Python that has them.
pub(crate) fn all() -> Vec<Peer> {
    let Some(python) = std::env::var_os("PEERS_PYTHON").map(PathBuf::from) else {
        return Vec::new();
    };
    let peer = |(name, script, file)| Peer {
        python: python.clone(),
        script,
        file,
        name,
        timed: Timed::default(),
    };
    [
        ("dlt", "benches/peers/dlt_sync.py", "dlt.db"),
        ("Singer tap and target", "benches/peers/singer_sync.py", "singer.db"),
    ]
    .map(peer)
    .into()
}

impl Peer {
    /// Does the job in `dir`. Returns how many distinct records there are afterwards.
    pub(crate) async fn sync(&mut self, platform: &Platform, dir: &Path) -> u64 {
        let mut job = Command::new(&self.python);
        job.args(["-B", "-W", "ignore", self.script])
            .args([&platform.url, &platform.app_id, &platform.app_secret])
            .arg(dir)
            .stderr(Stdio::null());
        let run = tokio::task::spawn_blocking(move || job.status());
        let ended = self.timed.time(run).await.unwrap().unwrap();
        assert!(ended.success(), "{} failed: {ended}", self.script);
        let db = rusqlite::Connection::open(dir.join(self.file)).unwrap();
        let count = "select (select count(*) from employee) + (select count(*) from department where external_id <> '0')";
        let count: i64 = db.query_row(count, [], |row| row.get(0)).unwrap();
        count.try_into().unwrap()
    }

    pub(crate) fn wall(&self) -> f64 {
        median(&self.timed.wall)
    }
}
