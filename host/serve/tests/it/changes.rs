//! Reload, deploy, rollback: what changes, what isn't touched, and what a wrong one leaves.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_engine::Value;
use lunarium_serve::{Host, HostError, Origin, Tenant, TenantState};
use tempfile::{TempDir, tempdir};

use super::{ENTRIES, config, said, service, start, tenant, write};

/// A tar of a folder's files.
fn packed(folder: &Path) -> Bytes {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        builder.append_path_with_name(&path, path.file_name().unwrap()).unwrap();
    }
    builder.into_inner().unwrap().into()
}

fn sent(entries: &[&str], files: &[(&str, &str)]) -> Bytes {
    let folder = tempdir().unwrap();
    write(folder.path(), entries, files);
    packed(folder.path())
}

fn sent_service(word: &str) -> Bytes {
    sent(&ENTRIES, &[("worker.lua", &service(word))])
}

async fn start_with(data: &TempDir) -> Host {
    let mut config = config();
    config.data = Some(Dir::open_ambient_dir(data.path(), ambient_authority()).unwrap());
    Host::start(config).await.unwrap()
}

/// What a change did to services.
fn done(change: &lunarium_serve::Change) -> Vec<String> {
    let mut done: Vec<String> =
        change.services.iter().map(|(id, action)| format!("{id} {}", action.as_str())).collect();
    done.sort();
    done
}

fn pid(tenant: &Tenant, service: &str) -> String {
    let services = tenant.services();
    let known = services.iter().find(|known| known.id.as_str() == service).unwrap();
    known.pid.as_ref().unwrap().to_string()
}

const THREE: [&str; 8] = [
    "{name: shared, kind: library.lua, source: 'file://shared.lua'}",
    "{name: a, kind: process.lua, source: 'file://a.lua'}",
    "{name: b, kind: process.lua, source: 'file://b.lua', imports: {shared: shared}}",
    "{name: c, kind: process.lua, source: 'file://c.lua'}",
    "{name: sa, kind: process.service, process: a, host: 'app:processes'}",
    "{name: sb, kind: process.service, process: b, host: 'app:processes'}",
    "{name: sc, kind: process.service, process: c, host: 'app:processes', lifecycle: {on_change: keep}}",
    "{name: sd, kind: process.service, process: a, host: 'app:processes', input: [again]}",
];

fn with_library(word: &str) -> [(String, String); 4] {
    let b = "local s = require('shared') return { main = function() print('b ' .. s) process.events():receive() end }";
    let file = |name: &str, text: String| (name.to_owned(), text);
    [
        file("shared.lua", format!("return '{word}'")),
        file("a.lua", service("a")),
        file("b.lua", b.to_owned()),
        file("c.lua", service(&format!("c {word}"))),
    ]
}

fn write_three(folder: &Path, entries: &[&str], word: &str) {
    let files = with_library(word);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    write(folder, entries, &files);
}

#[tokio::test]
async fn what_has_not_changed_is_not_touched() {
    let root = tempdir().unwrap();
    let folder = root.path().join("t");
    write_three(&folder, &THREE, "one");
    let host = start(vec![tenant("t", &root)]).await;
    let t = host.tenant("t").unwrap();
    for service in ["sa", "sb", "sc", "sd"] {
        said(&t, &format!("service app:{service} has started")).await;
    }
    let before = ["app:sa", "app:sb", "app:sc", "app:sd"].map(|service| pid(&t, service));
    assert_eq!(done(&host.reload("t").await.unwrap()), [] as [&str; 0]);
    assert_eq!(["app:sa", "app:sb", "app:sc", "app:sd"].map(|service| pid(&t, service)), before);
    // Other library, and other code of the one that is kept.
    write_three(&folder, &THREE[..7], "two");
    let change = host.reload("t").await.unwrap();
    assert_eq!(done(&change), ["app:sb restarts", "app:sc keeps", "app:sd stops"]);
    said(&t, "b two").await;
    said(&t, "service app:sd has stopped").await;
    assert_eq!([pid(&t, "app:sa"), pid(&t, "app:sc")], [before[0].clone(), before[2].clone()]);
    assert_ne!(pid(&t, "app:sb"), before[1]);
    assert!(t.services().iter().all(|service| service.id.as_str() != "app:sd"));
    assert_eq!(change.deployment.number, 3);
    // Back to the one before.
    let back = host.rollback("t").await.unwrap();
    assert_eq!(done(&back), ["app:sb restarts", "app:sd starts"]);
    assert_eq!(back.deployment.number, 2);
    host.stop().await;
}

