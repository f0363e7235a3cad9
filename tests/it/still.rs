//! A node whose time stands still: it goes on when it is told to, and from one timer to the next.

use std::time::{Duration, UNIX_EPOCH};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use futures_lite::future::block_on;
use lunarium_engine::{
    Caller, Directory, EntryId, ErrorKind, FunctionError, Grants, HostId, Limits, LimitsOverride, Module, Outcome,
    SpawnRequest,
};
use lunarium_tests::Lab;

const SECOND: Duration = Duration::from_secs(1);

/// Time begins a thousand million seconds after 1970.
fn lab() -> Lab {
    Lab::made(Limits::default(), 100, |config| config.with_still_time(UNIX_EPOCH + 1_000_000_000 * SECOND))
}

#[test]
fn timers_fire_in_the_order_of_their_times_and_never_by_themselves() {
    let lab = lab();
    lab.define("return function(ms) time.sleep(ms) print(ms) time.sleep(ms) print(ms) end");
    for ms in [300, 100, 250] {
        lab.spawn("main", vec![i64::from(ms).into()]);
    }
    block_on(lab.node.settled());
    assert_eq!(lab.node.next_timer(), Some(Duration::from_millis(100)));
    assert!(lab.printed().is_empty());
    block_on(lab.node.advance(Duration::from_millis(299)));
    assert_eq!(lab.printed(), ["100", "100", "250"]);
    assert_eq!(lab.node.uptime(), Duration::from_millis(299));
    block_on(lab.node.advance(SECOND));
    assert_eq!(lab.printed(), ["300", "250", "300"]);
    assert_eq!(lab.node.next_timer(), None);
    assert_eq!(lab.node.process_count(), 0);
}

#[test]
fn every_clock_of_a_process_is_the_nodes() {
    let lab = lab();
    lab.define("return function() print(os.time(), time.now():unix()) time.sleep('90m') print(os.time()) end");
    lab.spawn("main", Vec::new());
    block_on(lab.node.advance(90 * 60 * SECOND));
    assert_eq!(lab.printed(), ["1000000000\t1000000000", "1000005400"]);
}

#[test]
fn deadlines_and_lifetimes_are_the_nodes() {
    let lab = lab();
    lab.define("return function() process.listen('x'):receive() end");
    let asked = lab.spawn("main", Vec::new());
    asked.cancel(Some(60 * SECOND)).expect("it lives");
    let lifetime = LimitsOverride { lifetime: Some(90 * SECOND), ..LimitsOverride::default() };
    let mut request = SpawnRequest::new(EntryId::new("app:main"), HostId::new("app:processes"));
    request.limits = lifetime;
    let mortal = lab.node.spawn(request).expect("a process");
    block_on(lab.node.advance(59 * SECOND));
    assert_eq!(lab.node.process_count(), 2);
    block_on(lab.node.advance(SECOND));
    assert!(matches!(asked.outcome(), Some(Outcome::Failed(failure)) if failure.kind == ErrorKind::Canceled));
    assert!(mortal.outcome().is_none());
    block_on(lab.node.advance(30 * SECOND));
    assert!(matches!(mortal.outcome(), Some(Outcome::Failed(failure)) if failure.kind == ErrorKind::ResourceExhausted));
}

#[test]
fn what_is_under_way_with_files_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).expect("it is there");
    let mut lab = lab();
    lab.grants = Grants::new().with_directory(Directory::new("data", dir, true).expect("a path")).into();
    lab.define(
        "return function()
            for i = 1, 50 do
                fs.write('data/x', ('x'):rep(i * 100))
                if #fs.read('data/x') ~= i * 100 then print('wrong') end
            end
            print('written')
        end",
    );
    lab.spawn("main", Vec::new());
    block_on(lab.node.settled());
    assert_eq!(lab.printed(), ["written"]);
}

#[test]
fn time_does_not_pass_an_answer_by() {
    let lab = lab();
    // Answers later, from whatever thread: by a call of another process.
    let relay = Module::new("relay").function("ask", |caller: Caller, (pid, n): (String, i64)| async move {
        let node = caller.node().ok_or_else(|| FunctionError::new(ErrorKind::Canceled, "over"))?;
        let results = node.call(&pid, "double", &[n.into()]).await.map_err(FunctionError::from)?;
        Ok::<_, FunctionError>(results.into_iter().next())
    });
    lab.node.add_module(relay).expect("a name");
    let mut lab = lab;
    lab.grants = Grants::new().with_module("relay").into();
    lab.define(
        "return function()
            local pid = process.spawn('app:server', 'app:processes')
            time.sleep(1)
            local before = time.now()
            for n = 1, 50 do
                if require('relay').ask(pid, n) ~= 2 * n then print('wrong') end
            end
            print(time.now() == before)
            process.terminate(pid)
        end
        -- entry: server
        return { double = function(n) return 2 * n end }",
    );
    // Another timer is due all the time, and mustn't come first.
    lab.define("-- entry: ticking\nreturn function() for _ = 1, 10 do time.sleep(1000) end end");
    lab.spawn("ticking", Vec::new());
    lab.spawn("main", Vec::new());
    block_on(lab.node.advance(10 * SECOND));
    assert_eq!(lab.printed(), ["true"]);
    assert_eq!(lab.node.process_count(), 0);
}

#[test]
fn other_nodes_of_the_engine_go_by() {
    let (still, other) = (lab(), Lab::default());
    still.define("return function() time.sleep(1) print('late') end");
    still.spawn("main", Vec::new());
    other.run("return function() time.sleep(5) print('on time') end");
    assert_eq!(other.printed(), ["on time"]);
    block_on(still.node.settled());
    assert!(still.printed().is_empty());
    // Where time goes by, there is nothing to wait for, and nothing to tell.
    block_on(other.node.settled());
    block_on(other.node.advance(3600 * SECOND));
    assert_eq!(other.node.next_timer(), None);
}
