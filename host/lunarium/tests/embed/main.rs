//! The crate as a new user meets it: ten lines, then each of its parts, with tokio and without.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod events;
mod handle;
mod mailbox;
mod observe;

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lunarium::output::{self, Captured};
use lunarium::{Dir, Directory, Error, ErrorKind, FunctionError, Level, LimitName, Module, Node, Outcome, Value};
use serde_derive::{Deserialize, Serialize};

fn billing() -> Module {
    Module::new("billing").function("charge", |_caller, (who, cents): (String, i64)| async move {
        match cents {
            0.. => Ok(format!("{who} paid {cents}")),
            _ => Err(FunctionError::new(ErrorKind::Invalid, "less than nothing")),
        }
    })
}

const GREET: &str = "return function(who) return require('billing').charge(who, 250) end";

#[tokio::test]
async fn ten_lines_with_tokio() -> Result<(), Error> {
    let node = Node::builder().module(billing()).output(Captured::new()).start()?;
    let plugin = node.plugin("greet.lua", GREET).memory(4 << 20).grant("billing").arguments(("Ada",)).start().await?;
    let text: String = plugin.result().await?;
    assert_eq!(text, "Ada paid 250");
    node.shutdown(Duration::ZERO).await;
    Ok(())
}

#[test]
fn ten_lines_without() -> Result<(), Error> {
    let node = Node::builder().module(billing()).output(Captured::new()).start()?;
    let plugin = node.plugin("greet.lua", GREET).memory(4 << 20).grant("billing").arguments("Ada").start_blocking()?;
    assert_eq!(plugin.result_blocking::<String>()?, "Ada paid 250");
    Ok(())
}

#[tokio::test]
async fn functions_of_a_plugin_are_called() -> Result<(), Error> {
    let node = Node::builder().module(billing()).output(Captured::new()).start()?;
    let source = "
        local billing, n = require('billing'), 0
        return {
            greet = function(who) return billing.charge(who, 250) end,
            count = function() n = n + 1 return n end,
            pair = function(a, b) return b, a end,
            nothing = function() end,
            twice = function() local t = { 7 } return { t, t } end,
            slow = function() time.sleep('1h') end,
            fail = function() error(errors.new { message = 'later', kind = errors.UNAVAILABLE, retryable = true }) end,
        }";
    let plugin = node.plugin("greet.lua", source).memory(4 << 20).grant("billing").start().await?;
    assert_eq!(plugin.call::<String>("greet", ("Ada",)).await?, "Ada paid 250");
    let slow = tokio::time::timeout(Duration::from_millis(1), plugin.call::<()>("slow", ())).await;
    assert!(slow.is_err());
    for expected in 1..4 {
        assert_eq!(plugin.call::<u32>("count", ()).await?, expected);
    }
    assert_eq!(plugin.call::<(String, Option<i64>)>("pair", (7, "x")).await?, ("x".to_owned(), Some(7)));
    plugin.call::<()>("nothing", ()).await?;
    assert_eq!(plugin.call::<Vec<Vec<i64>>>("twice", ()).await?, [[7], [7]]);
    let failed = plugin.call::<()>("fail", ()).await.unwrap_err();
    assert!(failed.kind() == ErrorKind::Unavailable && failed.is_retryable() && failed.to_string() == "later");
    assert!(failed.failure().and_then(|failure| failure.stack.as_ref()).is_some());
    let unfit = kind(plugin.call::<i64>("greet", "Ada").await);
    assert_eq!(unfit, (ErrorKind::Invalid, "integer expected, got string".to_owned()));
    let calls = (plugin.call::<()>("slow", ()), async { plugin.terminate() });
    let (cut_off, _) = futures_lite::future::zip(calls.0, calls.1).await;
    assert_eq!(kind(cut_off).0, ErrorKind::Canceled);
    assert_eq!(kind(plugin.call::<()>("count", ()).await).0, ErrorKind::NotFound);
    Ok(())
}

fn node() -> (Node, Captured) {
    let captured = Captured::new();
    (Node::builder().module(billing()).output(captured.clone()).start().unwrap(), captured)
}

fn kind<T>(result: Result<T, Error>) -> (ErrorKind, String) {
    match result {
        Ok(_) => panic!("no error"),
        Err(error) => (error.kind(), error.to_string()),
    }
}

