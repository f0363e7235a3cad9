//! What a call out of a script costs: of a function of ours that answers at once, of a future that is ready, of one that isn't.

use std::time::{Duration, Instant};

use lunarium_engine::{Definition, EntryId, FunctionError, Grants, Module, Value};

use crate::bench::{Bench, fail, median};
use crate::report::Report;

const CALLS: i64 = 100_000;

/// Nanoseconds that a call of `calls[name]` takes.
const SCRIPT: &str = r#"
return { main = function(name, n)
  local f = require("calls")[name]
  local start = time.now()
  for i = 1, n do f(i, "text") end
  return time.now():sub(start):nanoseconds() // n
end }"#;

fn calls() -> Module {
    Module::new("calls")
        .immediate("at_once", |_, (number, _): (i64, String)| Ok::<_, FunctionError>(number))
        .function("ready", |_, (number, _): (i64, String)| async move { Ok::<_, FunctionError>(number) })
        .function("later", |_, (number, _): (i64, String)| async move {
            let mut waited = false;
            std::future::poll_fn(move |context| {
                if std::mem::replace(&mut waited, true) {
                    return std::task::Poll::Ready(());
                }
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .await;
            Ok::<_, FunctionError>(number)
        })
}

pub(crate) fn run(bench: &Bench, report: &mut Report) {
    if let Err(error) = bench.node.add_module(calls()) {
        fail(&error.to_string());
    }
    let entry = bench.define("bench:calls", SCRIPT);
    let chunk = lunarium_engine::Chunk::new("@calls.lua", SCRIPT);
    bench.node.define(Definition::new(entry.clone(), chunk).with_grants(Grants::new().with_module("calls")));
    let native = native();
    let names = [
        ("call of a function that answers at once", "at_once", CALLS),
        ("call of a future that is ready", "ready", CALLS),
        ("call of a future that waits once", "later", CALLS / 10),
    ];
    for (title, name, calls) in names {
        report.ratio(title, each(bench, &entry, name, calls), native);
    }
}

fn each(bench: &Bench, entry: &EntryId, name: &str, calls: i64) -> Duration {
    let mut times: Vec<Duration> = (0..7)
        .map(|_| {
            let handle = bench.spawn(entry, vec![Value::from(name), Value::Integer(calls)]);
            match bench.finish(&handle) {
                Value::Integer(nanoseconds) => Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or_default()),
                other => fail(&format!("{other:?} is no time")),
            }
        })
        .collect();
    median(&mut times)
}

/// The same call of a Rust function from native Lua, with no boundary in between.
fn native() -> Duration {
    let lua = mlua::Lua::new();
    let called = lua
        .create_function(|_, (number, _): (i64, String)| Ok(number))
        .and_then(|function| lua.globals().set("f", function))
        .and_then(|()| lua.load("local f, n = f, ... for i = 1, n do f(i, 'text') end").into_function());
    let called = called.unwrap_or_else(|error| fail(&error.to_string()));
    let mut times: Vec<Duration> = (0..7)
        .map(|_| {
            let start = Instant::now();
            if let Err(error) = called.call::<()>(CALLS) {
                fail(&error.to_string());
            }
            start.elapsed() / u32::try_from(CALLS).unwrap_or(u32::MAX)
        })
        .collect();
    median(&mut times)
}
