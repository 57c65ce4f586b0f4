//! What a plugin may use up: per call, per instance and per connection.
//!
//! The invariant: every limit is enforced by the host, never by the guest.

use std::time::Duration;

/// The bounds of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time of one call, guest and host together.
    pub call: Duration,
    /// The time of one call that receives a callback, from its arrival: platforms wait for the answer.
    pub callback: Duration,
    /// The linear memory of one instance, all its memories together.
    pub memory_bytes: usize,
    /// The table elements of one instance, all its tables together.
    pub table_elements: usize,
    /// How many calls run at once, each in an instance of its own.
    pub instances: usize,
    /// HTTP response bytes of one call, all its responses together.
    pub http_bytes: usize,
    /// HTTP requests of one call.
    pub requests: u32,
    /// Log bytes of one call; what exceeds them is dropped and counted.
    pub log_bytes: usize,
    /// Bytes that cross from the guest to the host in one host call or one result.
    pub boundary_bytes: usize,
    /// Records of one page.
    pub page_records: usize,
    /// How a call that met a busy or failing platform is repeated.
    pub retry: RetryLimits,
}

/// The bounds of repeating a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryLimits {
    /// Attempts, the first one included.
    pub attempts: u32,
    /// The longest wait before the second attempt when the platform names none; doubles with each further one.
    pub first: Duration,
    /// The longest wait that rollcall chooses itself.
    pub longest: Duration,
    /// All attempts and waits together; no wait begins that would end later.
    pub total: Duration,
}

impl Limits {
    /// What a connection gets unless its config says otherwise.
    pub const STANDARD: Self = Self {
        call: Duration::from_mins(1),
        callback: Duration::from_millis(1500),
        memory_bytes: 64 << 20,
        table_elements: 100_000,
        instances: 4,
        http_bytes: 16 << 20,
        requests: 64,
        log_bytes: 16 << 10,
        boundary_bytes: 16 << 20,
        page_records: 10_000,
        retry: RetryLimits {
            attempts: 6,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            total: Duration::from_mins(3),
        },
    };
}
