//! What a sound application is resolved to.

use std::path::Path;

use expect_test::expect;
use lunarium_app::{Draft, NoAuthority};

use crate::{app, folder, process};

#[test]
fn a_whole_application_is_resolved() {
    let app = app(&[
        (
            "_index.yaml",
            r#"version: "1.0"
namespace: shop
entries:
  - name: front
    kind: process.lua
    meta: {comment: anything, list: [1, 2]}
    source: file://lua/front.lua
    method: serve
    modules: [time, json]
    imports: {text: util, far: shop.deep:far}
    limits: {memory: 1.5MiB, cpu: 250ms, timers: 10, mailbox_bytes: 500kB, message: 4096}
  - {name: util, kind: library.lua, source: "return {}", imports: {far: "shop.deep:far"}}
  - {name: unused, kind: library.lua, source: "return {}"}
  - name: processes
    kind: process.host
    host: {max_processes: 100}
    limits: {memory: 32MiB}
  - {name: spare, kind: process.host, lifecycle: {auto_start: false}}
  - name: web
    kind: process.service
    process: front
    host: processes
    input: [1, 2.5, two, null, true, [1], {k: v}]
    lifecycle: {auto_start: true, depends_on: [store], stop_timeout: 1m30s, restart: {max_attempts: 3, jitter: 0}}
  - {name: store, kind: process.service, process: front, host: processes, lifecycle: {auto_start: false}}
  - {name: idle, kind: process.service, process: front, host: spare, lifecycle: {auto_start: false}}
"#,
        ),
        ("lua/front.lua", "return { serve = print }\n"),
        (
            "deep/down/_index.yaml",
            "version: \"1.0\"\nnamespace: shop.deep\nentries:\n  - {name: far, kind: library.lua, source: file://../x.lua}\n",
        ),
        ("deep/x.lua", "return 1\n"),
        (".git/_index.yaml", "not read"),
    ]);
    expect![[r#"
        App {
            definitions: [
                Definition {
                    entry: shop:front,
                    method: Some(
                        "serve",
                    ),
                    plain: false,
                    chunk: Chunk {
                        name: "@lua/front.lua",
                        source: "return { serve = print }\n",
                    },
                    imports: [
                        Import {
                            alias: "text",
                            entry: shop:util,
                        },
                        Import {
                            alias: "far",
                            entry: shop.deep:far,
                        },
                    ],
                    libraries: [
                        Library {
                            entry: shop:util,
                            chunk: Chunk {
                                name: "=shop:util",
                                source: "return {}",
                            },
                            imports: [
                                Import {
                                    alias: "far",
                                    entry: shop.deep:far,
                                },
                            ],
                        },
                        Library {
                            entry: shop.deep:far,
                            chunk: Chunk {
                                name: "@deep/x.lua",
                                source: "return 1\n",
                            },
                            imports: [],
                        },
                    ],
                    limits: LimitsOverride {
                        memory: Some(
                            1572864,
                        ),
                        cpu: Some(
                            250ms,
                        ),
                        cpu_total: None,
                        lifetime: None,
                        mailbox_messages: None,
                        mailbox_bytes: Some(
                            500000,
                        ),
                        message: Some(
                            4096,
                        ),
                        links: None,
                        monitors: None,
                        timers: Some(
                            10,
                        ),
                        coroutines: None,
                        names: None,
                        groups: None,
                        listeners: None,
                        module_calls: None,
                        module_bytes: None,
                        log_lines: None,
                    },
                    grants: Grants {
                        env: {},
                        fs: [],
                        modules: {},
                        settings: [],
                    },
                },
            ],
            hosts: [
                Host {
                    definition: HostDefinition {
                        id: shop:processes,
                        max_processes: 100,
                        memory: 18446744073709551615,
                        reserve: 0,
                        log_bytes: 18446744073709551615,
                        cpu_weight: 100,
                        cpu_max: None,
                        limits: Limits {
                            memory: 33554432,
                            cpu: 10s,
                            cpu_total: 9223372036.854775807s,
                            lifetime: 9223372036.854775807s,
                            mailbox_messages: 10000,
                            mailbox_bytes: 4194304,
                            message: 1048576,
                            links: 10000,
                            monitors: 10000,
                            timers: 10000,
                            coroutines: 10000,
                            names: 1024,
                            groups: 64,
                            listeners: 1024,
                            module_calls: 100,
                            module_bytes: 4194304,
                            log_lines: 1000,
                        },
                        grants: Grants {
                            env: {},
                            fs: [],
                            modules: {},
                            settings: [],
                        },
                        security: None,
                    },
                    started: true,
                },
                Host {
                    definition: HostDefinition {
                        id: shop:spare,
                        max_processes: 4294967295,
                        memory: 18446744073709551615,
                        reserve: 0,
                        log_bytes: 18446744073709551615,
                        cpu_weight: 100,
                        cpu_max: None,
                        limits: Limits {
                            memory: 16777216,
                            cpu: 10s,
                            cpu_total: 9223372036.854775807s,
                            lifetime: 9223372036.854775807s,
                            mailbox_messages: 10000,
                            mailbox_bytes: 4194304,
                            message: 1048576,
                            links: 10000,
                            monitors: 10000,
                            timers: 10000,
                            coroutines: 10000,
                            names: 1024,
                            groups: 64,
                            listeners: 1024,
                            module_calls: 100,
                            module_bytes: 4194304,
                            log_lines: 1000,
                        },
                        grants: Grants {
                            env: {},
                            fs: [],
                            modules: {},
                            settings: [],
                        },
                        security: None,
                    },
                    started: false,
                },
            ],
            services: [
                Service {
                    id: shop:store,
                    process: shop:front,
                    host: shop:processes,
                    input: [],
                    security: None,
                    lifecycle: Lifecycle {
                        auto_start: false,
                        depends_on: [],
                        start_timeout: 10s,
                        stop_timeout: 10s,
                        restart: RestartPolicy {
                            initial_delay: 1s,
                            max_delay: 90s,
                            backoff_factor: 2.0,
                            jitter: 0.1,
                            max_attempts: 0,
                            stable_threshold: 5s,
                        },
                        on_change: Restart,
                    },
                },
                Service {
                    id: shop:web,
                    process: shop:front,
                    host: shop:processes,
                    input: [
                        Integer(
                            1,
                        ),
                        Float(
                            2.5,
                        ),
                        String(
                            "two",
                        ),
                        Nil,
                        Boolean(
                            true,
                        ),
                        Array(
                            [
                                Integer(
                                    1,
                                ),
                            ],
                        ),
                        Map(
                            [
                                (
                                    String(
                                        "k",
                                    ),
                                    String(
                                        "v",
                                    ),
                                ),
                            ],
                        ),
                    ],
                    security: None,
                    lifecycle: Lifecycle {
                        auto_start: true,
                        depends_on: [
                            shop:store,
                        ],
                        start_timeout: 10s,
                        stop_timeout: 90s,
                        restart: RestartPolicy {
                            initial_delay: 1s,
                            max_delay: 90s,
                            backoff_factor: 2.0,
                            jitter: 0.0,
                            max_attempts: 3,
                            stable_threshold: 5s,
                        },
                        on_change: Restart,
                    },
                },
            ],
            endpoints: [],
            programs: 4 programs,
            policies: [],
            libraries: [
                Library {
                    entry: shop:util,
                    chunk: Chunk {
                        name: "=shop:util",
                        source: "return {}",
                    },
                    imports: [
                        Import {
                            alias: "far",
                            entry: shop.deep:far,
                        },
                    ],
                },
                Library {
                    entry: shop:unused,
                    chunk: Chunk {
                        name: "=shop:unused",
                        source: "return {}",
                    },
                    imports: [],
                },
                Library {
                    entry: shop.deep:far,
                    chunk: Chunk {
                        name: "@deep/x.lua",
                        source: "return 1\n",
                    },
                    imports: [],
                },
            ],
            tests: [],
            strict: false,
        }
    "#]]
    .assert_debug_eq(&app);
}

#[test]
fn an_application_without_a_host_has_the_usual_one() {
    let app = app(&[("_index.yaml", &process("app.test", "return print"))]);
    assert_eq!(app.hosts().len(), 1);
    let host = app.host("app:processes").unwrap();
    assert!(host.started);
    assert_eq!(host.definition.limits, Default::default());
}

#[test]
fn only_one_entry_can_be_the_main_one() {
    let index = |space: &str| process(space, "return print").replace("job", "main");
    let one = app(&[("_index.yaml", &index("a"))]);
    assert_eq!(one.main_entry().unwrap().entry.as_str(), "a:main");
    let two = app(&[("_index.yaml", &index("a")), ("b/_index.yaml", &index("b"))]);
    assert!(two.main_entry().is_none());
}

#[test]
fn a_node_need_not_be_larger_than_all_hosts_together() {
    let draft = |hosts: &str| {
        let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n{hosts}");
        Draft::of_folder(&folder(&[("_index.yaml", &index)]), Path::new("shop"), &NoAuthority).max_processes()
    };
    let (small, large) =
        ("  - {name: a, kind: process.host, host: {max_processes: 7}}\n", "  - {name: b, kind: process.host}\n");
    assert_eq!(draft(small), Some(7));
    assert_eq!(draft(&format!("{small}{}", small.replace("name: a", "name: c"))), Some(14));
    assert_eq!(draft(&format!("{small}{large}")), None);
    assert_eq!(draft("  []\n"), None);
}