#[tokio::test]
async fn a_wrong_application_changes_nothing() {
    let root = tempdir().unwrap();
    let folder = root.path().join("t");
    write(&folder, &ENTRIES, &[("worker.lua", &service("good"))]);
    let host = start(vec![tenant("t", &root)]).await;
    let t = host.tenant("t").unwrap();
    said(&t, "service app:service has started").await;
    let before = pid(&t, "app:service");
    write(&folder, &ENTRIES, &[("worker.lua", "return {")]);
    let error = host.reload("t").await.unwrap_err();
    assert!(matches!(&error, HostError::Wrong(_)) && error.to_string().contains("does not compile"), "{error}");
    assert_eq!((pid(&t, "app:service"), t.state()), (before, TenantState::Running));
    assert_eq!(t.deployment().unwrap().number, 1);
    host.stop().await;
}

#[tokio::test]
async fn an_upgrade_keeps_pid_name_and_unread_messages() {
    let entries = [
        "{name: worker, kind: process.lua, source: 'file://worker.lua'}",
        "{name: service, kind: process.service, process: worker, host: 'app:processes', lifecycle: {on_change: upgrade}}",
    ];
    let first = "return { main = function() process.registry.register('known') process.events():receive() end }";
    let second = "return { main = function()
        print(process.registry.lookup('known') == process.pid(), process.listen('work'):receive())
        process.events():receive()
    end }";
    let root = tempdir().unwrap();
    let folder = root.path().join("t");
    write(&folder, &entries, &[("worker.lua", first)]);
    let host = start(vec![tenant("t", &root)]).await;
    let t = host.tenant("t").unwrap();
    said(&t, "service app:service has started").await;
    let before = pid(&t, "app:service");
    t.node().unwrap().send("known", "work", &Value::from("unread")).unwrap();
    write(&folder, &entries, &[("worker.lua", second)]);
    assert_eq!(done(&host.reload("t").await.unwrap()), ["app:service upgrades"]);
    said(&t, "true\tunread").await;
    assert_eq!(pid(&t, "app:service"), before);
    assert_eq!(t.node().unwrap().audit().map(drop), Ok(()));
    host.stop().await;
}

#[tokio::test]
async fn a_service_that_was_given_up_starts_when_it_was_mended() {
    let root = tempdir().unwrap();
    let folder = root.path().join("t");
    let entries = [
        ENTRIES[0],
        "{name: service, kind: process.service, process: worker, host: 'app:processes', \
         lifecycle: {restart: {initial_delay: 1ms, max_attempts: 1}}}",
        "{name: other, kind: process.service, process: worker, host: 'app:processes', lifecycle: {depends_on: [service]}}",
    ];
    write(&folder, &entries, &[("worker.lua", "return { main = function() error('no') end }")]);
    let host = start(vec![tenant("t", &root)]).await;
    let t = host.tenant("t").unwrap();
    said(&t, "service app:other does not start").await;
    assert!(matches!(t.state(), TenantState::Failed { .. }));
    write(&folder, &entries, &[("worker.lua", &service("mended"))]);
    host.reload("t").await.unwrap();
    said(&t, "service app:other has started").await;
    assert_eq!(t.state(), TenantState::Running);
    host.stop().await;
}