#[test]
fn what_a_plugin_was_not_granted_it_has_not() {
    let (node, _) = node();
    let (found, text) = kind(node.plugin("greet.lua", GREET).arguments("Ada").start_blocking());
    assert_eq!(found, ErrorKind::Internal);
    assert!(text.starts_with("greet.lua:1: module 'billing' not found: it needs a grant"), "{text}");
    let unknown = kind(node.plugin("greet.lua", GREET).grant("biling").start_blocking());
    assert_eq!(unknown, (ErrorKind::NotFound, "the node has no module `biling`; did you mean `billing`?".to_owned()));
}

#[test]
fn an_error_has_a_kind_and_a_process_its_failure() {
    let (node, _) = node();
    let syntax = kind(node.plugin("a.lua", "return function( end").start_blocking());
    assert_eq!(syntax, (ErrorKind::Invalid, "a.lua:1: <name> or '...' expected near 'end'".to_owned()));
    let error = node.plugin("b.lua", "return function() error('boom') end").start_blocking().unwrap_err();
    let failure = error.failure().unwrap();
    assert_eq!((error.kind(), &*failure.message), (ErrorKind::Internal, "b.lua:1: boom"));
    assert!(failure.stack.as_ref().unwrap().contains("b.lua:1:"), "{failure:?}");
    let taken =
        kind(node.plugin("c.lua", "return function() return 'x' end").spawn().unwrap().result_blocking::<i64>());
    assert_eq!(taken, (ErrorKind::Invalid, "integer expected, got string".to_owned()));
    let deep = kind(Node::builder().module(Module::new("string")).output(Captured::new()).start());
    assert_eq!(deep.0, ErrorKind::AlreadyExists);
}

#[test]
fn limits_hold() {
    let (node, _) = node();
    let hog = "return function() local t = {} while true do t[#t + 1] = ('x'):rep(1000) end end";
    let loops = "return function() while true do end end";
    let fine = "return function() return 'fine' end";
    let limit = |result: Result<(), Error>| {
        let error = result.unwrap_err();
        let details = error.failure().unwrap().details.clone().unwrap();
        lunarium::from_payload::<Details>(&details).unwrap().limit
    };
    let hog = node.plugin("hog.lua", hog).memory(2 << 20).spawn().unwrap();
    let loops = node.plugin("loop.lua", loops).cpu(Duration::from_millis(50)).spawn().unwrap();
    let fine = node.plugin("fine.lua", fine).limit(LimitName::Message, 1000).spawn().unwrap();
    assert_eq!(fine.result_blocking::<String>().unwrap(), "fine");
    assert_eq!(limit(hog.result_blocking()), "memory");
    assert_eq!(limit(loops.result_blocking()), "cpu");
}

#[test]
fn a_plugin_does_not_shed_its_limits_by_starting_itself() {
    let (node, _) = node();
    let source = "return function(is_child)
        if not is_child then process.spawn('plugins:self.lua', 'plugins', true) end
        process.inbox():receive()
    end";
    let builder = node.plugin("self.lua", source).memory(2 << 20).cpu(Duration::from_secs(1));
    let plugin = builder.limit(LimitName::Links, 20_000).start_blocking().unwrap();
    let limits = |pid| node.process(pid).map(|seen| (seen.limits.memory, seen.limits.cpu, seen.limits.links)).unwrap();
    let own = limits(plugin.pid());
    let child = node.pids().into_iter().find(|pid| pid != plugin.pid()).unwrap();
    assert_eq!(
        (own, limits(&child)),
        ((2 << 20, Duration::from_secs(1), 20_000), (2 << 20, Duration::from_secs(1), 10_000))
    );
}

#[derive(Deserialize)]
struct Details {
    limit: String,
}

