//! `kv` as scripts meet it: a node, the real guest, a store in a folder.

#![cfg(feature = "kv")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use lunarium::output::Captured;
use lunarium::{ErrorKind, LimitName, Node, Value};
use lunarium_modules::kv::{self, OpenError, Opened};
use tempfile::TempDir;

/// A node that was dropped has closed its store when its last instance is freed.
fn store(directory: &TempDir, quota: u64) -> kv::Store {
    loop {
        match Opened::in_directory(directory.path()) {
            Ok(opened) => return opened.start(quota, |_| {}).unwrap(),
            Err(OpenError::InUse(_)) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}

/// A node whose store is in this folder.
fn node(directory: &TempDir) -> Node {
    Node::builder().module(kv::module(store(directory, kv::QUOTA))).output(Captured::new()).start().unwrap()
}

/// What a script returns that may write everything.
fn run(node: &Node, body: &str) -> Value {
    run_with(node, kv::rules([("", true)]), body)
}

fn run_with(node: &Node, grant: Value, body: &str) -> Value {
    let source = format!("local kv = require('kv') return function() {body} end");
    let plugin = node.plugin("script.lua", &source).grant_with("kv", grant).start_blocking().unwrap();
    plugin.result_blocking().unwrap()
}

fn text(value: Value) -> String {
    match value {
        Value::String(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// What `err` says of a call: kind, text, whether it is retryable.
fn refusal(node: &Node, grant: Value, call: &str) -> String {
    let body =
        format!("local value, err = {call} return ('%s: %s (%s)'):format(err:kind(), err:message(), err:retryable())");
    text(run_with(node, grant, &body))
}

fn refused(node: &Node, call: &str) -> String {
    refusal(node, kv::rules([("", true)]), call)
}

#[test]
fn values_are_as_messages_and_outlive_the_node() {
    let directory = tempfile::tempdir().unwrap();
    let first = node(&directory);
    let version = run(
        &first,
        "local twice = { 1, 2 }
        local value = { twice, twice, at = time.unix(5, 0), wait = time.parse_duration('2s'), null = json.null, bytes = '\\255\\0', [2.5] = true,
            err = errors.new { message = 'm', kind = errors.CONFLICT, details = { twice, twice } } }
        value.self = value
        return (assert(kv.set('a', value)))",
    );
    assert_eq!(version, Value::Integer(1));
    drop(first);
    let second = node(&directory);
    let found = run(
        &second,
        "local function check(value)
            return value[1] == value[2] and value[1][2] == 2 and value.self == value and value[2.5] and value.bytes == '\\255\\0'
                and value.null == json.null and value.wait == time.parse_duration('2s') and value.at:unix() == 5
                and value.err:kind() == errors.CONFLICT and value.err:details()[1] == value.err:details()[2]
        end
        local value, _, version = kv.get('a')
        local page = kv.list('a')
        -- In a page values stand elsewhere, and behind each other.
        kv.set('b', value)
        local both = kv.list('')
        return table.concat({ tostring(check(value)), version, tostring(check(page[1].value)), tostring(check(both[1].value)),
            tostring(check(both[2].value)), tostring(both[1].value ~= both[2].value) }, ' ')",
    );
    assert_eq!(text(found), "true 1 true true true true");
}

#[test]
fn versions_make_compare_and_set() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    let result = run(
        &node,
        "local one = kv.set('a', 'x', { if_version = 0 })
        local two = kv.set('a', 'y', { if_version = one })
        local three, err = kv.set('a', 'z', { if_version = one })
        local gone, none = kv.delete('b', { if_version = 7 })
        return table.concat({ one, two, tostring(three), tostring(err:kind() == errors.CONFLICT), err:message(), err:details().version,
            none:details().version, (kv.get('a')), tostring(kv.delete('a', { if_version = two })), tostring(kv.delete('a')) }, ' ')",
    );
    assert_eq!(text(result), "1 2 nil true the key has version 2 2 0 y true false");
}

#[test]
fn numbers_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    let result = run(
        &node,
        "local first, _, version = kv.increment('n')
        kv.set('m', 300)
        return table.concat({ first, version, (kv.increment('n', 41)), (kv.increment('n', -50)), (kv.increment('m')), (kv.get('n')), math.type((kv.get('n'))) }, ' ')",
    );
    assert_eq!(text(result), "1 1 42 -8 301 -8 integer");
    assert_eq!(
        refused(&node, "kv.increment('s', 1, nil, kv.set('s', '5'))"),
        "Invalid: the value is no integer (false)"
    );
    assert_eq!(
        refused(&node, "kv.increment('f', 1, nil, kv.set('f', 5.0))"),
        "Invalid: the value is no integer (false)"
    );
    let overflow = "Invalid: integer overflow: 9223372036854775807 and 1 is more than an integer can be (false)";
    assert_eq!(refused(&node, "kv.increment('n', 1, nil, kv.set('n', math.maxinteger))"), overflow);
}

#[test]
fn a_list_comes_in_pages_of_keys_and_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    let result = run(
        &node,
        "for i = 1, 25 do kv.set(('k/%02d'):format(i), i) end
        kv.set('l', 'no')
        local keys, pages, after = {}, 0, nil
        repeat
            local page, _, next = kv.list('k/', { limit = 10, after = after })
            for _, item in ipairs(page) do keys[#keys + 1] = item.key .. '=' .. item.value end
            pages, after = pages + 1, next
        until not after
        local names = kv.list('k/', { values = false, limit = 1 })
        for i = 1, 20 do kv.set('large/' .. i, ('x'):rep(100000)) end
        local large, _, next = kv.list('large/')
        return table.concat({ #keys, keys[1], keys[25], pages, tostring(names[1].value), names[1].version, #large, next }, ' ')",
    );
    assert_eq!(text(result), "25 k/01=1 k/25=25 3 nil 1 2 large/10");
}

#[test]
fn what_expires_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    let result = run(
        &node,
        "kv.set('short', 1, { ttl = '1ms' })
        kv.set('long', 1, { ttl = time.parse_duration('1h') })
        kv.increment('count', 1, { ttl = 3600000 })
        time.sleep('5ms')
        local gone, err = kv.get('short')
        return table.concat({ tostring(gone), tostring(err:kind() == errors.NOT_FOUND), err:message(), (kv.get('long')), (kv.get('count')),
            #kv.list('') }, ' ')",
    );
    assert_eq!(text(result), "nil true no key `short` 1 1 2");
}

#[test]
fn a_grant_is_prefixes() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    run(&node, "kv.set('orders/1', 'a') kv.set('users/1', 'b') kv.set('order', 'c')");
    let grant = || kv::rules([("orders/", true), ("users/", false)]);
    let denied = |call: &str| refusal(&node, grant(), call);
    let readable = run_with(
        &node,
        grant(),
        "return kv.get('orders/1') .. kv.get('users/1') .. #kv.list('users/') .. #kv.list('orders/1')",
    );
    assert_eq!(text(readable), "ab11");
    assert_eq!(
        run_with(&node, grant(), "return kv.set('orders/2', 1) > 0 and kv.delete('orders/2')"),
        Value::Boolean(true)
    );
    let none = "PermissionDenied: key `order` begins with no granted prefix (false)";
    assert_eq!(denied("kv.get('order')"), none);
    assert_eq!(denied("kv.set('order', 1)"), none);
    let read_only =
        "PermissionDenied: key `users/1` may only be read: its prefix is granted without `write: true` (false)";
    for call in ["kv.set('users/1', 1)", "kv.delete('users/1')", "kv.increment('users/1')"] {
        assert_eq!(denied(call), read_only);
    }
    assert_eq!(denied("kv.list('')"), "PermissionDenied: prefix `` isn't granted (false)");
    assert_eq!(denied("kv.list('order')"), "PermissionDenied: prefix `order` isn't granted (false)");
    // A page can't begin elsewhere than in the prefix.
    let after =
        run_with(&node, grant(), "return #kv.list('orders/', { after = '' }) + #kv.list('orders/', { after = 'z' })");
    assert_eq!(after, Value::Integer(1));
}

#[test]
fn grants_that_cannot_be_are_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    let fault = |grant: Value| {
        let plugin = node.plugin("script.lua", "return function() end").grant_with("kv", grant).start_blocking();
        plugin.err().unwrap().to_string()
    };
    let rule = |pairs: &[(&str, Value)]| {
        let pairs = pairs.iter().map(|(key, value)| (Value::from(*key), value.clone())).collect();
        Value::Array(vec![Value::Map(pairs)])
    };
    assert_eq!(fault("".into()), "settings of module `kv`: a list of rules is expected, not text");
    assert_eq!(
        fault(rule(&[("write", Value::Boolean(true))])),
        "settings of module `kv`: [1]: a kv grant lacks `prefix`"
    );
    let text = "settings of module `kv`: [1].write: `write` must be `true` or `false`, not text";
    assert_eq!(fault(rule(&[("prefix", "a".into()), ("write", "yes".into())])), text);
    let text = "settings of module `kv`: [1]: unknown key `prefx` in a kv grant; did you mean `prefix`?";
    assert_eq!(fault(rule(&[("prefx", "a".into())])), text);
    let long = Value::from("a".repeat(513).as_str());
    let text = "settings of module `kv`: [1].prefix: `prefix` is longer than a key can be, 512 bytes";
    assert_eq!(fault(rule(&[("prefix", long)])), text);
    let plugin = node.plugin("script.lua", "return function() require('kv') end").start_blocking();
    let text = plugin.err().unwrap().to_string();
    assert!(text.ends_with("module 'kv' not found: it needs a grant with settings, `kv: …`"), "{text}");
}

#[test]
fn what_cannot_be_a_key_a_value_or_an_option_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    for call in ["kv.get('')", "kv.set('', 1)", "kv.delete('')", "kv.increment('')"] {
        assert_eq!(refused(&node, call), "Invalid: key is empty (false)");
    }
    assert_eq!(run(&node, "return kv.set(('k'):rep(512), 1) > 0"), Value::Boolean(true));
    assert_eq!(refused(&node, "kv.set(('k'):rep(513), 1)"), "Invalid: key is longer than 512 bytes (false)");
    assert_eq!(refused(&node, "kv.list(('k'):rep(513))"), "Invalid: prefix is longer than 512 bytes (false)");
    assert_eq!(refused(&node, "kv.set('a', nil)"), "Invalid: value is nil; kv.delete takes a key away (false)");
    for limit in ["0", "1001"] {
        assert_eq!(
            refused(&node, &format!("kv.list('', {{ limit = {limit} }})")),
            "Invalid: limit must be from 1 to 1000 (false)"
        );
    }
    let raised = |call: &str| {
        text(run(&node, &format!("return (select(2, pcall(function() return {call} end)):gsub('^.-:%d+: ', ''))")))
    };
    assert_eq!(raised("kv.get()"), "bad argument #1 to 'get' (string expected, got no value)");
    assert_eq!(raised("kv.get('\\255')"), "bad argument #1 to 'get' (string is not valid UTF-8)");
    assert_eq!(raised("kv.set('a')"), "bad argument #2 to 'set' (value expected, got no value)");
    assert_eq!(
        raised("kv.increment('a', 1.5)"),
        "bad argument #2 to 'increment' (number has no integer representation)"
    );
    for (ttl, fault) in [
        ("'soon'", "`soon` is not a duration"),
        ("0", "a time of 0: kv.delete takes a key away"),
        ("'0s'", "a time of 0: kv.delete takes a key away"),
        ("-5", "duration `-5` is negative"),
        ("time.parse_duration('-1s')", "duration `-1000000000ns` is negative"),
        ("1.5", "`number` is not a duration"),
        ("{}", "`table` is not a duration"),
    ] {
        let text = raised(&format!("kv.set('a', 1, {{ ttl = {ttl} }})"));
        assert_eq!(text, format!("bad argument #3 to 'set' (ttl: {fault})"), "{ttl}");
    }
    let text = raised("kv.set('a', 1, { tll = 5 })");
    assert_eq!(text, "bad argument #3 to 'set' (unknown field `tll`, expected `ttl` or `if_version`)");
}

#[test]
fn the_quota_is_told_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory, 1000);
    let node = Node::builder().module(kv::module(store)).output(Captured::new()).start().unwrap();
    let call = "kv.set('a', ('x'):rep(1000))";
    assert_eq!(refused(&node, call), "ResourceExhausted: the store is full: 68 bytes more than its 1000 (false)");
    assert_eq!(text(run(&node, &format!("return select(2, {call}):details().limit"))), "kv.bytes");
    // The message limit of a script is that of its values, too.
    let source = "return function() return require('kv').set('a', ('x'):rep(5000)) end";
    let plugin = node.plugin("p", source).limit(LimitName::Message, 4096).grant_with("kv", kv::rules([("", true)]));
    assert_eq!(plugin.start_blocking().err().unwrap().kind(), ErrorKind::Invalid);
}

#[test]
fn two_nodes_need_two_directories() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    assert!(Opened::in_directory(directory.path()).is_err());
    let other = tempfile::tempdir().unwrap();
    let second = self::node(&other);
    run(&node, "kv.set('a', 'first')");
    assert_eq!(refused(&second, "kv.get('a')"), "NotFound: no key `a` (false)");
}

