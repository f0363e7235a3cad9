//! Busy processes don't keep the others waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lunarium_engine::{EntryId, Handle, HostDefinition, HostId, Limits, SpawnRequest, Value};
use lunarium_tests::{Lab, PROCESSES, show_outcome};

const BUSY: &str = "-- entry: busy\nreturn { main = function() while true do end end }";

const TICKER: &str = r#"
-- entry: ticker
return { main = function()
  for _ = 1, 200 do time.sleep("5ms") end
  return "ticked"
end }"#;

#[test]
fn two_hundred_busy_loops_do_not_stop_a_neighbour_that_ticks() {
    let lab = Lab::default();
    lab.define(BUSY);
    lab.define(TICKER);
    let busy: Vec<_> = (0..200).map(|_| lab.spawn("busy", Vec::new())).collect();
    let ticker = lab.spawn("ticker", Vec::new());
    assert_eq!(show_outcome(&ticker.wait_blocking()), "=> \"ticked\"");
    // None of them has used 10 s yet: they ran beside it, each for a part of the time.
    assert!(busy.iter().all(|handle| handle.outcome().is_none()));
}

#[test]
fn busy_loops_all_get_their_share() {
    let lab = Lab::default();
    lab.define(
        r#"
-- entry: counter
return { main = function(name)
  for i = 1, 20 do
    for _ = 1, 300000 do end
  end
  return name
end }"#,
    );
    let handles: Vec<_> = (0..20).map(|_| lab.spawn("counter", Vec::new())).collect();
    for handle in handles {
        assert_eq!(show_outcome(&handle.wait_blocking()), "=> nil");
    }
}

#[test]
fn two_that_talk_do_not_keep_a_third_waiting() {
    let lab = Lab::default();
    lab.define(
        r#"
-- entry: pong
return { main = function(other)
  local ch = process.listen("ball")
  while true do process.send(other or ch:receive(), "ball", process.pid()) other = ch:receive() end
end }"#,
    );
    lab.define(TICKER);
    let talkers: Vec<_> = (0..8)
        .map(|_| {
            let first = lab.spawn("pong", Vec::new());
            let pid = Value::from(first.pid().as_str());
            (first, lab.spawn("pong", vec![pid]))
        })
        .collect();
    let ticker = lab.spawn("ticker", Vec::new());
    assert_eq!(show_outcome(&ticker.wait_blocking()), "=> \"ticked\"");
    assert!(talkers.iter().all(|(first, second)| first.outcome().is_none() && second.outcome().is_none()));
}

#[test]
fn a_kill_reaches_loops_and_library_calls() {
    let lab = Lab::default();
    lab.define(BUSY);
    for (name, body) in [
        ("bomb", r#"return ("a"):rep(40):match(("a-"):rep(40) .. "b")"#),
        ("protected", "while true do pcall(function() while true do end end) end"),
        ("inner", "coroutine.wrap(function() while true do end end)()"),
        ("meta", "return setmetatable({}, { __index = function() while true do end end }).x"),
        ("sorted", "local t = {} for i = 1, 100 do t[i] = -i end table.sort(t, function() while true do end end)"),
        ("replaced", r#"return ("x"):gsub("x", function() while true do end end)"#),
        ("closed", "local c <close> = setmetatable({}, { __close = function() while true do end end })"),
    ] {
        lab.define(&format!("-- entry: {name}\nreturn {{ main = function() print('in') {body} end }}"));
    }
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for name in ["bomb", "protected", "inner", "meta", "sorted", "replaced", "closed"] {
            let (lab, stopped) = (&lab, &stopped);
            scope.spawn(move || {
                let handle = lab.spawn(name, Vec::new());
                while lab.printed().is_empty() && !stopped.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                lab.node.terminate(handle.pid()).expect("it runs");
                assert_eq!(show_outcome(&handle.wait_blocking()), "failed Canceled: process terminated");
                stopped.store(true, Ordering::Relaxed);
            });
        }
    });
    lab.settle();
}

/// Answers each message by a line.
const ECHO: &str = r#"
-- entry: echo
return { main = function()
  local ch = process.listen("ask")
  print("ready")
  while true do ch:receive() print("answer") end
end }"#;

/// A node with one process that answers.
struct Neighbour {
    lab: Lab,
    echo: Handle,
}