#[derive(Serialize, Deserialize, Debug, PartialEq)]
struct Order {
    items: Vec<String>,
    total: f64,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Item {
    who: String,
    cents: i64,
}

#[test]
fn values_travel_both_ways() {
    let (node, _) = node();
    let source = r#"
        return { main = function(order, times)
            local ch = process.listen("more")
            for _ = 1, times do
                local item = ch:receive()
                order.items[#order.items + 1] = item.name
                order.total = order.total + item.price
            end
            return order
        end }"#;
    let order = Order { items: vec!["tea".to_owned()], total: 3.5 };
    let plugin = node.plugin("order.lua", source).arguments((order, 2)).start_blocking().unwrap();
    #[derive(Serialize)]
    struct Item {
        name: &'static str,
        price: f64,
    }
    plugin.send("more", &Item { name: "milk", price: 1.0 }).unwrap();
    node.send_value(plugin.pid().as_str(), "more", &Item { name: "sugar", price: 0.5 }).unwrap();
    let order: Order = plugin.result_blocking().unwrap();
    let items = ["tea", "milk", "sugar"].map(str::to_owned).to_vec();
    assert_eq!(order, Order { items, total: 5.0 });
    assert_eq!(kind(plugin.send("more", &1)).0, ErrorKind::NotFound);
    let any: Value = node
        .plugin("v.lua", "return function(a) return { a } end")
        .arguments(1)
        .spawn()
        .unwrap()
        .result_blocking()
        .unwrap();
    assert_eq!(any, Value::Array(vec![Value::Integer(1)]));
}

#[test]
fn several_results_are_a_tuple_and_one_where_only_nils_follow() {
    let (node, _) = node();
    let source = "return {
        text = function() return json.encode({}) end,
        two = function() return 1, 2 end,
        failed = function() return nil, errors.new('no') end,
    }";
    let plugin = node.plugin("p", source).start_blocking().unwrap();
    assert_eq!(plugin.call_blocking::<String>("text", ()).unwrap(), "{}");
    assert_eq!(plugin.call_blocking::<(i64, i64)>("two", ()).unwrap(), (1, 2));
    let text = |result| kind::<String>(result).1;
    assert_eq!(text(plugin.call_blocking("two", ())), "string expected, got 2 values");
    assert_eq!(text(plugin.call_blocking("failed", ())), "string expected, got 2 values");
}

#[test]
fn a_plugin_does_not_keep_its_node() {
    let (node, _) = node();
    let waits = "return function() process.inbox():receive() end";
    let plugin = node.plugin("w.lua", waits).start_blocking().unwrap();
    drop(node);
    assert!(matches!(futures_lite::future::block_on(plugin.wait()), Outcome::Failed(_)));
    assert_eq!(kind(plugin.terminate()).0, ErrorKind::NotFound);
}

#[test]
fn a_function_knows_the_node_it_was_called_on() {
    let module = Module::new("who").immediate("count", |caller: lunarium::Caller, (): ()| {
        Ok::<_, FunctionError>(Node::of(&caller).map(|node| node.process_count()))
    });
    let node = Node::builder().module(module).output(Captured::new()).start().unwrap();
    let source = "return function() return require('who').count() end";
    let plugin = node.plugin("who.lua", source).grant("who").spawn().unwrap();
    assert_eq!(plugin.result_blocking::<usize>().unwrap(), 1);
}

#[test]
fn directories_and_variables_are_granted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "from the disk").unwrap();
    let dir = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
    let (node, _) = node();
    let source = "return function() return fs.read('data/a.txt') .. ' ' .. env.get('NAME') end";
    let plugin = node.plugin("f.lua", source).grant_directory(Directory::new("data", dir, false).unwrap());
    let plugin = plugin.grant_variable("NAME", "and from here").spawn().unwrap();
    assert_eq!(plugin.result_blocking::<String>().unwrap(), "from the disk and from here");
}

const PRINTS: &str = "return function(n) for i = 1, n do print('line', i) end logger:warn('careful', { n = n }) end";

#[test]
fn output_is_captured_or_given_to_a_closure() {
    let (node, captured) = node();
    node.plugin("p.lua", PRINTS).arguments(2).spawn().unwrap().result_blocking::<()>().unwrap();
    let shown: Vec<String> = captured.take().iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["line\t1", "line\t2", "WARN plugins:p.lua#00001: careful n=2"]);
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&seen);
    let node = Node::builder().output(output::to(move |line| noted.lock().unwrap().push(line.text))).start().unwrap();
    node.plugin("p.lua", PRINTS).arguments(1).spawn().unwrap().result_blocking::<()>().unwrap();
    assert_eq!(*seen.lock().unwrap(), ["line\t1", "careful"]);
}

