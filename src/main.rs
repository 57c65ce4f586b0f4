//! The `rollcall` command: arguments to exit code.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in mimalloc's list of options.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> ExitCode {
    give_memory_back_at_once();
    rollcall::cli::main()
}

/// Compiling a plugin takes more memory than a whole run after it: what is freed goes back to the system.
fn give_memory_back_at_once() {
    #[expect(unsafe_code, reason = "sets a number in the allocator's table of options")]
    // SAFETY: the option exists in the version that is linked, and any value is allowed.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 0);
    }
}
