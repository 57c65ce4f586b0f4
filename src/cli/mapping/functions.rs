//! `rollcall mapping functions`: what mappings may call.

use crate::cli::Context;
use crate::cli::exit::Outcome;
use crate::mapping;

pub(super) fn run(context: &Context) -> Outcome {
    let all: Vec<_> = mapping::functions().collect();
    context.format.show(&all, |all| {
        let line = |one: &&mapping::Function| format!("{:<44} {}", one.usage, one.about);
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Outcome::Done
}
