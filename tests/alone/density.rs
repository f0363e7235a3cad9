//! How many processes live at once, and what is said to who wants more than the machine gives.

use std::fs;

use lunarium_engine::{Engine, EngineConfig, Limits, Outcome, Tally, Value};
use lunarium_tests::{Lab, node_memory};

use crate::alone;

/// All but a few of what a node has by default.
const MANY: usize = 7_990;

#[test]
fn nearly_eight_thousand_processes_live_at_once_and_each_answers() {
    alone("density::nearly_eight_thousand_processes_live_at_once_and_each_answers", || {
        let engine = Engine::new(EngineConfig::new(8_000).with_memory(u64::MAX)).unwrap();
        let lab = Lab::on(&engine, Limits::default(), u32::MAX, |config| config.with_max_processes(8_000));
        lab.define("return { main = function(n) return n + process.inbox():receive():payload() end }");
        let handles: Vec<_> = (0..MANY).map(|n| lab.spawn("main", vec![Value::Integer(n as i64)])).collect();
        let node = &lab.node;
        while node.waiting_count() < MANY {
            assert_eq!(node.process_count(), MANY);
            std::thread::yield_now();
        }
        assert_eq!(node.audit().unwrap().processes, MANY);
        assert_eq!(node.instance_count(), MANY);
        // As the size of the pool reckons with.
        let mappings = fs::read_to_string("/proc/self/maps").unwrap().lines().count();
        assert!(mappings <= 7 * MANY + 8_000, "{mappings} mappings");
        for handle in &handles {
            node.send(handle.pid().as_str(), "t", &Value::Integer(1)).unwrap();
        }
        for (n, handle) in handles.iter().enumerate() {
            let Outcome::Completed(result) = handle.wait_blocking() else { panic!("{:?}", handle.outcome()) };
            assert_eq!(Value::decode(&result), Ok(Value::Integer(n as i64 + 1)));
        }
        lab.settle();
        assert_eq!((node_memory(node), node.audit()), (0, Ok(Tally::default())));
    });
}

#[test]
fn a_process_that_waits_has_written_to_few_pages_of_its_memory() {
    alone("density::a_process_that_waits_has_written_to_few_pages_of_its_memory", || {
        const COUNT: u64 = 20;
        let lab = Lab::new(Limits::default());
        lab.define("return { main = function() process.inbox():receive() end }");
        let handles: Vec<_> = (0..COUNT).map(|_| lab.spawn("main", Vec::new())).collect();
        while lab.node.waiting_count() < handles.len() {
            std::thread::yield_now();
        }
        let (mut written, mut is_image) = (0, false);
        for line in fs::read_to_string("/proc/self/smaps").unwrap().lines() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("Anonymous:"), Some(size)) if is_image => written += size.parse::<u64>().unwrap() / 4,
                (Some(field), _) if field.ends_with(':') => {}
                _ => is_image = line.contains("wasm-memory-image"),
            }
        }
        // The stack, the first of what the heap has and the allocator's own, what the prelude makes for it, and what the process adds.
        let each = (COUNT..=5 * COUNT).contains(&written);
        assert!(each, "{written} pages of {COUNT} processes: guest/src/vm/heap.rs says how they come together");
    });
}

#[test]
fn more_than_fit_are_refused_with_the_cure() {
    let refusal = |processes| Engine::new(EngineConfig::new(processes)).err().unwrap().to_string();
    assert_eq!(refusal(10_501), "10501 processes don't fit into 47 bits of address space: at most 10500 do");
    let allowed: u32 = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap().trim().parse().unwrap();
    let possible = allowed.saturating_sub(8_000) / 7;
    if possible < 10_500 {
        let (wanted, needed) = (possible + 1, (possible + 1) * 7 + 8_000);
        assert_eq!(
            refusal(wanted),
            format!(
                "{wanted} processes need {needed} memory mappings, vm.max_map_count allows {allowed}: \
                 lower max_processes to {possible} or raise the limit (sysctl -w vm.max_map_count={needed})"
            )
        );
    }
}
