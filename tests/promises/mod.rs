//! What holds over many runs: matching, attendance without a hole, the loop, looks at single objects.

mod archive;
mod canary;
mod edits;
mod gaps;
mod generations;
mod impact;
mod kept;
mod matching;
mod replay;
mod service;
mod states;
mod targeted;
