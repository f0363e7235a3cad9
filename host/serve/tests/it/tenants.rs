//! Starting and stopping.

use std::fs;

use lunarium_engine::Level;
use lunarium_serve::{LogFilter, TenantState};
use tempfile::tempdir;

use super::{ENTRIES, said, service, start, tenant, write};

#[tokio::test]
async fn each_tenant_is_a_node_and_a_wrong_one_shows_as_failed() {
    let root = tempdir().unwrap();
    write(&root.path().join("a"), &ENTRIES, &[("worker.lua", &service("this is a"))]);
    write(&root.path().join("b"), &ENTRIES, &[("worker.lua", "return {")]);
    write(&root.path().join("c"), &ENTRIES, &[("worker.lua", &service("this is c"))]);
    let host = start(vec![tenant("a", &root), tenant("b", &root), tenant("c", &root)]).await;
    let names: Vec<String> = host.tenants().iter().map(|tenant| tenant.name().to_owned()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    for name in ["a", "c"] {
        let tenant = host.tenant(name).unwrap();
        said(&tenant, &format!("this is {name}")).await;
        said(&tenant, "service app:service has started").await;
        assert_eq!(tenant.state(), TenantState::Running);
        let services = tenant.services();
        let [service] = services.as_slice() else { panic!("{services:?}") };
        assert_eq!((service.id.as_str(), service.state.as_str()), ("app:service", "running"));
        let processes = tenant.node().unwrap().processes();
        assert_eq!(processes.iter().map(|process| Some(&process.pid)).collect::<Vec<_>>(), [service.pid.as_ref()]);
        assert_eq!(tenant.deployment().unwrap().number, 1);
    }
    let TenantState::Failed { why } = host.tenant("b").unwrap().state() else { panic!("it runs") };
    assert!(why.contains("Lua does not compile") && why.contains("b/worker.lua:1"), "{why}");
    host.stop().await;
    assert_eq!(host.engine().usage().held.iter().map(|held| held.used).sum::<u64>(), 0);
}

#[tokio::test]
async fn a_tenant_whose_services_give_up_shows_as_failed_and_its_others_run() {
    let root = tempdir().unwrap();
    let broken = "{name: broken, kind: process.lua, source: \"return { main = function() error('no') end }\"}";
    let given_up = "{name: hopeless, kind: process.service, process: broken, host: 'app:processes', \
                    lifecycle: {restart: {initial_delay: 1ms, max_attempts: 1}}}";
    let entries = [&ENTRIES[..], &[broken, given_up]].concat();
    write(&root.path().join("a"), &entries, &[("worker.lua", &service("on and on"))]);
    let host = start(vec![tenant("a", &root)]).await;
    let a = host.tenant("a").unwrap();
    said(&a, "is given up").await;
    said(&a, "on and on").await;
    let TenantState::Failed { why } = a.state() else { panic!("{:?}", a.state()) };
    assert!(why.starts_with("service app:hopeless was given up after 1 restart: "), "{why}");
    assert_eq!(a.node().unwrap().process_count(), 1);
    let errors = a.logs().last(10, &LogFilter::default().above(Level::Error));
    assert!(errors.iter().any(|line| line.message.contains("app:hopeless has failed")), "{errors:?}");
    host.stop().await;
}

#[tokio::test]
async fn a_folder_without_an_application_is_a_tenant_that_has_failed() {
    let root = tempdir().unwrap();
    fs::create_dir(root.path().join("a")).unwrap();
    let host = start(vec![tenant("a", &root)]).await;
    let TenantState::Failed { why } = host.tenant("a").unwrap().state() else { panic!("it runs") };
    assert!(why.contains("there is no `_index.yaml` in `a` or below it"), "{why}");
    host.stop().await;
}
