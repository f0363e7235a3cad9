//! A wall clock that is set while a host runs: what waits goes on, whoever waits for it.
//!
//! Owns a clock that a test can set: a library of a few lines in C before the host's own, as nobody may set the machine's.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::endpoints::{address, get};
use crate::hosted::{Admin, tar, worker};
use crate::{Running, folder, lunarium};

/// Adds so many seconds to the wall clock as a file says, which is mapped before the wall is built.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
static volatile long *offset;
static int (*real)(clockid_t, struct timespec *);
__attribute__((constructor)) static void begin(void) {
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int file = open(getenv("CLOCK_OFFSET"), O_RDONLY);
    offset = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
}
int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = real(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && offset != MAP_FAILED) time->tv_sec += *offset;
    return result;
}
"#;

const INDEX: &str = "version: \"1.0\"
namespace: app
entries:
  - {name: ticks, kind: process.lua, source: 'file://ticks.lua'}
  - {name: ticking, kind: process.service, process: ticks, host: 'app:processes'}
  - {name: fails, kind: process.lua, source: 'file://fails.lua'}
  - {name: failing, kind: process.service, process: fails, host: 'app:processes', lifecycle: {restart: {initial_delay: 10ms, max_attempts: 1000}}}
  - {name: hello, kind: process.lua, source: \"return function(r) time.sleep('5ms') return { body = 'hello' } end\"}
  - {name: endpoint, kind: http.endpoint, path: /, process: hello, timeout: 1m}
";

/// Says on which day it is, a hundred times a second.
const TICKS: &str = "return function()
    local ticker = time.ticker('10ms'):channel()
    while true do ticker:receive() print('day ' .. time.now():unix() // 86400) end
end";

const FAILS: &str = "return function() time.sleep('5ms') error('failed on day ' .. time.now():unix() // 86400) end";

/// The library, where there is a compiler.
fn shim(folder: &Path) -> Option<PathBuf> {
    let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
    fs::write(&source, SHIM).unwrap();
    let compiled =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl").status();
    compiled.is_ok_and(|status| status.success()).then_some(library)
}

#[test]
fn a_clock_that_is_set_holds_up_nobody() {
    let folder = folder(&[
        ("node.yaml", "tenants: [{name: t, path: t}]\n"),
        ("t/_index.yaml", INDEX),
        ("t/ticks.lua", TICKS),
        ("t/fails.lua", FAILS),
    ]);
    let Some(library) = shim(folder.path()) else {
        println!("NOT TRIED: there is no C compiler, so no clock can be set");
        return;
    };
    fs::write(folder.path().join("offset"), 0_i64.to_ne_bytes()).unwrap();
    let offset = File::options().write(true).open(folder.path().join("offset")).unwrap();
    let mut command =
        lunarium(folder.path(), &["serve", "--http", "127.0.0.1:0", "--data", "data", "--admin", "unix:admin.sock"]);
    command.env("LD_PRELOAD", library).env("CLOCK_OFFSET", folder.path().join("offset"));
    let mut running = Running::of(command);
    let at = address(&mut running);
    let admin = Admin::of(folder.path());
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86_400;
    let index = "version: \"1.0\"\nnamespace: app\nentries:\n  - {name: worker, kind: process.lua, source: 'file://worker.lua'}\n";
    // Back for ten days, forward for twenty, and to where it was.
    for days in [-10_i64, 10, 0] {
        offset.write_all_at(&(days * 86_400).to_ne_bytes(), 0).unwrap();
        let day = today.saturating_add_signed(days);
        // Timers of scripts, and restarts of services after a delay.
        let shown = |word: &str| format!("{word} {day}");
        for _ in 0..3 {
            wait_for_day(&mut running, &[shown("day"), shown("failed on day")], day);
        }
        // Rates and timeouts of requests, what is measured of them, and changes.
        for _ in 0..5 {
            assert_eq!(get(&at, "/t/"), "200 hello");
        }
        assert_eq!(admin.get("/metrics").unwrap().status, 200);
        assert_eq!(admin.get("/v1/history").unwrap().status, 200);
        let archive = tar(&[("_index.yaml", index.as_bytes()), ("worker.lua", worker("a = 1").as_bytes())]);
        assert_eq!(admin.deploy("sent", &archive).status, 200);
    }
    running.stop();
}

/// Reads up to a line with each of the words; midnight may be near.
fn wait_for_day(running: &mut Running, words: &[String], day: u64) {
    for word in words {
        let next = word.replace(&day.to_string(), &(day + 1).to_string());
        running.wait_for_any(&[word, &next]);
    }
}
