//! The store under everybody at once: as many processes as a node has by default, each of which writes and reads.

use std::time::Instant;

use lunarium_engine::{Chunk, Definition, Engine, EngineConfig, EntryId, Grants, Limits, Outcome, Value};
use lunarium_modules::kv::{self, OpenError, Opened};
use lunarium_tests::Lab;

use crate::alone;

/// All but a few of what a node has by default.
const MANY: usize = 7_990;

/// Waits until all are there, then writes its own key and counts in everybody's, and finds what it wrote.
const PROCESS: &str = "
local kv = require('kv')
return { main = function(n)
    process.inbox():receive()
    local version = assert(kv.set('own/' .. n, { n = n }))
    assert(kv.increment('count'))
    local own, _, found = kv.get('own/' .. n)
    assert(kv.set('own/' .. n, { n = own.n + 1 }, { if_version = version }))
    return own.n == n and found == version
end }";

#[test]
fn nearly_eight_thousand_processes_write_and_read_at_once() {
    alone("kv::nearly_eight_thousand_processes_write_and_read_at_once", || {
        let directory = tempfile::tempdir().unwrap();
        // What a node has held is freed some time after it.
        let open = || loop {
            match Opened::in_directory(directory.path()) {
                Ok(opened) => break opened.start(kv::QUOTA, |line| panic!("{line}")).unwrap(),
                Err(OpenError::InUse(_)) => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        };
        let engine = Engine::new(EngineConfig::new(8_000).with_memory(u64::MAX)).unwrap();
        let lab = Lab::on(&engine, Limits::default(), u32::MAX, |config| config.with_max_processes(8_000));
        let module = kv::module(open());
        let settings = module.grant(&kv::rules([("", true)])).unwrap();
        lab.node.add_module(module).unwrap();
        let definition = Definition::new(EntryId::new("app:main"), Chunk::new("@main.lua", PROCESS));
        lab.node.define(definition.with_grants(Grants::new().with_settings(settings)));
        let handles: Vec<_> = (0..MANY).map(|n| lab.spawn("main", vec![Value::Integer(n as i64)])).collect();
        while lab.node.waiting_count() < MANY {
            std::thread::yield_now();
        }
        let begun = Instant::now();
        for handle in &handles {
            lab.node.send(handle.pid().as_str(), "t", &Value::Boolean(true)).unwrap();
        }
        for handle in &handles {
            let Outcome::Completed(result) = handle.wait_blocking() else { panic!("{:?}", handle.outcome()) };
            assert_eq!(Value::decode(&result), Ok(Value::Boolean(true)));
        }
        let took = begun.elapsed();
        lab.settle();
        assert!(lab.node.remove_module("kv"));
        drop(lab);

        let store = open();
        let sums = store.sums().unwrap();
        println!("{} writes and {MANY} reads in {took:?}, {} transactions", 3 * MANY, sums.commits);
        assert_eq!((sums.entries, sums.version), (MANY as u64 + 1, 3 * MANY as u64));
        assert!(store.get("count").unwrap().unwrap().value.ends_with(&(MANY as u16).to_be_bytes()));
    });
}
