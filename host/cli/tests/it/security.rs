//! What an application says about actors and policies reaches its processes.

use expect_test::expect;

use crate::{Running, app, folder, run};

#[test]
fn in_a_strict_application_nobody_may_do_anything_unsaid() {
    let index = |top: &str| {
        let main = "return function() print(process.send(process.pid(), 't')) print(security.can('x', 'y')) end";
        format!(
            "version: \"1.0\"\nnamespace: app\n{top}entries:\n  - {{name: main, kind: process.lua, source: \"{main}\"}}\n"
        )
    };
    let lax = run(&folder(&[("app/_index.yaml", &index(""))]), &["run", "app"]);
    expect![[r#"
        exit code: 0
        --- stdout
        true	nil
        true
    "#]]
    .assert_eq(&lax);
    assert_eq!(run(&folder(&[("app/_index.yaml", &index("security: {strict: false}\n"))]), &["run", "app"]), lax);
    let strict = run(&folder(&[("app/_index.yaml", &index("security: {strict: true}\n"))]), &["run", "app"]);
    expect![[r#"
        exit code: 0
        --- stdout
        nil	permission `process.send` on `{app:processes|0x00001}` is missing
        false
    "#]]
    .assert_eq(&strict);
}

#[test]
fn a_service_has_its_own_security_and_the_rest_of_its_hosts() {
    let folder = app(r#"
  - name: job
    kind: process.lua
    source: |
      return function()
        local policies = (function() local t = {} for i, p in ipairs(security.scope():policies()) do t[i] = p:id() end return table.concat(t, " ") end)()
        print(security.actor():id(), security.actor():meta().role, policies, security.can("look", "x"))
        process.events():receive()
      end
  - {name: look, kind: security.policy, policy: {actions: look, resources: "*", effect: allow}, groups: [lookers]}
  - {name: none, kind: security.policy, policy: {actions: none, resources: "*", effect: deny}}
  - {name: processes, kind: process.host, security: {actor: {id: host}, policies: [none]}}
  - {name: one, kind: process.service, process: job, host: processes, security: {actor: {id: one, meta: {role: clerk}}, groups: [lookers]}}
  - {name: two, kind: process.service, process: job, host: processes, lifecycle: {depends_on: [one]}, security: {groups: [lookers]}}
  - {name: three, kind: process.service, process: job, host: processes, lifecycle: {depends_on: [two]}}
"#);
    let mut running = Running::start(&folder, &["run", "app"]);
    let mut lines = [running.line(), running.line(), running.line()];
    lines.sort();
    expect![[r#"
        host	nil	app:look	true
        host	nil	app:none	false
        one	clerk	app:look	true
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
    running.signal("INT");
    running.finish();
}
