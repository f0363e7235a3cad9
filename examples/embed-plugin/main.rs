//! A shop whose customers price their orders in Lua.
//!
//! Each customer has a script. It runs in a sandbox of its own, is given the module `catalogue` and nothing else, and what it does
//! wrong is its own failure: the shop is told, and the other scripts go on.

use std::time::Duration;

use lunarium::{Error, ErrorKind, FailureExt as _, FunctionError, Module, Node, Outcome, Plugin};
use serde_derive::Serialize;

/// The customers' scripts. A real shop has them in its database.
const SCRIPTS: [(&str, &str); 5] = [
    ("ada", include_str!("ada.lua")),
    ("typo", "return { price = function(order) retrun 0 end }"),
    ("curious", "return { price = function() return io.open('/etc/passwd') end }"),
    ("looper", "return { price = function() while true do end end }"),
    ("hoarder", include_str!("hoarder.lua")),
];

/// Whatever serde can serialize is a table in Lua.
#[derive(Serialize)]
struct Line {
    item: &'static str,
    count: u32,
}

/// What scripts may call.
fn catalogue() -> Module {
    Module::new("catalogue")
        // Asynchronous: here stands your database. Only the script that calls it waits.
        .function("price", |_caller, (item,): (String,)| async move {
            match item.as_str() {
                "tea" => Ok(320),
                "cup" => Ok(550),
                // In the script: nil, and an error of this kind.
                _ => Err(FunctionError::new(ErrorKind::NotFound, format!("we have no {item}"))),
            }
        })
        // What is known at once needs no future.
        .immediate("vat", |_caller, (cents,): (i64,)| Ok::<_, FunctionError>(cents * 19 / 100))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let node = Node::builder().module(catalogue()).start()?;

    let mut plugins = Vec::new();
    for (customer, script) in SCRIPTS {
        let plugin = node.plugin(customer, script).grant("catalogue").memory(4 << 20).cpu(Duration::from_secs(1));
        match plugin.start().await {
            Ok(plugin) => plugins.push((customer, plugin)),
            Err(error) => println!("{customer} doesn't start: {error}"),
        }
    }

    let order = [Line { item: "tea", count: 12 }, Line { item: "cup", count: 2 }];
    for (customer, plugin) in &plugins {
        price(customer, plugin, &order).await;
    }

    println!("-- again, and something that isn't for sale");
    for (customer, plugin) in &plugins {
        price(customer, plugin, &order).await;
    }
    price("ada", &plugins[0].1, &[Line { item: "gold", count: 1 }]).await;

    println!("-- the end");
    // Everybody is asked to end, and has a second for it.
    node.shutdown(Duration::from_secs(1)).await;
    for (customer, plugin) in &plugins {
        match plugin.outcome().and_then(Outcome::failure) {
            None => println!("{customer} has ended normally"),
            Some(failure) => {
                println!("{customer} had ended: {}, limit {}", failure.kind, failure.limit().unwrap_or_default())
            }
        }
    }
    Ok(())
}

/// Calls the function `price` of a customer's script, which runs in its sandbox, within its limits.
async fn price(customer: &str, plugin: &Plugin, order: &[Line]) {
    // Several results are a tuple; it is an error when they aren't of these types.
    match plugin.call::<(i64, i64)>("price", (order,)).await {
        Ok((cents, vat)) => println!("{customer}: {cents} cents, VAT {vat}"),
        // What the function raised; or `Canceled`, when that has ended the plugin, and `NotFound` from then on.
        Err(error) => println!("{customer}: {}: {error}", error.kind()),
    }
}