impl Neighbour {
    fn new() -> Neighbour {
        let lab = Lab::default();
        lab.define(ECHO);
        let echo = lab.spawn("echo", Vec::new());
        let neighbour = Neighbour { lab, echo };
        neighbour.wait_for("ready");
        neighbour
    }

    fn wait_for(&self, line: &str) {
        while self.lab.printed() != [line] {
            std::thread::yield_now();
        }
    }

    /// How much `count` moves on until it has answered.
    fn answers_within(&self, count: impl Fn() -> usize) -> usize {
        let before = count();
        self.lab.node.send(self.echo.pid().as_str(), "ask", &Value::Nil).expect("it lives");
        self.wait_for("answer");
        count().abs_diff(before)
    }
}

const MANY: usize = 800;

const SLEEPER: &str = "-- entry: sleeper\nreturn { main = function() print('in') process.inbox():receive() end }";

#[test]
fn hundreds_of_starts_and_of_kills_do_not_keep_a_neighbour_waiting() {
    let (neighbour, lab) = (Neighbour::new(), Lab::default());
    lab.define(SLEEPER);
    let crowds = (0..5).map(|_| {
        let sleepers: Vec<_> = (0..MANY).map(|_| lab.spawn("sleeper", Vec::new())).collect();
        let starts = neighbour.answers_within(|| lab.print_count());
        while lab.node.waiting_count() < MANY {
            std::thread::yield_now();
        }
        for sleeper in &sleepers {
            lab.node.terminate(sleeper.pid()).expect("it lives");
        }
        let ends = neighbour.answers_within(|| lab.node.instance_count());
        lab.settle();
        (starts, ends)
    });
    // In the order in which they came it would be all that are left, each time. Some hundred pass while the system lets who asks here wait.
    let told: Vec<_> = crowds.collect();
    let least = told.iter().fold((MANY, MANY), |least, told| (least.0.min(told.0), least.1.min(told.1)));
    assert!(least.0 < MANY / 4 && least.1 < MANY / 4, "{told:?} starts and ends before it");
}

#[test]
fn two_hundred_that_wake_all_the_time_do_not_keep_a_neighbour_waiting() {
    let (neighbour, lab) = (Neighbour::new(), Lab::default());
    lab.define(
        r#"
-- entry: waker
return { main = function()
  print("in")
  while true do
    for _ = 1, 20000 do end
    time.sleep("1us")
    print("awake")
  end
end }"#,
    );
    (0..200).for_each(|_| drop(lab.spawn("waker", Vec::new())));
    while lab.print_count() < 400 {
        std::thread::yield_now();
    }
    let mut wakes: Vec<_> = (0..21).map(|_| neighbour.answers_within(|| lab.print_count())).collect();
    wakes.sort_unstable();
    // Nearly all of them wait at any time: in order it would be two hundred. Half of that leaves room for who asks here, whose thread may
    // have to wait for the system's other work.
    assert!(wakes[wakes.len() / 2] < 100, "{wakes:?} wakes before it");
}

#[test]
fn a_fork_bomb_and_busy_loops_do_not_keep_a_start_waiting() {
    let (lab, bomb) = (Lab::default(), Lab::sized(Limits::default(), 500));
    bomb.define(
        "-- entry: bomb\nreturn { main = function() while true do process.spawn('app:bomb', 'app:processes') end end }",
    );
    bomb.spawn("bomb", Vec::new());
    lab.define(BUSY);
    (0..20).for_each(|_| drop(lab.spawn("busy", Vec::new())));
    assert_eq!(show_outcome(&lab.run("return { main = function() return 'started' end }")), "=> \"started\"");
    assert!(bomb.node.process_count() > 1);
}

/// Prints a line now and then, and computes for ever.
const COUNTER: &str = r#"
-- entry: counter
return { main = function(round)
  while true do
    for _ = 1, 20000 do end
    print(round or "round")
  end
end }"#;

