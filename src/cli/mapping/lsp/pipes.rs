//! Stdin and stdout as streams of the runtime, each carried by a thread of its own.
//!
//! The invariant: everything that was written is on stdout when [`Output::finish`] returns.

use std::io::{Read as _, Write as _};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::runtime::Handle;

/// Bytes on their way.
const BUFFER_BYTES: usize = 64 * 1024;

/// What is read from stdin, until that ends.
pub(super) fn input(runtime: &Handle) -> DuplexStream {
    let (mut ours, theirs) = tokio::io::duplex(BUFFER_BYTES);
    let runtime = runtime.clone();
    std::thread::spawn(move || {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match std::io::stdin().lock().read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(count) => {
                    let Some(read) = buffer.get(..count) else { return };
                    if runtime.block_on(ours.write_all(read)).is_err() {
                        return;
                    }
                }
            }
        }
    });
    theirs
}

/// The thread that carries to stdout.
pub(super) struct Output(JoinHandle<()>);

/// What is written to stdout.
pub(super) fn output(runtime: &Handle) -> (DuplexStream, Output) {
    let (mut ours, theirs) = tokio::io::duplex(BUFFER_BYTES);
    let runtime = runtime.clone();
    let carrier = std::thread::spawn(move || {
        let mut buffer = vec![0; BUFFER_BYTES];
        while let Ok(count @ 1..) = runtime.block_on(ours.read(&mut buffer)) {
            let mut stdout = std::io::stdout().lock();
            let written = stdout.write_all(buffer.get(..count).unwrap_or_default());
            if written.and_then(|()| stdout.flush()).is_err() {
                return;
            }
        }
    });
    (theirs, Output(carrier))
}

impl Output {
    /// Waits until everything is written; the stream must be gone.
    pub(super) fn finish(self) {
        // A thread that panicked has nothing left to write.
        self.0.join().ok();
    }
}