#[tokio::test]
async fn an_archive_makes_a_tenant_which_outlives_the_host() {
    let data = tempdir().unwrap();
    let host = start_with(&data).await;
    let change = host.deploy("shop", sent_service("one")).await.unwrap();
    assert_eq!((change.deployment.number, change.deployment.origin), (1, Origin::Archive));
    said(&host.tenant("shop").unwrap(), "one").await;
    for word in ["two", "three", "four"] {
        host.deploy("shop", sent_service(word)).await.unwrap();
        said(&host.tenant("shop").unwrap(), word).await;
    }
    host.stop().await;
    let kept = |data: &TempDir| {
        let folder = data.path().join("tenants/shop/deployments");
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(kept(&data), ["2", "3", "4"]);
    let host = start_with(&data).await;
    let shop = host.tenant("shop").unwrap();
    said(&shop, "four").await;
    assert_eq!(host.rollback("shop").await.unwrap().deployment.number, 3);
    said(&shop, "three").await;
    assert_eq!(host.rollback("shop").await.unwrap().deployment.number, 2);
    let error = host.rollback("shop").await.unwrap_err();
    assert_eq!(error.to_string(), "tenant `shop` has no earlier deployment to go back to");
    assert_eq!(kept(&data), ["2"]);
    // A number isn't used twice while something of that number may run.
    assert!(host.deploy("shop", sent_service("five")).await.unwrap().deployment.number > 2);
    host.remove("shop").await.unwrap();
    assert!(host.tenant("shop").is_none() && !data.path().join("tenants/shop").exists());
    host.stop().await;
    assert!(start_with(&data).await.tenants().is_empty());
}

#[tokio::test]
async fn a_wrong_archive_changes_nothing_and_leaves_nothing() {
    let data = tempdir().unwrap();
    let host = start_with(&data).await;
    let wrong = sent(&ENTRIES, &[("worker.lua", "return {")]);
    let text = host.deploy("shop", wrong.clone()).await.unwrap_err().to_string();
    assert!(text.contains("shop/worker.lua:1"), "{text}");
    assert!(host.tenant("shop").is_none() && !data.path().join("tenants/shop").exists());
    host.deploy("shop", sent_service("good")).await.unwrap();
    let shop = host.tenant("shop").unwrap();
    said(&shop, "service app:service has started").await;
    let before = pid(&shop, "app:service");
    let half = sent_service("half");
    for archive in [wrong, half.slice(..half.len() / 2), Bytes::from_static(b"no tar at all")] {
        host.deploy("shop", archive).await.unwrap_err();
    }
    let left: Vec<_> = fs::read_dir(data.path().join("tenants/shop/deployments")).unwrap().collect();
    assert_eq!((left.len(), pid(&shop, "app:service")), (1, before));
    let error = host.deploy("Shop", Bytes::new()).await.unwrap_err();
    assert!(error.to_string().starts_with("`Shop` can't be the name of a tenant"), "{error}");
    host.stop().await;
}

#[tokio::test]
async fn a_host_that_was_killed_in_the_middle_has_the_old_one() {
    let data = tempdir().unwrap();
    let host = start_with(&data).await;
    host.deploy("shop", sent_service("old")).await.unwrap();
    host.stop().await;
    let deployments = data.path().join("tenants/shop/deployments");
    let half = |name: &str| write(&deployments.join(name), &ENTRIES, &[("worker.lua", &service("new"))]);
    // Killed while it was unpacked; when it was whole and didn't count; while what counts was written.
    half("2.part");
    half("3");
    fs::write(data.path().join("tenants/shop/current.new"), "3").unwrap();
    let host = start_with(&data).await;
    let shop = host.tenant("shop").unwrap();
    said(&shop, "old").await;
    assert_eq!(shop.deployment().unwrap().number, 1);
    let left: Vec<_> = fs::read_dir(&deployments).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["1"]);
    assert_eq!(host.deploy("shop", sent_service("new")).await.unwrap().deployment.number, 2);
    host.stop().await;
}

#[tokio::test]
async fn without_a_data_directory_nothing_is_deployed() {
    let host = start(Vec::new()).await;
    let error = host.deploy("shop", sent_service("x")).await.unwrap_err();
    assert!(error.to_string().contains("`--data DIR`"), "{error}");
    assert_eq!(host.reload("shop").await.unwrap_err().to_string(), "there is no tenant `shop`");
    host.stop().await;
}

#[tokio::test]
async fn a_tenant_of_the_file_is_not_removed_and_can_be_deployed_to() {
    let (root, data) = (tempdir().unwrap(), tempdir().unwrap());
    write(&root.path().join("t"), &ENTRIES, &[("worker.lua", &service("folder"))]);
    let mut config = config();
    config.data = Some(Dir::open_ambient_dir(data.path(), ambient_authority()).unwrap());
    let mut entry = tenant("t", &root);
    entry.named = true;
    config.tenants = vec![entry];
    let host = Host::start(config).await.unwrap();
    let t = host.tenant("t").unwrap();
    said(&t, "folder").await;
    assert!(matches!(host.remove("t").await, Err(HostError::Named(_))));
    host.deploy("t", sent_service("sent")).await.unwrap();
    said(&t, "sent").await;
    let back = host.rollback("t").await.unwrap();
    assert_eq!(back.deployment.origin, Origin::Folder);
    assert!(!data.path().join("tenants/t/current").exists());
    host.stop().await;
}

#[tokio::test]
async fn tenants_come_go_and_get_other_budgets_while_others_run() {
    let root = tempdir().unwrap();
    for name in ["a", "b", "c"] {
        write(&root.path().join(name), &ENTRIES, &[("worker.lua", &service(name))]);
    }
    let named = |name: &str, processes: Option<u32>| {
        let mut config = tenant(name, &root);
        config.named = true;
        config.budget.processes = processes;
        config
    };
    let host = start(vec![named("a", None), named("b", None)]).await;
    for name in ["a", "b"] {
        said(&host.tenant(name).unwrap(), "has started").await;
    }
    let before = pid(&host.tenant("a").unwrap(), "app:service");
    let (a, b) = (host.tenant("a").unwrap(), host.tenant("b").unwrap());
    let results = host.configure(Default::default(), vec![named("a", None), named("c", None)]).await;
    assert!(results.iter().all(|(_, result)| result.is_ok()), "{results:?}");
    assert_eq!(pid(&a, "app:service"), before);
    assert_eq!(b.state(), TenantState::Stopping);
    said(&host.tenant("c").unwrap(), "has started").await;
    assert!(host.tenant("b").is_none());
    let results = host.configure(Default::default(), vec![named("a", Some(7)), named("c", None)]).await;
    assert!(results.iter().all(|(_, result)| result.is_ok()), "{results:?}");
    let held = a.node().unwrap().usage().of("node.processes").unwrap();
    assert_eq!((held.limit, a.state()), (7, TenantState::Running));
    assert_eq!(pid(&a, "app:service"), before, "a budget is no reason to stop");
    host.stop().await;
}

