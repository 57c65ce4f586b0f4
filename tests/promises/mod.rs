//! What holds over many runs: matching, attendance without a hole, the loop.

mod gaps;
mod matching;
mod service;
