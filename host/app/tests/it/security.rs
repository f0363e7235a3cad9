//! Policies and who gets them: what may be said, and what is said about the rest.

use expect_test::expect;

use crate::{app, check, check_files};

#[test]
fn policies_and_who_gets_them_are_resolved() {
    let app = app(&[
        (
            "_index.yaml",
            r#"version: "1.0"
namespace: shop
security: {strict: true}
entries:
  - {name: job, kind: process.lua, source: return print}
  - name: staff_only
    kind: security.policy
    policy:
      actions: [process.send, "process.registry.*", order.cancel]
      resources: "*"
      effect: allow
      conditions:
        - {field: actor.meta.role, operator: in, value: [clerk, chief]}
        - {field: actor.id, operator: ne, value_from: meta.owner}
    groups: [staff, "shop.common:all"]
  - name: never
    kind: security.policy
    policy: {actions: "*", resources: "shop:vault*", effect: deny}
  - {name: processes, kind: process.host, security: {policies: []}}
  - name: desk
    kind: process.service
    process: job
    host: processes
    security: {actor: {id: desk, meta: {role: clerk, level: 3}}, policies: [never], groups: [staff]}
"#,
        ),
        (
            "common/_index.yaml",
            "version: \"1.0\"\nnamespace: shop.common\nentries:\n  - name: look\n    kind: security.policy\n    policy: {actions: look, resources: [a, b*], effect: allow}\n    groups: [all]\n",
        ),
    ]);
    let policies: Vec<_> = app.policies().map(|(policy, groups)| (policy.id.to_string(), groups.to_vec())).collect();
    let hosts: Vec<_> = app.hosts().iter().map(|host| host.definition.security.clone()).collect();
    let services: Vec<_> = app.services().iter().map(|service| service.security.clone()).collect();
    expect![[r#"
        (
            true,
            [
                (
                    "shop:staff_only",
                    [
                        shop:staff,
                        shop.common:all,
                    ],
                ),
                (
                    "shop:never",
                    [],
                ),
                (
                    "shop.common:look",
                    [
                        shop.common:all,
                    ],
                ),
            ],
            [
                Some(
                    SecuritySpec {
                        actor: None,
                        scope: Some(
                            ScopeSpec {
                                policies: [],
                                groups: [],
                            },
                        ),
                    },
                ),
            ],
            [
                Some(
                    SecuritySpec {
                        actor: Some(
                            ActorSpec {
                                id: "desk",
                                meta: Some(
                                    [
                                        130,
                                        164,
                                        114,
                                        111,
                                        108,
                                        101,
                                        165,
                                        99,
                                        108,
                                        101,
                                        114,
                                        107,
                                        165,
                                        108,
                                        101,
                                        118,
                                        101,
                                        108,
                                        3,
                                    ],
                                ),
                            },
                        ),
                        scope: Some(
                            ScopeSpec {
                                policies: [
                                    shop:never,
                                ],
                                groups: [
                                    shop:staff,
                                ],
                            },
                        ),
                    },
                ),
            ],
        )
    "#]]
    .assert_debug_eq(&(app.is_strict(), policies, hosts, services));
}

#[test]
fn what_a_policy_can_not_say() {
    check(
        r#"  - {name: a, kind: security.policy}
  - {name: b, kind: security.policy, policy: {}}
  - {name: c, kind: security.policy, policy: {actions: [], resources: 5, effect: permit, unless: x}, groups: staff}
  - {name: d, kind: security.policy, policy: {actions: [process.sned, process.registry, "fs.raed*", "env.*", own.thing, "a*b"], resources: "", effect: deny}}
  - name: e
    kind: security.policy
    policy:
      actions: "*"
      resources: "*"
      effect: allow
      conditions:
        - {field: actor.name, operator: eq, value: x}
        - {field: actor.id, operator: equals, value: x}
        - {field: actor.id, operator: eq}
        - {field: actor.id, operator: eq, value: x, value_from: resource}
        - {field: actor.id, operator: eq, value_from: who}
        - {field: actor.id, operator: exists, value: true}
        - {field: actor.id, operator: in, value: x}
        - {field: actor.id, operator: lt, value: [1]}
        - {field: actor.id, operator: matches, value: "a("}
        - {field: actor.id, operator: nmatches, value_from: resource}
        - {operator: eq, value: x, not: true}
        - text
"#,
        expect![[r#"
            error: entry `a` lacks `policy`
             --> shop/_index.yaml:4:12
              |
            4 |   - {name: a, kind: security.policy}
              |            ^

            error: `policy` lacks `actions`
             --> shop/_index.yaml:5:46
              |
            5 |   - {name: b, kind: security.policy, policy: {}}
              |                                              ^

            error: `policy` lacks `resources`
             --> shop/_index.yaml:5:46
              |
            5 |   - {name: b, kind: security.policy, policy: {}}
              |                                              ^

            error: `policy` lacks `effect`
             --> shop/_index.yaml:5:46
              |
            5 |   - {name: b, kind: security.policy, policy: {}}
              |                                              ^

            error: `actions` is empty: the policy would be about nothing
             --> shop/_index.yaml:6:56
              |
            6 |   - {name: c, kind: security.policy, policy: {actions: [], resources: 5, effect: permit, unless: x}, groups: staff}
              |                                                        ^

            error: an item of `resources` must be text, not `5`
             --> shop/_index.yaml:6:71
              |
            6 |   - {name: c, kind: security.policy, policy: {actions: [], resources: 5, effect: permit, unless: x}, groups: staff}
              |                                                                       ^
              |
              = help: put it into quotes

            error: unknown effect `permit`
             --> shop/_index.yaml:6:82
              |
            6 |   - {name: c, kind: security.policy, policy: {actions: [], resources: 5, effect: permit, unless: x}, groups: staff}
              |                                                                                  ^^^^^^
              |
              = help: there are `allow`, `deny`

            error: unknown key `unless` in `policy`
             --> shop/_index.yaml:6:90
              |
            6 |   - {name: c, kind: security.policy, policy: {actions: [], resources: 5, effect: permit, unless: x}, groups: staff}
              |                                                                                          ^^^^^^
              |
              = help: there are `actions`, `resources`, `effect`, `conditions`

            error: `groups` must be a list, not text
             --> shop/_index.yaml:6:110
              |
            6 |   - {name: c, kind: security.policy, policy: {actions: [], resources: 5, effect: permit, unless: x}, groups: staff}
              |                                                                                                              ^^^^^

            error: unknown permission `process.sned`
             --> shop/_index.yaml:7:57
              |
            7 |   - {name: d, kind: security.policy, policy: {actions: [process.sned, process.registry, "fs.raed*", "env.*", own.thing, "a*b"], resou...
              |                                                         ^^^^^^^^^^^^
              |
              = help: did you mean `process.send`?

            error: unknown permission `process.registry`
             --> shop/_index.yaml:7:71
              |
            7 |   - {name: d, kind: security.policy, policy: {actions: [process.sned, process.registry, "fs.raed*", "env.*", own.thing, "a*b"], resou...
              |                                                                       ^^^^^^^^^^^^^^^^
              |
              = help: there are `process.spawn`, `process.spawn.monitored`, `process.spawn.linked`, `process.host`, `process.exec`, `process.send`, `process.call`, `process.terminate`, `process.cancel`, `process.monitor`, `process.unmonitor`, `process.link` and 11 more

            error: unknown permission `fs.raed*`
             --> shop/_index.yaml:7:89
              |
            7 |   - {name: d, kind: security.policy, policy: {actions: [process.sned, process.registry, "fs.raed*", "env.*", own.thing, "a*b"], resou...
              |                                                                                         ^^^^^^^^^^
              |
              = help: did you mean `fs.read`?

            error: `a*b` has a `*` that is not at its end
             --> shop/_index.yaml:7:121
              |
            7 |   - {name: d, kind: security.policy, policy: {actions: [process.sned, process.registry, "fs.raed*", "env.*", own.thing, "a*b"], resou...
              |                                                                                                                         ^^^^^
              |
              = help: write `*` for any, `text*` for any with this beginning, or the whole text

            error: a pattern is empty
             --> shop/_index.yaml:7:140
              |
            7 | ...ss.registry, "fs.raed*", "env.*", own.thing, "a*b"], resources: "", effect: deny}}
              |                                                                    ^^
              |
              = help: write `*` for any, `text*` for any with this beginning, or the whole text

            error: unknown field `actor.name`
              --> shop/_index.yaml:15:19
               |
            15 |         - {field: actor.name, operator: eq, value: x}
               |                   ^^^^^^^^^^
               |
               = help: a field is `actor.id`, `actor.meta.x`, `action`, `resource`, `meta.pid` or `meta.x`

            error: unknown operator `equals`
              --> shop/_index.yaml:16:39
               |
            16 |         - {field: actor.id, operator: equals, value: x}
               |                                       ^^^^^^
               |
               = help: there are `eq`, `ne`, `lt`, `gt`, `lte`, `gte`, `in`, `nin`, `exists`, `nexists`, `contains`, `ncontains` and 2 more

            error: operator `eq` needs a value
              --> shop/_index.yaml:17:39
               |
            17 |         - {field: actor.id, operator: eq}
               |                                       ^^
               |
               = help: give it a `value`, or a `value_from` another field

            error: a condition has `value` or `value_from`, not both
              --> shop/_index.yaml:18:65
               |
            18 |         - {field: actor.id, operator: eq, value: x, value_from: resource}
               |                                                                 ^^^^^^^^

            error: unknown field `who`
              --> shop/_index.yaml:19:55
               |
            19 |         - {field: actor.id, operator: eq, value_from: who}
               |                                                       ^^^
               |
               = help: a field is `actor.id`, `actor.meta.x`, `action`, `resource`, `meta.pid` or `meta.x`

            error: operator `exists` takes no value
              --> shop/_index.yaml:20:54
               |
            20 |         - {field: actor.id, operator: exists, value: true}
               |                                                      ^^^^

            error: operator `in` needs a list
              --> shop/_index.yaml:21:50
               |
            21 |         - {field: actor.id, operator: in, value: x}
               |                                                  ^
               |
               = help: write the value like `[a, b]`

            error: operator `lt` needs a number or a text
              --> shop/_index.yaml:22:50
               |
            22 |         - {field: actor.id, operator: lt, value: [1]}
               |                                                  ^

            error: `a(` is not a usable regular expression: unclosed group
              --> shop/_index.yaml:23:55
               |
            23 |         - {field: actor.id, operator: matches, value: "a("}
               |                                                       ^^^^

            error: operator `nmatches` needs a regular expression as its value
              --> shop/_index.yaml:24:61
               |
            24 |         - {field: actor.id, operator: nmatches, value_from: resource}
               |                                                             ^^^^^^^^

            error: a condition lacks `field`
              --> shop/_index.yaml:25:11
               |
            25 |         - {operator: eq, value: x, not: true}
               |           ^

            error: unknown key `not` in a condition
              --> shop/_index.yaml:25:36
               |
            25 |         - {operator: eq, value: x, not: true}
               |                                    ^^^
               |
               = help: there are `field`, `operator`, `value`, `value_from`

            error: a condition must be a table, not text
              --> shop/_index.yaml:26:11
               |
            26 |         - text
               |           ^^^^

            error: 27 mistakes
        "#]],
    );
}

#[test]
fn security_names_policies_and_groups_that_are_there() {
    check(
        r#"  - {name: job, kind: process.lua, source: return 1}
  - {name: read, kind: security.policy, policy: {actions: "*", resources: "*", effect: allow}, groups: [staff]}
  - {name: processes, kind: process.host, security: {policies: [raed, job], groups: [stuff, "app.far:staff"]}}
  - {name: x, kind: process.service, process: job, host: processes, security: {}}
  - {name: y, kind: process.service, process: job, host: processes, security: {actor: ada, policy: read}}
  - {name: z, kind: process.service, process: job, host: processes, security: {actor: {meta: 5, role: x}}}
  - {name: v, kind: process.service, process: job, host: processes, security: {actor: {id: ""}}}
  - {name: w, kind: process.lua, source: return 1, security: {policies: [read]}}
"#,
        expect![[r#"
            error: there is no `security.policy` with the id `app:raed`
             --> shop/_index.yaml:6:65
              |
            6 |   - {name: processes, kind: process.host, security: {policies: [raed, job], groups: [stuff, "app.far:staff"]}}
              |                                                                 ^^^^
              |
              = help: did you mean `app:read`?

            error: `app:job` is a `process.lua`, not a `security.policy`
             --> shop/_index.yaml:6:71
              |
            6 |   - {name: processes, kind: process.host, security: {policies: [raed, job], groups: [stuff, "app.far:staff"]}}
              |                                                                       ^^^

            error: no `security.policy` is in the group `app:stuff`
             --> shop/_index.yaml:6:86
              |
            6 |   - {name: processes, kind: process.host, security: {policies: [raed, job], groups: [stuff, "app.far:staff"]}}
              |                                                                                      ^^^^^
              |
              = help: did you mean `app:staff`?

            error: no `security.policy` is in the group `app.far:staff`
             --> shop/_index.yaml:6:93
              |
            6 |   - {name: processes, kind: process.host, security: {policies: [raed, job], groups: [stuff, "app.far:staff"]}}
              |                                                                                             ^^^^^^^^^^^^^^^
              |
              = help: did you mean `app:staff`?

            error: `security` says nothing
             --> shop/_index.yaml:7:79
              |
            7 |   - {name: x, kind: process.service, process: job, host: processes, security: {}}
              |                                                                               ^
              |
              = help: give it an `actor`, `policies` or `groups`, or leave it out

            error: `actor` must be a table, not text
             --> shop/_index.yaml:8:87
              |
            8 |   - {name: y, kind: process.service, process: job, host: processes, security: {actor: ada, policy: read}}
              |                                                                                       ^^^

            error: unknown key `policy` in `security`
             --> shop/_index.yaml:8:92
              |
            8 |   - {name: y, kind: process.service, process: job, host: processes, security: {actor: ada, policy: read}}
              |                                                                                            ^^^^^^
              |
              = help: there are `actor`, `policies`, `groups`

            error: `actor` lacks `id`
             --> shop/_index.yaml:9:87
              |
            9 |   - {name: z, kind: process.service, process: job, host: processes, security: {actor: {meta: 5, role: x}}}
              |                                                                                       ^

            error: `meta` must be a table, not an integer
             --> shop/_index.yaml:9:94
              |
            9 |   - {name: z, kind: process.service, process: job, host: processes, security: {actor: {meta: 5, role: x}}}
              |                                                                                              ^

            error: unknown key `role` in `actor`
             --> shop/_index.yaml:9:97
              |
            9 |   - {name: z, kind: process.service, process: job, host: processes, security: {actor: {meta: 5, role: x}}}
              |                                                                                                 ^^^^
              |
              = help: there are `id`, `meta`

            error: actor id of 0 bytes is not 1 to 255 bytes long
              --> shop/_index.yaml:10:92
               |
            10 |   - {name: v, kind: process.service, process: job, host: processes, security: {actor: {id: ""}}}
               |                                                                                            ^^

            error: unknown key `security` in entry `w`
              --> shop/_index.yaml:11:52
               |
            11 |   - {name: w, kind: process.lua, source: return 1, security: {policies: [read]}}
               |                                                    ^^^^^^^^
               |
               = help: there are `name`, `kind`, `meta`, `source`, `method`, `imports`, `modules`, `limits`, `grants`

            error: 12 mistakes
        "#]],
    );
}

#[test]
fn the_application_is_strict_in_one_place() {
    let index = |rest: &str| format!("version: \"1.0\"\nnamespace: app\nentries: []\n{rest}");
    check_files(
        &[
            ("_index.yaml", &index("security: {strict: sure, policies: []}\n")),
            ("deep/_index.yaml", &index("security: {strict: true}\n")),
        ],
        expect![[r#"
            error: `strict` must be `true` or `false`, not text
             --> shop/_index.yaml:4:20
              |
            4 | security: {strict: sure, policies: []}
              |                    ^^^^

            error: unknown key `policies` in `security`
             --> shop/_index.yaml:4:26
              |
            4 | security: {strict: sure, policies: []}
              |                          ^^^^^^^^
              |
              = help: there is only `strict`

            error: `security` of the application stands in a folder of it
             --> shop/deep/_index.yaml:4:11
              |
            4 | security: {strict: true}
              |           ^
              |
              = help: move it to the `_index.yaml` of the application's own folder: it counts for all of it

            error: 3 mistakes
        "#]],
    );
    check_files(
        &[("_index.yaml", &index("security: {}\n"))],
        expect![[r#"
        error: `security` lacks `strict`
         --> shop/_index.yaml:4:11
          |
        4 | security: {}
          |           ^

        error: 1 mistake
    "#]],
    );
}

#[test]
fn a_scope_is_no_larger_than_a_process_may_have() {
    let index = |policies: usize| {
        let mut index = String::from(
            "version: \"1.0\"
namespace: app
entries:
  - {name: job, kind: process.lua, source: return print}
  - {name: processes, kind: process.host, security: {policies: [p0], groups: [all]}}
  - {name: desk, kind: process.service, process: job, host: processes, security: {groups: [all]}}
",
        );
        for number in 0..policies {
            let policy = "policy: {actions: look, resources: a, effect: allow}, groups: [all]";
            index += &format!("  - {{name: p{number}, kind: security.policy, {policy}}}\n");
        }
        index
    };
    assert_eq!(app(&[("_index.yaml", &index(256))]).policies().count(), 256);
    check_files(
        &[("_index.yaml", &index(257))],
        expect![[r#"
        error: scope of 257 policies exceeds the limit of 256
         --> shop/_index.yaml:5:79
          |
        5 |   - {name: processes, kind: process.host, security: {policies: [p0], groups: [all]}}
          |                                                                               ^^^

        error: scope of 257 policies exceeds the limit of 256
         --> shop/_index.yaml:6:92
          |
        6 |   - {name: desk, kind: process.service, process: job, host: processes, security: {groups: [all]}}
          |                                                                                            ^^^

        error: 2 mistakes
    "#]],
    );
}