#[test]
fn a_full_channel_holds_up_who_prints_and_loses_nothing_printed() {
    let (channel, mut lines) = output::channel(1_000);
    let node = Node::builder().output(channel).start().unwrap();
    let plugin = node.plugin("p.lua", PRINTS).arguments(500).spawn().unwrap();
    let mut seen = 0;
    while let Some(line) = lines.next_blocking() {
        if line.level.is_some() {
            break;
        }
        seen += 1;
        assert_eq!(line.text, format!("line\t{seen}"));
        if seen == 500 {
            break;
        }
    }
    plugin.result_blocking::<()>().unwrap();
    assert_eq!(seen, 500);
    drop(node);
    while lines.next_blocking().is_some() {}
}

#[test]
fn fields_of_the_log_are_text_for_people_and_values_for_programs() {
    let (node, captured) = node();
    let source = "return function() logger:warn('low', { left = 3, share = 0.5, items = { 'tea', { n = 1 } }, on = true, who = 'ada' }) return 1 end";
    let plugin = node.plugin("p.lua", source).spawn().unwrap();
    plugin.result_blocking::<i64>().unwrap();
    let lines = captured.take();
    let line = lines.iter().find(|line| line.level == Some(Level::Warn)).unwrap();
    assert_eq!(
        line.to_string().split_once(": ").unwrap().1,
        "low items=[\"tea\",{\"n\":1}] left=3 on=true share=0.5 who=ada"
    );
    let values: Vec<(&str, Value)> = line.fields.iter().map(|field| (field.name(), field.value())).collect();
    let item = Value::Map(vec![(Value::from("n"), Value::Integer(1))]);
    let expected = [
        ("items", Value::Array(vec![Value::from("tea"), item])),
        ("left", Value::Integer(3)),
        ("on", Value::Boolean(true)),
        ("share", Value::Float(0.5)),
        ("who", Value::from("ada")),
    ];
    assert_eq!(values, expected);
}

#[test]
fn who_takes_no_lines_holds_up_nobody() {
    let (channel, lines) = output::channel(1_000);
    let node = Node::builder().output(channel).start().unwrap();
    let plugin = node.plugin("p.lua", PRINTS).arguments(500).start_blocking().unwrap();
    assert!(plugin.outcome().is_none(), "it waits for room");
    drop(lines);
    plugin.result_blocking::<()>().unwrap();
}

/// A module whose grants say which accounts may be charged.
fn accounts() -> Module {
    Module::new("accounts").settings_as::<Vec<Account>>().immediate("open", |caller, (): ()| {
        let mut names: Vec<String> =
            caller.grants::<Vec<Account>>().flatten().map(|account| account.name.clone()).collect();
        names.sort();
        Ok::<_, FunctionError>(names)
    })
}

#[derive(Deserialize)]
struct Account {
    name: String,
}

#[test]
fn a_grant_with_settings_is_what_the_functions_find() {
    let other = Module::new("other")
        .settings_as::<Vec<Account>>()
        .immediate("open", |caller, (): ()| Ok::<_, FunctionError>(caller.grants::<Vec<Account>>().count()));
    let node = Node::builder().module(accounts()).module(other).output(Captured::new()).start().unwrap();
    let account = |name| vec![std::collections::BTreeMap::from([("name", name)])];
    let source = "return function() return require('accounts').open() end";
    let plugin = node.plugin("p", source).grant_with("accounts", account("ada")).grant_with("accounts", account("bob"));
    let plugin = plugin.grant_with("other", account("eve")).start_blocking().unwrap();
    assert_eq!(plugin.result_blocking::<Vec<String>>().unwrap(), ["ada", "bob"]);
    // One of that name that reads something else sees nothing of it.
    let source = "return { main = function() channel.new():receive() end, open = function() return require('accounts').open() end }";
    let plugin = node.plugin("q", source).grant_with("accounts", account("ada")).start_blocking().unwrap();
    assert_eq!(plugin.call_blocking::<Vec<String>>("open", ()).unwrap(), ["ada"]);
    let count = |caller: lunarium::Caller, (): ()| Ok::<_, FunctionError>(caller.grants::<String>().count());
    node.replace_module(Module::new("accounts").settings_as::<String>().immediate("open", count)).unwrap();
    assert_eq!(plugin.call_blocking::<u32>("open", ()).unwrap(), 0);
}

