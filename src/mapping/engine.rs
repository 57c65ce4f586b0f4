//! The one rhai engine of mappings, with every limit on.
//!
//! What is deliberately absent: modules at run time (imports are followed before, see `modules`), `eval`, printing,
//! clocks, random numbers, every function that changes a value in place (`push`, `insert`, `pad`, ..) and with it all
//! growth that rhai's own size checks do not see. `check` refuses the statements that would do the same (`m[k] = v`).
//! The invariant: an evaluation ends after a bounded number of operations, a bounded time, and with a bounded memory,
//! whatever the script is.

use std::any::TypeId;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rhai::packages::{ArithmeticPackage, BasicIteratorPackage, LogicPackage, Package as _};
use rhai::{
    Dynamic, Engine, EvalAltResult, FnPtr, FuncRegistration, Module, NativeCallContext,
    OptimizationLevel, Position, RhaiFunc,
};

use super::compiled;
use super::library::{
    Body, Closure, Env, Failure, Function, MOST_ARGUMENTS, Plain, functions, invoke,
};
use super::value::{Clear, NULL_TAG, Value};

/// What an evaluation may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Operations for one record.
    pub(crate) operations: u64,
    /// Time for one record; a backstop, far above what the operations take.
    pub(crate) time: Duration,
    /// Calls within calls.
    pub(crate) calls: usize,
    /// Bytes of a text, and of all texts within one value.
    pub(crate) text_bytes: usize,
    /// Elements of a list, with all lists within.
    pub(crate) elements: usize,
    /// Entries of an object, with all objects within.
    pub(crate) entries: usize,
    /// Variables at one time.
    pub(crate) variables: usize,
    /// Levels of an expression.
    pub(crate) depth: usize,
}

/// The limits in force.
pub(crate) const LIMITS: Limits = Limits {
    operations: 200_000,
    time: Duration::from_secs(5),
    calls: 16,
    text_bytes: 64 * 1024,
    elements: 2_000,
    entries: 2_000,
    variables: 100,
    depth: 64,
};

/// Keywords of rhai that a mapping has no use for.
const DISABLED: &[&str] = &[
    "import",
    "export",
    "eval",
    "print",
    "debug",
    "type_of",
    "is_shared",
    "is_def_fn",
    "is_def_var",
    "this",
    "private",
    "global",
];

/// A library function's failure on its way through the interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Raised(pub(crate) Failure);

/// Why an evaluation was ended from outside the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `skip()`.
    Skip,
    /// Too many operations.
    Operations,
    /// Too much time.
    Time,
    /// A tree within the script that only the interpreter can tell about.
    Tree,
}

thread_local! {
    static SPENT: Cell<Spent> = const { Cell::new(Spent { operations: 0, since: None }) };
}

/// What the evaluation on this thread has used. rhai counts the calls of a closure on a copy of its counter; this
/// counter sees them all.
#[derive(Clone, Copy)]
struct Spent {
    operations: u64,
    since: Option<Instant>,
}

/// Starts the count for a record.
pub(crate) fn begin() {
    SPENT.set(Spent { operations: 0, since: None });
}

/// Counts operations; tells whether the evaluation has to end.
pub(crate) fn spend(limits: &Limits, operations: u64) -> Option<Stop> {
    /// How many operations pass between two looks at the clock.
    const STRIDE: u64 = 1024;
    let mut spent = SPENT.get();
    let before = spent.operations;
    spent.operations += operations;
    let mut stop = (spent.operations > limits.operations).then_some(Stop::Operations);
    if before / STRIDE != spent.operations / STRIDE {
        let since = *spent.since.get_or_insert_with(Instant::now);
        if since.elapsed() >= limits.time && before >= STRIDE {
            stop = Some(Stop::Time);
        }
    }
    SPENT.set(spent);
    stop
}