#[tokio::test]
async fn a_budget_changes_while_its_tenant_runs_and_below_what_is_held_only_more_is_refused() {
    let root = tempdir().unwrap();
    let grows = "return {
        main = function() process.events():receive() end,
        grow = function(bytes) held = ('x'):rep(bytes) return #held end,
        spawn = function() return process.spawn('app:worker', 'app:processes') end,
    }";
    write(&root.path().join("t"), &ENTRIES, &[("worker.lua", grows)]);
    let entry = |memory: u64, reserve: u64, processes: u32| {
        let mut config = tenant("t", &root);
        config.named = true;
        config.budget.memory = Some(memory);
        config.budget.reserve = Some(reserve);
        config.budget.processes = Some(processes);
        config.budget.cpu_weight = Some(50);
        config.budget.cpu_max = Some(std::time::Duration::from_secs(1));
        config.budget.log_bytes = Some(1_000);
        config
    };
    let host = start(vec![entry(64 << 20, 0, 100)]).await;
    let t = host.tenant("t").unwrap();
    said(&t, "service app:service has started").await;
    let (node, before) = (t.node().unwrap(), pid(&t, "app:service"));
    let call = async |function: &str, arguments: &[Value]| node.call(&before, function, arguments).await;
    let configure = async |config| {
        let results = host.configure(Default::default(), vec![config]).await;
        results.into_iter().next().unwrap().1.map(drop)
    };
    assert!(call("grow", &[Value::Integer(3 << 20)]).await.is_ok());
    let held = node.usage().of("node.memory").unwrap().used;
    assert!(held > 3 << 20);
    configure(entry(2 << 20, 0, 1)).await.unwrap();
    let usage = node.usage();
    let limits = ["node.memory", "node.processes", "node.log_bytes"].map(|name| usage.of(name).unwrap().limit);
    assert_eq!(limits, [2 << 20, 1, 1_000]);
    assert!(usage.of("node.memory").unwrap().used >= held, "nothing is taken away");
    let refused = call("spawn", &[]).await.unwrap();
    assert_eq!(refused[0], Value::Nil, "{refused:?}");
    configure(entry(64 << 20, 32 << 20, 2)).await.unwrap();
    assert!(call("spawn", &[]).await.unwrap()[0].as_str().is_some());
    assert!(host.engine().usage().of("engine.memory").unwrap().used >= 32 << 20);
    // Also when the application is wrong, whose author may be who is to have less.
    fs::write(root.path().join("t/worker.lua"), "return {").unwrap();
    assert!(matches!(configure(entry(48 << 20, 16 << 20, 2)).await, Err(HostError::Wrong(_))));
    assert_eq!(node.usage().of("node.memory").unwrap().limit, 48 << 20);
    // There is no room for so large a reserve: all is as it was.
    let error = configure(entry(u64::MAX, 1 << 60, 3)).await.unwrap_err();
    assert!(
        error.to_string().starts_with("no room for the tenant's reserve: the engine is at its memory budget"),
        "{error}"
    );
    assert_eq!(node.usage().of("node.processes").unwrap().limit, 2);
    assert_eq!((pid(&t, "app:service"), t.state()), (before.clone(), TenantState::Running));
    assert_eq!(node.audit().map(drop), Ok(()));
    host.stop().await;
    let left = host.engine().usage().of("engine.memory").unwrap().used;
    assert_eq!(left, 0, "nor its reserve, though somebody has the node");
}

#[tokio::test]
async fn of_two_first_deployments_at_once_the_right_one_stays() {
    let data = tempdir().unwrap();
    let host = start_with(&data).await;
    let wrong = host.deploy("shop", sent(&ENTRIES, &[("worker.lua", "return {")]));
    let (wrong, right) = tokio::join!(wrong, host.deploy("shop", sent_service("right")));
    assert!(matches!(wrong, Err(HostError::Wrong(_))), "{wrong:?}");
    let number = right.unwrap().deployment.number;
    let shop = host.tenant("shop").unwrap();
    said(&shop, "right").await;
    assert_eq!(shop.deployment().unwrap().number, number);
    assert!(data.path().join("tenants/shop/current").exists());
    host.stop().await;
}