#[test]
fn a_module_without_a_store_says_so() {
    let node = Node::builder().module(kv::module(kv::Slot::default())).output(Captured::new()).start().unwrap();
    assert_eq!(refused(&node, "kv.get('a')"), "Unavailable: the node has no store (false)");
    assert_eq!(refused(&node, "kv.set('a', 1)"), "Unavailable: the node has no store (false)");
}

/// What a list says of each entry, page by page.
const WALK: &str = "local seen, pages, after = {}, 0, nil
    repeat
        local page, err, next = kv.list('', { after = after })
        if not page then return 'nil ' .. err:kind() .. ' ' .. err:message() end
        for _, entry in ipairs(page) do seen[#seen + 1] = entry.key .. ' ' .. type(entry.value) end
        after, pages = next, pages + 1
    until not after
    return table.concat(seen, ', ')";

#[test]
fn an_entry_that_fits_no_page_keeps_nobody_from_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    run(
        &node,
        "local deep = {}
        for _ = 2, 99 do deep = { deep } end
        assert(kv.set('a deep', deep))
        assert(kv.set('b long', ('x'):rep((1 << 20) - 20)))
        assert(kv.set('c long', ('x'):rep((1 << 20) - 1000)))
        assert(kv.set('d small', 1))",
    );
    assert_eq!(text(run(&node, WALK)), "a deep table, b long nil, c long string, d small number");
    assert_eq!(run(&node, "return #kv.get('b long')"), Value::Integer((1 << 20) - 20));
    // Who may receive less.
    let source = format!("local kv = require('kv') return function() {WALK} end");
    let plugin = node.plugin("p", &source).limit(LimitName::Message, 4096).grant_with("kv", kv::rules([("", true)]));
    let walked: String = plugin.start_blocking().unwrap().result_blocking().unwrap();
    assert_eq!(walked, "a deep table, b long nil, c long nil, d small number");
}