/// How often both have come round, from when each has begun until the second has 1,200 times. Nobody prints else.
fn rounds(count: impl Fn() -> [usize; 2]) -> [usize; 2] {
    while count().iter().any(|rounds| *rounds < 50) {
        std::thread::yield_now();
    }
    let [one, three] = count();
    loop {
        let [one_now, three_now] = count();
        if three_now - three >= 1200 {
            return [one_now - one, three_now - three];
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_node_of_three_times_the_weight_gets_three_times_the_slices() {
    let labs = [Lab::weighing(100), Lab::weighing(300)];
    for (lab, tasks) in labs.iter().zip([12, 4]) {
        lab.define(COUNTER);
        (0..tasks).for_each(|_| drop(lab.spawn("counter", Vec::new())));
    }
    let [one, three] = rounds(|| labs.each_ref().map(Lab::print_count));
    assert!(three > one, "{one} and {three} rounds");
    assert_three_times(labs.each_ref().map(|lab| lab.node.usage().cpu));
}

/// Of the time that they were given: how far one gets in it is the machine's, when others want that too.
fn assert_three_times([one, three]: [Duration; 2]) {
    assert!((2 * one..5 * one).contains(&three), "{one:?} and {three:?}");
}

#[test]
fn a_host_of_three_times_the_weight_gets_three_times_the_slices_of_its_node() {
    let lab = Lab::default();
    lab.define(COUNTER);
    let hosts = [("app:one", 100, 12), ("app:three", 300, 4)];
    for (id, weight, tasks) in hosts {
        let host = HostId::new(id);
        lab.node.add_host(HostDefinition::new(host.clone()).with_cpu_weight(weight)).unwrap();
        for _ in 0..tasks {
            let request = SpawnRequest::new(EntryId::new("app:counter"), host.clone());
            lab.node.spawn(request.with_arguments(vec![Value::from(id)])).unwrap();
        }
    }
    let count = || {
        let lines = lab.lines();
        hosts.map(|(id, ..)| lines.iter().filter(|line| *line == id).count())
    };
    let [one, three] = rounds(count);
    assert!(three > one, "{one} and {three} rounds");
    assert_three_times(hosts.map(|(id, ..)| lab.node.host_usage(&HostId::new(id)).unwrap().cpu));
}

/// Half a core, of a node or of a host.
const HALF: Duration = Duration::from_millis(500);

#[test]
fn who_is_over_its_most_rests_until_its_allowance_has_grown_again() {
    let lab = Lab::made(Limits::default(), PROCESSES, |config| config.with_cpu_max(HALF));
    let other = Lab::default();
    let host = HostId::new("app:half");
    other.node.add_host(HostDefinition::new(host.clone()).with_cpu_max(HALF)).unwrap();
    other.define(BUSY);
    lab.define(BUSY);
    for _ in 0..4 {
        lab.spawn("busy", Vec::new());
        other.node.spawn(SpawnRequest::new(EntryId::new("app:busy"), host.clone())).unwrap();
    }
    let used = || [lab.node.usage().cpu, other.node.host_usage(&host).unwrap().cpu];
    // What was saved up is spent.
    while used().iter().any(|used| *used < HALF) {
        std::thread::yield_now();
    }
    let (before, began) = (used(), lab.node.uptime());
    while used().iter().zip(before).any(|(used, before)| *used - before < HALF) {
        std::thread::yield_now();
    }
    // Each has got this much; nobody gets it sooner than in a second, but for the slices under way on each core.
    assert!(lab.node.uptime() - began >= HALF * 3 / 2, "{:?}", lab.node.uptime() - began);
}

#[test]
fn who_rests_is_ended_all_the_same_and_leaves_nothing() {
    let lab = Lab::made(Limits::default(), PROCESSES, |config| config.with_cpu_max(Duration::from_millis(10)));
    lab.define(BUSY);
    lab.define(SLEEPER);
    let busy: Vec<_> = (0..50).map(|_| lab.spawn("busy", Vec::new())).collect();
    while lab.node.usage().cpu < Duration::from_millis(20) {
        std::thread::yield_now();
    }
    for handle in &busy {
        lab.node.terminate(handle.pid()).expect("it lives");
        assert_eq!(show_outcome(&handle.wait_blocking()), "failed Canceled: process terminated");
    }
    lab.settle();
}

#[test]
fn who_sleeps_for_a_microsecond_again_and_again_wakes_once_a_quarter_of_a_millisecond() {
    const TIMES: i64 = 100;
    let lab = Lab::default();
    lab.define("return { main = function(n) for _ = 1, n do assert(time.sleep('1us')) end return 'slept' end }");
    let begin = lab.node.uptime();
    let handle = lab.spawn("main", vec![Value::Integer(TIMES)]);
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> \"slept\"");
    // Between the first and the last wake lie as many quarters.
    assert!(lab.node.uptime() - begin >= Duration::from_micros(250) * (TIMES as u32 - 1));
}