/// Builds the engine for one connection.
pub(crate) fn build(env: &Arc<Env>, limits: Limits) -> Engine {
    let mut engine = Engine::new_raw();
    limit(&mut engine, limits);
    for symbol in DISABLED {
        engine.disable_symbol(*symbol);
    }
    engine.register_type_with_name::<Clear>("clear");
    engine.register_iterator::<rhai::Array>();
    engine.register_global_module(ArithmeticPackage::new().as_shared_module());
    engine.register_global_module(LogicPackage::new().as_shared_module());
    engine.register_global_module(BasicIteratorPackage::new().as_shared_module());
    engine.register_global_module(library(env).into());
    compiled::register(&mut engine, env);
    engine
}

fn limit(engine: &mut Engine, limits: Limits) {
    engine.set_strict_variables(true);
    // The syntax tree is read by the checks and the compiler: it has to stay what was written.
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_modules(0);
    engine.set_max_functions(64);
    engine.set_max_operations(limits.operations);
    engine.set_max_call_levels(limits.calls);
    engine.set_max_expr_depths(limits.depth, limits.depth);
    engine.set_max_string_size(limits.text_bytes);
    engine.set_max_array_size(limits.elements);
    engine.set_max_map_size(limits.entries);
    engine.set_max_variables(limits.variables);
    // Values are people's data: none is kept, and threads do not meet at the interner's lock.
    engine.set_max_strings_interned(0);
    engine.on_progress(move |_| spend(&limits, 1).map(Dynamic::from));
}

fn library(env: &Arc<Env>) -> Module {
    let mut module = Module::new();
    for function in functions() {
        for count in function.least..=function.most {
            let types = vec![TypeId::of::<Dynamic>(); count];
            FuncRegistration::new(function.name).in_global_namespace().set_into_module_raw(
                &mut module,
                types,
                native(function, Arc::clone(env)),
            );
        }
    }
    to_string(&mut module);
    module
}

type Native = dyn Fn(Option<NativeCallContext<'_>>, &mut [&mut Dynamic]) -> Result<Dynamic, Box<EvalAltResult>>
    + Send
    + Sync;

fn native(function: &'static Function, env: Arc<Env>) -> RhaiFunc {
    let func: Arc<Native> = match function.body {
        Body::Plain(body) => Arc::new(move |_context, args: &mut [&mut Dynamic]| {
            call(&env, body, args).map_err(raise)
        }),
        Body::Closure(closure) => {
            Arc::new(move |context: Option<NativeCallContext<'_>>, args: &mut [&mut Dynamic]| {
                match context {
                    Some(context) => over(closure, &context, args),
                    None => Err(raise(Failure::new("mapping::internal", "a call has no context"))),
                }
            })
        }
        Body::Told => Arc::new(|_context, args: &mut [&mut Dynamic]| Ok(told(args))),
    };
    RhaiFunc::Method { func, has_context: true, is_pure: true, is_volatile: false }
}

/// The value itself, the record's `null` as `clear()`.
fn told(args: &[&mut Dynamic]) -> Dynamic {
    match args {
        [value, ..] => match value.flatten_clone() {
            null if null.is_unit() && null.tag() == NULL_TAG => Dynamic::from(Clear),
            value => value,
        },
        [] => Dynamic::UNIT,
    }
}

/// What interpolation in texts asks for.
fn to_string(module: &mut Module) {
    FuncRegistration::new("to_string").in_global_namespace().set_into_module(
        module,
        |value: &mut Dynamic| match Value::of(value) {
            Value::Unit => String::new(),
            _ => value.to_string(),
        },
    );
}