#[test]
fn numbers_at_their_ends_are_told_or_kept() {
    let directory = tempfile::tempdir().unwrap();
    let node = node(&directory);
    let result = run(
        &node,
        "local said = {}
        local function say(...)
            local ok, value, err = pcall(...)
            said[#said + 1] = tostring(value):match('%((.*)%)$') or tostring(err or value)
        end
        say(kv.set, 'a', 1, { ttl = math.maxinteger })
        say(kv.get, 'a')
        for _, ttl in ipairs { math.mininteger, 1/0, '999999999999h' } do say(kv.set, 'a', 1, { ttl = ttl }) end
        for _, version in ipairs { -1, 0.5, 2^63, math.maxinteger } do say(kv.set, 'a', 1, { if_version = version }) end
        say(kv.increment, 'b', math.mininteger)
        say(kv.increment, 'b', -1)
        say(kv.increment, 'b', 1e300)
        say(kv.set, 'a\\0b', 7)
        say(kv.get, 'a\\0b')
        return table.concat(said, '\\n')",
    );
    let said = [
        "1",
        "1",
        "ttl: duration `-9223372036854775808` is negative",
        "ttl: `number` is not a duration",
        "ttl: duration `999999999999h` is too long",
        "if_version: -1 is out of the range of u64",
        "if_version: number has no integer representation",
        "if_version: number has no integer representation",
        "the key has version 1",
        "-9223372036854775808",
        "integer overflow: -9223372036854775808 and -1 is more than an integer can be",
        "number has no integer representation",
        "3",
        "7",
    ];
    assert_eq!(text(result).lines().collect::<Vec<_>>(), said);
}
