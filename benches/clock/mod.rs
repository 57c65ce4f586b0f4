//! The CPU time of a thread: what work costs, whoever else is on the machine.

use std::time::Instant;

/// Time that this thread has spent on a CPU, in nanoseconds; where the system does not tell, wall time.
pub(crate) fn cpu_ns() -> f64 {
    thread_local! {
        static BEGUN: Instant = Instant::now();
    }
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = told.and_then(|text| text.split(' ').next()?.parse().ok());
    spent.unwrap_or_else(|| BEGUN.with(Instant::elapsed).as_secs_f64() * 1e9)
}