fn call(env: &Env, body: Plain, args: &mut [&mut Dynamic]) -> Result<Dynamic, Failure> {
    for arg in args.iter_mut().filter(|arg| arg.is_shared()) {
        // A variable that a closure has captured.
        **arg = arg.flatten_clone();
    }
    let mut values: [Value<'_>; MOST_ARGUMENTS] = Default::default();
    let count = args.len().min(MOST_ARGUMENTS);
    for (value, arg) in values.iter_mut().zip(args.iter()) {
        *value = Value::of(arg);
    }
    Ok(invoke(body, env, &mut values[..count])?.into_dynamic())
}

/// Turns a failure into what the interpreter carries.
#[expect(clippy::unnecessary_box_returns, reason = "rhai passes its errors in a box")]
fn raise(failure: Failure) -> Box<EvalAltResult> {
    Box::new(match failure {
        Failure::Skip => EvalAltResult::ErrorTerminated(Dynamic::from(Stop::Skip), Position::NONE),
        fault @ Failure::Fault { .. } => {
            EvalAltResult::ErrorRuntime(Dynamic::from(Raised(fault)), Position::NONE)
        }
    })
}

fn over(
    closure: Closure,
    context: &NativeCallContext<'_>,
    args: &mut [&mut Dynamic],
) -> Result<Dynamic, Box<EvalAltResult>> {
    let [list, function] = args else {
        return Err(raise(Failure::new("mapping::internal", "a call has lost its arguments")));
    };
    if list.is_unit() {
        return Ok(Dynamic::UNIT);
    }
    if list.is::<Clear>() {
        return Ok(Dynamic::from(Clear));
    }
    let Some(function) = function.read_lock::<FnPtr>().map(|function| function.clone()) else {
        return Err(raise(not_a_function(closure, &Value::of(function))));
    };
    // A variable that the function captures as well cannot stay borrowed while the function runs.
    let copy = list.is_shared().then(|| list.flatten_clone());
    let list = copy.as_ref().unwrap_or(list);
    let Ok(items) = list.as_array_ref() else {
        return Err(raise(not_a_list(closure, &Value::of(list))));
    };
    let mut kept = rhai::Array::new();
    for item in items.iter() {
        let given = function.call_raw(context, None, [item.clone()])?.flatten();
        if closure == Closure::Map {
            kept.push(given);
            continue;
        }
        let Ok(hit) = given.as_bool() else {
            return Err(raise(not_a_verdict(closure, &Value::of(&given))));
        };
        match (closure, hit) {
            (Closure::Some, true) => return Ok(Dynamic::TRUE),
            (Closure::All, false) => return Ok(Dynamic::FALSE),
            (Closure::Find, true) => return Ok(item.clone()),
            (Closure::Filter, true) => kept.push(item.clone()),
            _ => {}
        }
    }
    Ok(match closure {
        Closure::Map | Closure::Filter => Dynamic::from_array(kept),
        Closure::Some => Dynamic::FALSE,
        Closure::All => Dynamic::TRUE,
        Closure::Find => Dynamic::UNIT,
    })
}

/// The failure of a closure call on something else than a list.
pub(crate) fn not_a_list(closure: Closure, got: &Value<'_>) -> Failure {
    Failure::new("mapping::type", format!("`{}` needs a list, got {}", closure.name(), got.kind()))
}

/// The failure of a closure call without a function.
pub(crate) fn not_a_function(closure: Closure, got: &Value<'_>) -> Failure {
    Failure::new(
        "mapping::type",
        format!("`{}` needs a function such as `|x| ..`, got {}", closure.name(), got.kind()),
    )
}

/// The failure of a function that does not decide.
pub(crate) fn not_a_verdict(closure: Closure, got: &Value<'_>) -> Failure {
    Failure::new(
        "mapping::type",
        format!(
            "the function of `{}` has to give true or false, it gives {}",
            closure.name(),
            got.kind()
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rhai::{Dynamic, EvalAltResult};

    use super::{LIMITS, Limits, Stop, begin, build};
    use crate::mapping::testing;

    #[test]
    fn the_clock_ends_what_the_count_of_operations_does_not() {
        let limits = Limits { time: Duration::ZERO, operations: u64::MAX, ..LIMITS };
        let engine = build(&testing::env(), limits);
        let ast = engine.compile("loop { }").unwrap();
        begin();
        let error = engine.eval_ast::<Dynamic>(&ast).unwrap_err();
        let EvalAltResult::ErrorTerminated(stop, _) = *error else { panic!("{error}") };
        assert_eq!(stop.cast::<Stop>(), Stop::Time);
    }

    #[test]
    fn every_evaluation_starts_its_own_count() {
        let engine = build(&testing::env(), Limits { operations: 2_000, ..LIMITS });
        let ast = engine.compile("let i = 0; while i < 100 { i += 1; } i").unwrap();
        for _ in 0..20 {
            begin();
            assert_eq!(engine.eval_ast::<i64>(&ast).unwrap(), 100);
        }
    }
}