#[test]
fn settings_are_read_when_a_plugin_starts() {
    let node = Node::builder().module(accounts()).module(billing()).output(Captured::new()).start().unwrap();
    let plugin = || node.plugin("p", "return function() return require('accounts').open() end");
    let text = |error: (ErrorKind, String)| {
        assert_eq!(error.0, ErrorKind::Invalid);
        error.1
    };
    let fault = text(kind(plugin().grant_with("accounts", [1]).start_blocking()));
    assert_eq!(fault, "settings of module `accounts`: [1]: table expected, got number");
    let fault = text(kind(plugin().grant("accounts").start_blocking()));
    assert_eq!(fault, "module `accounts` is granted with settings: `.grant_with(\"accounts\", …)`");
    let fault = text(kind(plugin().grant_with("billing", 1).start_blocking()));
    assert_eq!(fault, "module `billing` takes no settings: `.grant(\"billing\")`");
    let (kind_of, fault) = kind(plugin().grant_with("acounts", [1]).start_blocking());
    assert_eq!((kind_of, &*fault), (ErrorKind::NotFound, "the node has no module `acounts`; did you mean `accounts`?"));
    let (_, fault) = kind(plugin().start_blocking());
    assert_eq!(fault, "p:1: module 'accounts' not found: it needs a grant with settings, `accounts: …`");
}

#[test]
fn the_readme_shows_what_the_crates_documentation_runs() {
    let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (readme, source) = (read("../../README.md"), read("src/lib.rs"));
    let shown = readme.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
    let run: Vec<&str> = source.lines().map(|line| line.trim_start_matches("//!").trim()).collect();
    for line in shown.lines() {
        assert!(run.contains(&line.trim()), "not run: {line}");
    }
}

#[test]
fn times_are_times() -> Result<(), Error> {
    let (node, _) = node();
    let source = "
        return {
            next = function(from, every) return from:add(every) end,
            between = function(a, b) return b:sub(a), { a, b } end,
        }";
    let plugin = node.plugin("times.lua", source).start_blocking()?;
    let (start, hour) = (UNIX_EPOCH + Duration::new(1_700_000_000, 5), Duration::from_secs(3_600));
    let next: SystemTime = plugin.call_blocking("next", (start, hour))?;
    assert_eq!(next, start + hour);
    let (between, both): (Duration, (SystemTime, SystemTime)) = plugin.call_blocking("between", (start, next))?;
    assert_eq!((between, both), (hour, (start, next)));
    let value: Value = plugin.call_blocking("next", (Value::try_from(start)?, Value::try_from(hour)?))?;
    assert_eq!((value.as_time(), value.as_duration()), (Some(next), None));
    let late = UNIX_EPOCH + Duration::from_secs(1 << 40);
    let error = plugin.call_blocking::<()>("next", (late, hour)).unwrap_err();
    assert_eq!(error.to_string(), "is a time that isn't from 0000-01-02 to 9999-12-30");
    Ok(())
}

#[test]
fn chance_follows_from_the_seed_of_a_node() -> Result<(), Error> {
    let source = "return function()
        return { math.random(1 << 60), (uuid.v4()), (hash.sha256(random.bytes(64))) }
    end";
    let draw = |seed: Option<u64>| -> Result<Vec<(i64, String, String)>, Error> {
        let builder = Node::builder().output(Captured::new());
        let node = seed.map_or(Node::builder().output(Captured::new()), |seed| builder.seed(seed)).start()?;
        (0..3).map(|_| node.plugin("dice.lua", source).start_blocking()?.result_blocking()).collect()
    };
    let first = draw(Some(7))?;
    assert_eq!(draw(Some(7))?, first);
    let mut all = [first, draw(Some(8))?, draw(None)?, draw(None)?].concat();
    let count = all.len();
    all.sort();
    all.dedup_by(|a, b| a.0 == b.0 || a.1 == b.1 || a.2 == b.2);
    assert_eq!(all.len(), count);
    Ok(())
}
