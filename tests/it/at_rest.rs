//! A process that waits has returned from wasm, and its linear memory is its whole state.

use lunarium_tests::Lab;

const WAITERS: usize = 2_000;

/// All ways to wait, and several coroutines each.
const WAITER: &str = r#"
return { main = function(parent)
  local ch = process.listen("go")
  coroutine.spawn(function() time.sleep("1h") end)
  coroutine.spawn(function() channel.select { process.events():case_receive(), time.after("1h"):case_receive() } end)
  pcall(function() for _ in coroutine.wrap(function() ch:receive() end) do end end)
  ch:receive()
end }"#;

#[test]
fn nothing_is_under_way_while_2000_processes_wait() {
    let lab = Lab::default();
    lab.define(WAITER);
    let handles: Vec<_> = (0..WAITERS).map(|_| lab.spawn("main", Vec::new())).collect();
    while lab.node.waiting_count() < WAITERS {
        std::thread::yield_now();
    }
    assert_eq!(lab.node.instance_count(), WAITERS);
    let inspections: Vec<_> =
        handles.iter().map(|handle| lab.node.at_rest_blocking(handle.pid()).expect("it waits")).collect();
    let at_rest = inspections[0].stack_pointer;
    assert!(inspections.iter().all(|inspection| inspection.stack_pointer == at_rest), "a process holds a frame");
    // They can all go on from there.
    for handle in &handles {
        lab.node.send(handle.pid().as_str(), "go", &lunarium_engine::Value::Nil).expect("it waits");
        lab.node.send(handle.pid().as_str(), "go", &lunarium_engine::Value::Nil).expect("it waits");
    }
    for handle in &handles {
        assert_eq!(lunarium_tests::show_outcome(&handle.wait_blocking()), "=> nil");
    }
    lab.settle();
}

#[test]
fn the_stack_pointer_is_where_it_was_before_the_first_wait() {
    let lab = Lab::default();
    lab.define(WAITER);
    lab.define("-- entry: simple\nreturn { main = function() process.inbox():receive() end }");
    let simple = lab.spawn("simple", Vec::new());
    let waiter = lab.spawn("main", Vec::new());
    let simple = lab.node.at_rest_blocking(simple.pid()).expect("it waits");
    let waiter = lab.node.at_rest_blocking(waiter.pid()).expect("it waits");
    assert_eq!(simple.stack_pointer, waiter.stack_pointer);
}
