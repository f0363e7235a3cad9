//! What the system refuses or never answers: address space, threads, disks. Whoever asked is told, and nobody else notices.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use expect_test::expect;
use futures_lite::future::block_on;
use lunarium_engine::{Directory, Engine, EngineConfig, Grants, Handle, Limits, Value};
use lunarium_tests::{Lab, show_outcome};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{alone, alone_as_nobody, alone_in};

const WAITS: &str = "return { main = function() process.inbox():receive() return 'well' end }";

/// Lets this program have so much of something, as far as it may.
fn allow(resource: Resource, current: Option<u64>) {
    setrlimit(resource, Rlimit { current, maximum: getrlimit(resource).maximum }).unwrap();
}

fn figure(file: &str, line: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Bytes of address space that are taken.
fn address_space() -> u64 {
    figure("/proc/self/status", "VmSize:") * 1024
}

fn lab(engine: &Engine) -> Lab {
    Lab::on(engine, Limits::default(), u32::MAX, |config| config)
}

/// `data` of a folder, for writing.
fn granting(mut lab: Lab, folder: &Path) -> Lab {
    let dir = Dir::open_ambient_dir(folder, ambient_authority()).unwrap();
    lab.grants = Arc::new(Grants::new().with_directory(Directory::new("data", dir, true).unwrap()));
    lab
}

fn waits(lab: &Lab) -> Handle {
    let handle = lab.spawn("waits", Vec::new());
    assert!(block_on(handle.started()));
    handle
}

fn goes_on(lab: &Lab, handle: &Handle) {
    lab.node.send(handle.pid().as_str(), "t", &Value::Nil).unwrap();
    assert_eq!(show_outcome(&handle.wait_blocking()), "=> \"well\"");
}

#[test]
fn an_engine_without_address_space_says_so() {
    alone("fault::an_engine_without_address_space_says_so", || {
        allow(Resource::As, Some(address_space() + (64 << 30)));
        let refused = Engine::new(EngineConfig::new(4_000)).err().unwrap().to_string();
        expect!["cannot start the WebAssembly engine: failed to create memory pool mapping: mmap failed to reserve 0x8912000000 bytes: Cannot allocate memory (os error 12): raise what limits address space or mappings (ulimit -v, vm.max_map_count, vm.overcommit_memory), or lower max_processes"].assert_eq(&refused);
    });
}

#[test]
fn who_finds_no_place_ends_and_the_others_go_on() {
    alone("fault::who_finds_no_place_ends_and_the_others_go_on", || {
        let engine = Engine::new(EngineConfig::new(1_000)).unwrap();
        let lab = lab(&engine);
        lab.define(&format!("-- entry: waits\n{WAITS}"));
        allow(Resource::As, Some(address_space() + (64 << 30)));
        let first = waits(&lab);
        let others: Vec<Handle> = (0..400).map(|_| lab.spawn("waits", Vec::new())).collect();
        while others.iter().all(|other| other.outcome().is_none()) {
            std::thread::yield_now();
        }
        let ended = others.iter().find_map(|other| other.outcome().cloned()).unwrap();
        expect!["failed Unavailable: cannot make an instance: failed to create memory pool mapping: mmap failed to reserve 0x20402000000 bytes: Cannot allocate memory (os error 12): raise what limits address space or mappings (ulimit -v, vm.max_map_count, vm.overcommit_memory), or lower max_processes"].assert_eq(&show_outcome(&ended));
        goes_on(&lab, &first);
        // As soon as there is room again.
        allow(Resource::As, getrlimit(Resource::As).maximum);
        others.iter().for_each(|other| drop(lab.node.terminate(other.pid())));
        let late: Vec<Handle> = (0..400).map(|_| waits(&lab)).collect();
        late.iter().for_each(|late| goes_on(&lab, late));
    });
}

#[test]
fn who_gets_no_memory_of_the_system_ends_as_at_a_limit() {
    alone("fault::who_gets_no_memory_of_the_system_ends_as_at_a_limit", || {
        let engine = Engine::new(EngineConfig::new(10).with_memory(u64::MAX)).unwrap();
        let lab = Lab::on(&engine, Limits { memory: 256 << 20, ..Limits::default() }, u32::MAX, |config| config);
        lab.define(&format!("-- entry: waits\n{WAITS}"));
        let neighbour = waits(&lab);
        // Enough for the host, which needs some, too: what is asked for at once is more than what is left in the end.
        let taken = figure("/proc/self/status", "VmData:") * 1024;
        allow(Resource::Data, Some(taken + (24 << 20)));
        let hog = "return function() local t = {} for i = 1, 20 do t[i] = ('x'):rep(8 << 20) .. i end end";
        expect!["failed ResourceExhausted: not enough memory: the system has no more"]
            .assert_eq(&show_outcome(&lab.run(hog)));
        goes_on(&lab, &neighbour);
    });
}

#[test]
fn an_engine_without_threads_says_so() {
    alone_as_nobody("fault::an_engine_without_threads_says_so", || {
        allow(Resource::Nproc, Some(figure("/proc/self/status", "Threads:")));
        let refused = Engine::new(EngineConfig::new(10)).err().unwrap().to_string();
        expect!["cannot start a thread: Resource temporarily unavailable (os error 11): raise what limits them (ulimit -u, pids.max of the control group)"].assert_eq(&refused);
    });
}

#[test]
fn a_file_without_a_thread_is_refused_and_comes_later() {
    alone_as_nobody("fault::a_file_without_a_thread_is_refused_and_comes_later", || {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(EngineConfig::new(10)).unwrap();
        let lab = granting(lab(&engine), folder.path());
        allow(Resource::Nproc, Some(figure("/proc/self/status", "Threads:")));
        let script = "return function()
            local ok, err = fs.write('data/a', 'x')
            return { tostring(err), err and err:kind() or '', tostring(err and err:retryable()) }
        end";
        expect![[r#"=> {"the system gives no thread for operations on files", "Unavailable", "true"}"#]]
            .assert_eq(&show_outcome(&lab.run(script)));
        allow(Resource::Nproc, getrlimit(Resource::Nproc).maximum);
        assert_eq!(show_outcome(&lab.run(script)), r#"=> {"nil", "", "nil"}"#);
    });
}

/// A file system in memory with room for little.
const SMALL: &str = "mount -t tmpfs -o size=256k tmpfs \"$FOLDER\"";

#[test]
fn a_full_disk_is_told_and_what_is_there_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    alone_in("fault::a_full_disk_is_told_and_what_is_there_can_be_read", folder.path(), SMALL, |folder| {
        let engine = Engine::new(EngineConfig::new(10)).unwrap();
        let lab = granting(lab(&engine), folder);
        let outcome = lab.run(
            r#"return function()
                local lines = { select(2, fs.write("data/first", "kept")) or "written" }
                local ok, err
                for i = 1, 10 do ok, err = fs.write("data/" .. i, ("x"):rep(100000)) if err then break end end
                lines[2] = err:kind() .. ": " .. tostring(err)
                lines[3] = fs.read("data/first")
                for i = 1, 10 do fs.remove("data/" .. i) end
                lines[4] = fs.write("data/again", ("x"):rep(100000)) and "again"
                return lines
            end"#,
        );
        expect![[
            r#"=> {"written", "ResourceExhausted: fs.write on `data/3` failed: no storage space", "kept", "again"}"#
        ]]
        .assert_eq(&show_outcome(&outcome));
    });
}

#[test]
fn a_disk_that_can_not_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let prepare = "mount -t tmpfs -o ro tmpfs \"$FOLDER\"";
    alone_in("fault::a_disk_that_can_not_be_written_is_told", folder.path(), prepare, |folder| {
        let engine = Engine::new(EngineConfig::new(10)).unwrap();
        let lab = granting(lab(&engine), folder);
        let script = r#"return function()
            local _, err = fs.write("data/a", "x")
            local _, second = fs.mkdir("data/d")
            return { err:kind() .. ": " .. tostring(err), tostring(second), #fs.list("data") }
        end"#;
        expect![[r#"=> {"PermissionDenied: fs.write on `data/a` failed: read-only filesystem or storage medium", "fs.write on `data/d` failed: read-only filesystem or storage medium", 0}"#]].assert_eq(&show_outcome(&lab.run(script)));
    });
}

/// A file system whose server never answers.
const MUTE: &str = "mkdir -p \"$FOLDER/mute\" && exec 9<>/dev/fuse && \
    mount -i -t fuse fuse \"$FOLDER/mute\" -o fd=9,rootmode=40000,user_id=0,group_id=0";

#[test]
fn a_disk_that_never_answers_stops_only_who_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    alone_in("fault::a_disk_that_never_answers_stops_only_who_waits_for_it", folder.path(), MUTE, |folder| {
        let engine = Engine::new(EngineConfig::new(200)).unwrap();
        let (stuck, quick) = (granting(lab(&engine), folder), granting(lab(&engine), folder));
        let asks = r#"return { main = function()
            for i = 1, 8 do coroutine.spawn(function() fs.stat("data/mute/" .. i) end) end
            time.sleep(0)
            process.inbox():receive()
            return "well"
        end }"#;
        stuck.define(&format!("-- entry: waits\n{asks}"));
        // More operations than any pool of threads has.
        let stuck_ones: Vec<Handle> = (0..100).map(|_| waits(&stuck)).collect();
        let script = "return function() fs.write('data/a', 'x') return (fs.read('data/a')) end";
        for _ in 0..20 {
            assert_eq!(show_outcome(&quick.run(script)), "=> \"x\"");
        }
        // Who waits for the disk reacts to everything else, and can be ended.
        goes_on(&stuck, &stuck_ones[0]);
        stuck_ones.iter().for_each(|one| drop(stuck.node.terminate(one.pid())));
        stuck.settle();
    });
}
