//! What a limit may be, and what is refused because it concerns safety.

use std::path::Path;
use std::time::Duration;

use expect_test::expect;
use lunarium_app::{Draft, LimitSource, NoAuthority, limit_in_force, parse_limit};
use lunarium_engine::{LimitName, Limits, LimitsOverride};

use crate::{check, folder};

fn wish(text: &str) -> LimitsOverride {
    let mut wish = LimitsOverride::default();
    if !text.is_empty() {
        parse_limit(text, &mut wish).unwrap();
    }
    wish
}

#[test]
fn a_request_counts_else_the_lower_one_and_of_equal_ones_the_hosts() {
    let host = Limits { memory: 16 << 20, ..Limits::default() };
    let cases = [
        ("", "", 16 << 20, LimitSource::Host),
        ("memory=16MiB", "memory=16MiB", 16 << 20, LimitSource::Request),
        ("memory=16MiB", "", 16 << 20, LimitSource::Host),
        ("memory=32MiB", "", 16 << 20, LimitSource::Host),
        ("memory=8MiB", "", 8 << 20, LimitSource::Entry),
        ("memory=8MiB", "memory=8MiB", 8 << 20, LimitSource::Request),
        ("memory=8MiB", "memory=4MiB", 4 << 20, LimitSource::Request),
        ("memory=8MiB", "memory=32MiB", 32 << 20, LimitSource::Request),
    ];
    for (entry, request, value, source) in cases {
        let in_force = limit_in_force(LimitName::Memory, &host, &wish(entry), &wish(request));
        assert_eq!(in_force, (value, source), "{entry} {request}");
    }
}

#[test]
fn every_limit_is_seen_in_its_place() {
    let host = Limits::default();
    for name in LimitName::ALL {
        let mut none = LimitsOverride::default();
        none.set(name, 0).unwrap();
        assert_eq!(limit_in_force(name, &host, &none, &LimitsOverride::default()), (0, LimitSource::Entry), "{name}");
        let (value, source) = limit_in_force(name, &host, &LimitsOverride::default(), &LimitsOverride::default());
        let mut same = LimitsOverride::default();
        same.set(name, value).unwrap();
        assert_eq!((host.clone().narrow(&same), source), (host.clone(), LimitSource::Host), "{name}");
        same.set(name, value - 1).unwrap();
        assert_ne!(host.clone().narrow(&same), host, "{name}");
    }
}

#[test]
fn limits_take_sizes_durations_and_counts() {
    check(
        r#"  - name: small
    kind: process.lua
    source: return 1
    limits:
      memory: lots
      cpu: 10
      message: 1.5
      mailbox_bytes: -1
      mailbox_messages: many
      links: 5000000000
      memry: 1MiB
  - name: none
    kind: process.lua
    source: return 1
    limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
  - name: text
    kind: process.lua
    source: return 1
    limits: 16MiB
"#,
        expect![[r#"
            error: limit `memory`: `lots` is not a size
             --> shop/_index.yaml:8:15
              |
            8 |       memory: lots
              |               ^^^^
              |
              = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: limit `cpu`: `10` is not a duration
             --> shop/_index.yaml:9:12
              |
            9 |       cpu: 10
              |            ^^
              |
              = help: write it like `250ms`, `10s` or `1h30m`

            error: limit `message`: `1.5` is not a size
              --> shop/_index.yaml:10:16
               |
            10 |       message: 1.5
               |                ^^^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: limit `mailbox_bytes`: `-1` is not a size
              --> shop/_index.yaml:11:22
               |
            11 |       mailbox_bytes: -1
               |                      ^^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: limit `mailbox_messages`: `many` is not a whole number
              --> shop/_index.yaml:12:25
               |
            12 |       mailbox_messages: many
               |                         ^^^^
               |
               = help: write it like `1000`

            error: limit `links` of 5000000000 is above the most that can be set, 4294967295
              --> shop/_index.yaml:13:14
               |
            13 |       links: 5000000000
               |              ^^^^^^^^^^

            error: unknown limit `memry`
              --> shop/_index.yaml:14:7
               |
            14 |       memry: 1MiB
               |       ^^^^^
               |
               = help: did you mean `memory`?

            error: limit `memory` must be more than 0
              --> shop/_index.yaml:18:22
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                      ^

            error: limit `cpu` must be more than 0
              --> shop/_index.yaml:18:30
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                              ^^

            error: limit `timers` must be a size, a duration or a count, not a list
              --> shop/_index.yaml:18:42
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                                          ^

            error: limit `names`: `1.5` is not a whole number
              --> shop/_index.yaml:18:53
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                                                     ^^^
               |
               = help: write it like `1000`

            error: limit `message`: size `17179869184GiB` does not fit into 64 bits
              --> shop/_index.yaml:18:67
               |
            18 |     limits: {memory: 0, cpu: 0s, timers: [], names: 1.5, message: 17179869184GiB}
               |                                                                   ^^^^^^^^^^^^^^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: `limits` must be a table, not text
              --> shop/_index.yaml:22:13
               |
            22 |     limits: 16MiB
               |             ^^^^^

            error: 13 mistakes
        "#]],
    );
}

#[test]
fn what_a_host_gets_of_the_processors_is_a_weight_and_a_number_of_cores() {
    let app = |host: &str| {
        let index = format!(
            "version: \"1.0\"\nnamespace: app\nentries:\n  - {{name: h, kind: process.host, host: {{{host}}}}}\n"
        );
        Draft::of_folder(&folder(&[("_index.yaml", &index)]), Path::new("shop"), &NoAuthority).finish()
    };
    for (host, weight, max) in [
        ("max_processes: 1", 100, None),
        ("cpu_weight: 1, cpu_max: 0.01", 1, Some(10)),
        ("cpu_weight: 10000, cpu_max: 1000", 10_000, Some(1_000_000)),
        ("cpu_max: 2.5", 100, Some(2500)),
    ] {
        let app = app(host).unwrap();
        let definition = &app.hosts()[0].definition;
        assert_eq!((definition.cpu_weight, definition.cpu_max), (weight, max.map(Duration::from_millis)), "{host}");
    }
    let mut all = String::new();
    for host in
        ["cpu_weight: 0", "cpu_weight: 10001", "cpu_weight: much", "cpu_max: 0", "cpu_max: 1001", "cpu_max: half"]
    {
        let report = app(host).unwrap_err().to_string();
        all.push_str(report.lines().next().unwrap());
        all.push('\n');
    }
    expect![[r#"
        error: `cpu_weight` must be an integer from 1 to 10000, not `0`
        error: `cpu_weight` must be an integer from 1 to 10000, not `10001`
        error: `cpu_weight` must be an integer from 1 to 10000, not `much`
        error: `cpu_max` must be a number from 0.01 to 1000, not `0`
        error: `cpu_max` must be a number from 0.01 to 1000, not `1001`
        error: `cpu_max` must be a number from 0.01 to 1000, not `half`
    "#]]
    .assert_eq(&all);
}
