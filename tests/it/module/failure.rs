//! How functions fail: errors, panics, results that can't travel.

use expect_test::expect;
use lunarium_engine::{Caller, ErrorKind, Failure, FunctionError, Limits, Module, Raw, Value};
use serde_derive::{Deserialize, Serialize};

use super::{Given, check, lab, lab_within};
use crate::check::check_main_in;

#[derive(Serialize)]
struct Details {
    missing: i64,
    limit: &'static str,
}

fn broke() -> FunctionError {
    let details = Details { missing: 5, limit: "balance" };
    FunctionError::new(ErrorKind::RateLimited, "no money left").retryable().with_details(&details)
}

#[test]
fn an_error_keeps_kind_text_and_details() {
    let module = Module::new("bank")
        .immediate("pay", |_, (): ()| -> Given<()> { Err(broke()) })
        .function("pay_later", |_, (): ()| async { Err::<(), _>(broke()) })
        .function("pay_much_later", |_, (): ()| async {
            tokio::task::yield_now().await;
            Err::<(), _>(broke())
        })
        .blocking("pay_slowly", |_, (): ()| -> Given<()> { Err(broke()) })
        .immediate("standard", |_, (text,): (String,)| text.parse::<i64>())
        .immediate("failure", |_, (): ()| Err::<(), _>(Failure::new(ErrorKind::Conflict, "as it is")));
    check(
        module,
        r#"
        local bank = require("bank")
        for _, name in ipairs { "pay", "pay_later", "pay_much_later", "pay_slowly" } do
            local value, err = bank[name]()
            print(value, err, err:kind(), err:retryable(), err:details().missing, err:details().limit)
        end
        print(bank.standard("12"))
        print(kind(bank.standard("x")), select(2, bank.standard("x")):message())
        print(kind(bank.failure()))
        "#,
        expect![[r#"
            nil	no money left	RateLimited	true	5	balance
            nil	no money left	RateLimited	true	5	balance
            nil	no money left	RateLimited	true	5	balance
            nil	no money left	RateLimited	true	5	balance
            12
            nil	invalid digit found in string
            nil	Conflict
            => nil
        "#]],
    );
}

/// Panics when it is dropped.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_panic_is_that_calls_error_and_a_line_of_the_log() {
    let module = Module::new("bad")
        .immediate("now", |_, (): ()| -> Given<()> { panic!("the secret is {}", 42) })
        .function("begin", |_: Caller, (): ()| {
            let fails = true;
            assert!(!fails, "at its begin");
            async { Ok::<_, FunctionError>(()) }
        })
        .function("late", |_, (): ()| async {
            tokio::task::yield_now().await;
            panic!("later");
            #[expect(unreachable_code, reason = "says the type")]
            Ok::<(), FunctionError>(())
        })
        .function("fragile", |_, (): ()| async {
            let fragile = Fragile;
            tokio::task::yield_now().await;
            drop(fragile);
            Ok::<_, FunctionError>(())
        })
        .blocking("elsewhere", |_, (): ()| -> Given<()> { panic!("on a thread") })
        .immediate("well", |_, (): ()| -> Given<i64> { Ok(1) });
    let lab = lab([module]);
    check_main_in(
        &lab,
        r#"
        local bad = require("bad")
        for _, name in ipairs { "now", "begin", "late", "fragile", "elsewhere" } do
            local value, err = bad[name]()
            print(value, err:kind(), err)
        end
        print(bad.well())
        "#,
        expect![[r#"
            nil	Internal	function `bad.now` panicked
            nil	Internal	function `bad.begin` panicked
            nil	Internal	function `bad.late` panicked
            nil	Internal	function `bad.fragile` panicked
            nil	Internal	function `bad.elsewhere` panicked
            1
            => nil
        "#]],
    );
    let mut logged = lab.logged();
    logged.dedup();
    expect![[r#"
        [
            "Error app:main#00001 function `bad.now` panicked: the secret is 42 []",
            "Error app:main#00001 function `bad.begin` panicked: at its begin []",
            "Error app:main#00001 function `bad.late` panicked: later []",
            "Error app:main#00001 function `bad.fragile` panicked: dropped []",
            "Error app:main#00001 function `bad.elsewhere` panicked: on a thread []",
        ]
    "#]]
    .assert_debug_eq(&logged);
}

/// A megabyte of arguments that is gigabytes where each mention of a table is a copy.
#[test]
fn a_table_that_appears_often_is_no_more_than_a_large_payload() {
    let sizes = |lists: Vec<Vec<String>>| lists.iter().flatten().map(String::len).sum::<usize>();
    let module = Module::new("odd")
        .immediate("texts", move |_, (lists,): (Vec<Vec<String>>,)| -> Given<usize> { Ok(sizes(lists)) })
        .immediate("any", |_, (lists,): (Value,)| -> Given<usize> { Ok(lists.encode().len()) })
        .immediate("kept", |_, (lists,): (Vec<Raw>,)| -> Given<usize> {
            Ok(lists.iter().map(|Raw(bytes)| bytes.len()).sum())
        })
        .immediate("options", |_, (lists,): (Vec<Option<String>>,)| -> Given<usize> {
            Ok(lists.into_iter().flatten().map(|text| text.len()).sum())
        });
    check(
        module,
        r#"
        local odd = require("odd")
        local shared = { ("x"):rep(100000) }
        local function lists(count)
            local lists = {}
            for i = 1, count do lists[i] = shared end
            return lists
        end
        for _, name in ipairs { "texts", "any", "kept" } do
            print(pcall(odd[name], lists(3)))
            print(pcall(odd[name], lists(2000)))
        end
        -- What appears once may be as large as a message.
        print(odd.options { ("x"):rep(500000), ("y"):rep(500000) }, odd.texts { { ("x"):rep(1000000) } })
        "#,
        expect![[r#"
            true	300000
            false	bad argument #1 to 'texts' ([12][1]: is too large, with what appears in it twice)
            true	300019
            false	bad argument #1 to 'any' ([12][1]: is too large, with what appears in it twice)
            true	300018
            false	bad argument #1 to 'kept' ([12]: is too large, with what appears in it twice)
            1000000	1000000
            => nil
        "#]],
    );
}

#[test]
fn a_table_in_itself_is_told_by_where_it_is() {
    #[derive(Deserialize)]
    struct Tree {
        #[serde(default)]
        kids: Vec<Tree>,
    }
    fn count(trees: &[Tree]) -> usize {
        trees.iter().map(|tree| 1 + count(&tree.kids)).sum()
    }
    let module = Module::new("odd")
        .immediate("any", |_, (value,): (Value,)| -> Given<usize> { Ok(value.encode().len()) })
        .immediate("trees", |_, (trees,): (Vec<Tree>,)| -> Given<usize> { Ok(count(&trees)) })
        .immediate("kept", |_, (Raw(bytes),): (Raw,)| -> Given<usize> { Ok(bytes.len()) });
    check(
        module,
        r#"
        local odd = require("odd")
        local a = { b = { c = {} } }
        a.b.c.d = a.b
        local tree = { kids = { { kids = {} } } }
        tree.kids[1].kids[1] = tree.kids[1]
        local itself = {}
        itself[1] = itself
        print(pcall(odd.any, a))
        print(pcall(odd.any, itself))
        print(pcall(odd.trees, { tree }))
        -- Twice, but in nothing of its own.
        local leaf = { kids = {} }
        print(odd.trees { leaf, { kids = { leaf, leaf } } })
        -- What isn't read by Rust may be anything.
        print(odd.kept(a) > 0)
        "#,
        expect![[r#"
            false	bad argument #1 to 'any' (b.c.d: contains itself)
            false	bad argument #1 to 'any' ([1]: contains itself)
            false	bad argument #1 to 'trees' ([1].kids[1].kids[1]: contains itself)
            4
            true
            => nil
        "#]],
    );
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(Value::Nil, |inner, _| Value::Array(vec![inner]))
}

#[test]
fn a_result_that_cannot_travel_is_an_error() {
    let module = Module::new("odd")
        .immediate("deep", |_, (levels,): (usize,)| -> Given<Value> { Ok(nested(levels)) })
        .immediate("nan_key", |_, (): ()| -> Given<Value> {
            Ok(Value::Map(vec![(Value::Float(f64::NAN), Value::Nil)]))
        })
        .immediate("nil_key", |_, (): ()| -> Given<Value> { Ok(Value::Map(vec![(Value::Nil, Value::Nil)])) })
        .immediate("table_key", |_, (): ()| -> Given<Value> { Ok(Value::Map(vec![(nested(1), Value::Nil)])) })
        .immediate("large", |_, (): ()| -> Given<u64> { Ok(u64::MAX) })
        .immediate("huge", |_, (bytes,): (usize,)| -> Given<String> { Ok("x".repeat(bytes)) })
        .function("huge_later", |_, (bytes,): (usize,)| async move {
            tokio::task::yield_now().await;
            Ok::<_, FunctionError>("x".repeat(bytes))
        })
        .immediate("nan", |_, (): ()| -> Given<(f64, f64)> { Ok((f64::NAN, f64::INFINITY)) })
        .immediate("corrupt", |_, (): ()| -> Given<Raw> { Ok(Raw(b"\x92\x01".as_slice().into())) });
    check(
        module,
        r#"
        local odd = require("odd")
        local function show(value, err) print(type(value), err and err:kind(), err) end
        show(odd.deep(100))
        show(odd.deep(101))
        for _, name in ipairs { "nan_key", "nil_key", "table_key", "large" } do show(odd[name]()) end
        for _, huge in ipairs { odd.huge, odd.huge_later } do
            print(#huge((1 << 20) - 6))
            show(huge(1 << 20))
        end
        print(odd.nan())
        print(pcall(odd.corrupt))
        show(odd.deep({ print }))
        "#,
        expect![[r#"
            table	nil	nil
            nil	Invalid	result of `odd.deep` is nested deeper than 100 tables
            nil	Invalid	result of `odd.nan_key` has NaN as a key
            nil	Invalid	result of `odd.nil_key` has nil as a key
            nil	Invalid	result of `odd.table_key` has a table as a key
            nil	Invalid	result of `odd.large` has 18446744073709551615, which is no integer of Lua's
            1048570
            nil	Invalid	result of `odd.huge` exceeds the message limit of 1048576 bytes
            1048570
            nil	Invalid	result of `odd.huge_later` exceeds the message limit of 1048576 bytes
            nan	inf
            true	nil	corrupt payload
            nil	Invalid	arguments[1][1] is a function
            => nil
        "#]],
    );
}

#[test]
fn a_result_that_takes_more_memory_than_there_is_is_an_error() {
    let module = Module::new("big")
        .immediate("now", |_, (): ()| -> Given<Vec<[i64; 0]>> { Ok(vec![[]; 1_000_000]) })
        .function("later", |_, (): ()| async {
            tokio::task::yield_now().await;
            Ok::<_, FunctionError>(vec![[0_i64; 0]; 1_000_000])
        });
    check_main_in(
        &lab_within(Limits { memory: 4 << 20, message: 4 << 20, ..Limits::default() }, [module]),
        r#"
        local big = require("big")
        for _, f in ipairs { big.now, big.later } do
            local value, err = f()
            print(value, err:kind(), err:details().limit)
        end
        "#,
        expect![[r#"
            nil	ResourceExhausted	memory
            nil	ResourceExhausted	memory
            => nil
        "#]],
    );
}
