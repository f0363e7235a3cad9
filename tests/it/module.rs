//! Modules of the embedding program: what a script sees of a Rust function, and what a function sees of a script.

mod failure;
mod grant;
mod later;
mod review;
mod times;

use std::sync::Arc;

use expect_test::{Expect, expect};
use lunarium_engine::{FunctionError, Grants, Limits, Module, Raw, Value};
use lunarium_tests::Lab;
use serde_derive::{Deserialize, Serialize};

use crate::check::check_main_in;

pub(crate) type Given<T> = Result<T, FunctionError>;

/// A lab whose entries have these modules.
pub(crate) fn lab(modules: impl IntoIterator<Item = Module>) -> Lab {
    lab_within(Limits::default(), modules)
}

pub(crate) fn lab_within(limits: Limits, modules: impl IntoIterator<Item = Module>) -> Lab {
    let mut lab = Lab::new(limits);
    let mut grants = Grants::new();
    for module in modules {
        grants = grants.with_module(module.name());
        lab.node.add_module(module).unwrap();
    }
    lab.grants = Arc::new(grants);
    lab
}

pub(crate) fn check(module: Module, body: &str, expected: Expect) {
    check_main_in(&lab([module]), body, expected);
}

#[test]
fn a_function_that_answers_at_once() {
    let module = Module::new("billing")
        .immediate("vat", |_, (cents, rate): (i64, Option<f64>)| -> Given<f64> {
            Ok(cents as f64 * rate.unwrap_or(0.19))
        })
        .immediate("split", |_, (name,): (String,)| -> Given<(String, String)> {
            let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
            Ok((first.to_owned(), last.to_owned()))
        })
        .immediate("nothing", |_, (): ()| -> Given<()> { Ok(()) })
        .immediate("sum", |_, numbers: Vec<i64>| -> Given<i64> { Ok(numbers.iter().sum()) });
    check(
        module,
        r#"
        local billing = require("billing")
        print(billing.vat(1000), billing.vat(1000, 0), billing.vat(100.0, 1))
        print(billing.split("Ada Lovelace"))
        print(select('#', billing.nothing()), select('#', billing.nothing(1, 2)))
        print(billing.sum(), billing.sum(1, 2, 3))
        print(require("billing") == billing, billing.vat == require("billing").vat, getmetatable(billing))
        -- Where one can't wait, too.
        local list = { 3, 1, 2 }
        table.sort(list, function(a, b) return billing.vat(a) < billing.vat(b) end)
        print(table.concat(list, " "))
        "#,
        expect![[r#"
            190.0	0.0	100.0
            Ada	Lovelace
            0	0
            0	6
            true	true	false
            1 2 3
            => nil
        "#]],
    );
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Order {
    id: u32,
    items: Vec<Item>,
    #[serde(default)]
    note: Option<String>,
    shipping: Shipping,
}

#[derive(Debug, Deserialize, Serialize)]
struct Item {
    name: String,
    price: f64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Shipping {
    Standard,
    Courier { phone: String },
    Days(u8),
}

fn shop() -> Module {
    Module::new("shop")
        .immediate("show", |_, (order,): (Order,)| -> Given<String> { Ok(format!("{order:?}")) })
        .immediate("echo", |_, (order,): (Order,)| -> Given<Order> { Ok(order) })
        .immediate("byte", |_, (byte,): (u8,)| -> Given<u8> { Ok(byte) })
        .immediate("flag", |_, (flag, text): (bool, String)| -> Given<(bool, String)> { Ok((flag, text)) })
        .immediate("pair", |_, ((a, b),): ((i64, i64),)| -> Given<i64> { Ok(a + b) })
        .immediate("any", |_, values: Vec<Value>| -> Given<Vec<Value>> { Ok(values) })
        .immediate("raw", |_, raw: Raw| -> Given<Raw> { Ok(raw) })
        .immediate("swap", |_, (a, b): (Raw, Raw)| -> Given<(Raw, Vec<(Raw, i64)>)> { Ok((b, vec![(a, 7)])) })
        .immediate("bad", |_, (): ()| -> Given<(Raw, i64)> { Ok((Raw(vec![0x92, 1].into()), 1)) })
}

#[test]
fn a_value_that_is_kept_as_a_payload_is_the_same_elsewhere() {
    check(
        shop(),
        r#"
        local shop = require("shop")
        local inner = { 1 }
        local a, b = { inner, inner }, { x = inner, y = { { inner } } }
        a.self = a
        print(pcall(shop.swap, a, b))
        local text, list = shop.swap(a, "text")
        local back = list[1][1]
        print(text, back ~= a, back.self == back, back[1] == back[2], back[1][1], list[1][2])
        local other, list = shop.swap({ {}, {} }, a)
        print(other.self == other, other[1] == other[2], #list[1][1])
        print((shop.swap(nil, json.null)))
        print(pcall(shop.swap, 1))
        print(shop.bad())
        "#,
        expect![[r#"
            false	bad argument #2 to 'swap' (refers to a table outside of it)
            text	true	true	true	1	7
            true	true	2
            null
            false	bad argument #2 to 'swap' (value expected, got no value)
            nil	result of `shop.bad` has bytes that are no payload, or one too deep there
            => nil
        "#]],
    );
}

#[test]
fn tables_are_whatever_serde_reads() {
    check(
        shop(),
        r#"
        local shop = require("shop")
        print(shop.show { id = 7, items = { { name = "tea", price = 3 } }, shipping = "standard" })
        print(shop.show { id = 7.0, items = {}, note = "n", shipping = { courier = { phone = "1" } } })
        local address = { name = "tea", price = 0.5 }
        local back = shop.echo { id = 1, items = { address, address }, shipping = { days = 3 } }
        print(back.items[2].name, back.items[1].price, back.shipping.days, back.note)
        print(shop.pair { 1, 2 }, shop.flag(true, "x"))
        local function twice(...) return ... end
        print(twice(shop.any(1, "two", { 3, { four = 4.5 } }, nil, false)[3][2].four))
        print(select('#', shop.raw(nil, nil)), shop.raw("\xff\0", 1.5) == "\xff\0")
        local t = shop.any(time.now(), errors.new("x"), time.SECOND)
        print(t[1]:unix() > 0, t[2]:message(), t[3])
        "#,
        expect![[r#"
            Order { id: 7, items: [Item { name: "tea", price: 3.0 }], note: None, shipping: Standard }
            Order { id: 7, items: [], note: Some("n"), shipping: Courier { phone: "1" } }
            tea	0.5	3	nil
            3	true	x
            4.5
            2	true
            true	x	1s
            => nil
        "#]],
    );
}

#[test]
fn arguments_of_the_wrong_type_are_luas_error() {
    check(
        shop(),
        r#"
        local shop = require("shop")
        local function wrong(f, ...) print(select(2, pcall(f, ...))) end
        local item = { name = "tea", price = 3 }
        wrong(shop.byte, "x")
        wrong(shop.byte)
        wrong(shop.byte, nil)
        wrong(shop.byte, 1.5)
        wrong(shop.byte, 256)
        wrong(shop.byte, 0/0)
        wrong(shop.byte, 2^63)
        wrong(shop.flag, true, 5)
        wrong(shop.flag, 1, "x")
        wrong(shop.flag, true, "\xff")
        wrong(shop.pair, { 1 })
        wrong(shop.pair, { 1, 2, 3 })
        wrong(shop.pair, { a = 1 })
        wrong(shop.show, time.now())
        wrong(shop.show, { 1, 2 })
        wrong(shop.show, { id = 1, items = { item, { name = "x", price = "dear" } }, shipping = "standard" })
        wrong(shop.show, { id = 1, items = {}, shipping = "drone" })
        wrong(shop.show, { id = 1, items = {}, shipping = { courier = {}, days = 1 } })
        wrong(shop.show, { id = 1, items = { [3] = item }, shipping = "standard" })
        wrong(shop.show, { id = -1, items = {}, shipping = "standard" })
        wrong(shop.show, { id = 1, shipping = "standard" })
        wrong(shop.show, { id = 1, items = {}, shipping = "standard", extra = 1 })
        local position = select(2, pcall(function() shop.byte("x") end))
        print(position)
        "#,
        expect![[r#"
            bad argument #1 to 'byte' (integer expected, got string)
            bad argument #1 to 'byte' (integer expected, got no value)
            bad argument #1 to 'byte' (integer expected, got nil)
            bad argument #1 to 'byte' (number has no integer representation)
            bad argument #1 to 'byte' (256 is out of the range of u8)
            bad argument #1 to 'byte' (number has no integer representation)
            bad argument #1 to 'byte' (number has no integer representation)
            bad argument #2 to 'flag' (string expected, got number)
            bad argument #1 to 'flag' (boolean expected, got number)
            bad argument #2 to 'flag' (string is not valid UTF-8)
            bad argument #1 to 'pair' (a tuple of size 2 expected, got a list of 1)
            bad argument #1 to 'pair' (list of 2 expected, got one of 3)
            bad argument #1 to 'pair' (list expected, got table with other keys)
            bad argument #1 to 'show' (table expected, got time)
            bad argument #1 to 'show' (table with names expected, got list)
            bad argument #1 to 'show' (items[2].price: number expected, got string)
            bad argument #1 to 'show' (shipping: unknown variant `drone`, expected one of `standard`, `courier`, `days`)
            bad argument #1 to 'show' (shipping: string or table with one key expected, got table)
            bad argument #1 to 'show' (items: list expected, got table with other keys)
            bad argument #1 to 'show' (id: -1 is out of the range of u32)
            bad argument #1 to 'show' (missing field `items`)
            bad argument #1 to 'show' (unknown field `extra`, expected one of `id`, `items`, `note`, `shipping`)
            main.lua:27: bad argument #1 to 'byte' (integer expected, got string)
            => nil
        "#]],
    );
}
