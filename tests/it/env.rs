//! `env`: what was granted and is set; anything else looks absent.

use expect_test::expect;
use lunarium_engine::{Grants, HostDefinition, HostId, SpawnRequest};
use lunarium_tests::{Lab, show_outcome};

use crate::check::{check_main, check_main_in};

fn variables(pairs: &[(&str, Option<&str>)]) -> Grants {
    let grant =
        |grants: Grants, (name, value): &(&str, Option<&str>)| grants.with_variable(*name, value.map(str::to_owned));
    pairs.iter().fold(Grants::new(), grant)
}

#[test]
fn a_granted_variable_is_read() {
    check_main_in(
        &Lab::granting(variables(&[("GREETING", Some("hello, \u{65e5}")), ("EMPTY", Some("")), ("UNSET", None)])),
        r#"
        print(env.get("GREETING"), require("env").get("EMPTY") == "")
        for _, name in ipairs { "UNSET", "PATH", "greeting", "a=b", "\0" } do
            local value, err = env.get(name)
            print(value, err, err:kind(), err:retryable())
        end
        print(kind(env.get()), kind(env.get("")))
        print(kind(env.get(("x"):rep(256))))
        print(raised(env.get, {}))
        print(fs, pcall(require, "fs"))
        "#,
        expect![[r#"
            hello, 日	true
            nil	variable `UNSET` not found	NotFound	false
            nil	variable `PATH` not found	NotFound	false
            nil	variable `greeting` not found	NotFound	false
            nil	variable `a=b` not found	NotFound	false
            nil	variable `\x00` not found	NotFound	false
            nil	nil	Invalid
            nil	Invalid
            bad argument #1 to 'env.get' (string expected, got table)
            nil	false	module 'fs' not found: it needs a grant
            => nil
        "#]],
    );
}

#[test]
fn without_a_grant_there_is_no_module() {
    check_main(
        r#"
        print(env, fs)
        print(pcall(require, "env"))
        print(pcall(require, "fs"))
        "#,
        expect![[r#"
            nil	nil
            false	module 'env' not found: it needs a grant
            false	module 'fs' not found: it needs a grant
            => nil
        "#]],
    );
}

#[test]
fn a_host_grants_to_all_of_its_processes_and_a_parent_to_none() {
    let lab = Lab::default();
    lab.define(
        r#"
return function() return env and env.get("A") or "nothing" end
-- entry: parent
return function(host)
    process.spawn_monitored("app:main", host)
    return env.get("A") .. " and " .. process.events():receive().result.value
end
        "#,
    );
    let host = HostId::new("app:trusted");
    let trusted = HostDefinition::new(host.clone())
        .with_max_processes(10)
        .with_grants(variables(&[("A", Some("granted by the host"))]));
    lab.node.add_host(trusted).unwrap();
    let run = |name: &str, host: &HostId, argument: &str| {
        let request =
            SpawnRequest::new(lunarium_engine::EntryId::new(name), host.clone()).with_arguments(vec![argument.into()]);
        show_outcome(&lab.node.spawn(request).unwrap().wait_blocking())
    };
    assert_eq!(run("app:main", &host, ""), r#"=> "granted by the host""#);
    assert_eq!(run("app:main", &HostId::new("app:processes"), ""), r#"=> "nothing""#);
    assert_eq!(run("app:parent", &host, "app:processes"), r#"=> "granted by the host and nothing""#);
}
