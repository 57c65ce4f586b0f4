//! What a plugin can do to you: nothing. Every guest of `hostile/` is stopped in time, blamed by name, and harms no other call.
#![cfg(test)]

mod hostile;
