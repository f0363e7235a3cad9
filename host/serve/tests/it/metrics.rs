//! What is told of a host in numbers, and that dashboard and alerts ask for nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use lunarium_engine::{EntryId, HostDefinition, HostId, SpawnRequest, Value};
use lunarium_serve::metrics::HttpReading;
use lunarium_serve::{Host, Metrics};
use tempfile::{TempDir, tempdir};

use super::{ENTRIES, said, service, start, tenant, write};

/// Entries of a tenant with a service that fails once, and with a program that ends as it is told.
const FAILING: [&str; 4] = [
    "{name: worker, kind: process.lua, source: 'file://worker.lua'}",
    "{name: ends, kind: process.lua, source: 'file://ends.lua', limits: {mailbox_messages: 8}}",
    "{name: service, kind: process.service, process: worker, host: 'app:processes', lifecycle: {restart: {initial_delay: 1ms}}}",
    "{name: never, kind: process.service, process: worker, host: 'app:processes', lifecycle: {auto_start: false}}",
];

const WORKER: &str = "return { main = function()
  if process.registry.register('failed') then process.spawn('app:ends', 'app:processes', 'keeps') end
  process.events():receive()
end }";

const ENDS: &str = "return { main = function(how)
  if how == 'fails' then error('no') end
  if how == 'asks' then for i = 1, 20 do process.send(process.pid(), 'nobody listens', i) end end
end }";

async fn some_host(root: &TempDir) -> Host {
    write(&root.path().join("a"), &FAILING[..3], &[("worker.lua", WORKER), ("ends.lua", ENDS)]);
    write(&root.path().join("b"), &ENTRIES, &[("worker.lua", "return {")]);
    write(&root.path().join("c"), &ENTRIES, &[("worker.lua", &service("this is c"))]);
    let host = start(vec![tenant("a", root), tenant("b", root), tenant("c", root)]).await;
    for name in ["a", "c"] {
        said(&host.tenant(name).unwrap(), "service app:service has started").await;
    }
    host
}

/// Only one of the tenants answers requests.
fn metrics(host: &Host) -> Metrics {
    let reading = HttpReading {
        answers: vec![("2xx", 3), ("5xx", 1)],
        latencies: vec![(0.001, 3), (f64::MAX, 1)],
        ..HttpReading::default()
    };
    Metrics::new(host.clone(), Box::new(move |tenant: &str| (tenant == "c").then(|| reading.clone())))
}

/// Each series with its value.
fn series(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').map(|(series, value)| (series, value.parse().unwrap())).unwrap()).collect()
}

#[tokio::test]
async fn what_happens_is_told_by_tenant_and_process_host() {
    let root = tempdir().unwrap();
    let host = some_host(&root).await;
    let node = host.tenant("a").unwrap().node().unwrap();
    let run = |how: &'static str| {
        let request = SpawnRequest::new(EntryId::new("app:ends"), HostId::new("app:processes"));
        node.spawn(request.with_arguments(vec![how.into()])).unwrap().wait_blocking()
    };
    let _ = (run("fails"), run("ends"), run("asks"));
    let large = Value::from("x".repeat(2 << 20).as_str());
    node.send(node.processes()[0].pid.as_str(), "t", &large).unwrap_err();
    let text = metrics(&host).text().await;
    assert!(text.ends_with("# EOF\n"), "{text}");
    let series = series(&text);
    let of = |name: &str| *series.get(name).unwrap_or_else(|| panic!("no {name} in\n{text}"));
    let a = r#"tenant="a",host="app:processes""#;
    assert_eq!(of(&format!("lunarium_ends_total{{{a},kind=\"Internal\"}}")), 1.0);
    assert!(of(&format!("lunarium_ends_total{{{a},kind=\"completed\"}}")) >= 2.0);
    assert!(of(&format!("lunarium_refusals_total{{{a},reason=\"mailbox_messages\"}}")) >= 10.0);
    assert_eq!(of(r#"lunarium_refusals_total{tenant="a",host="",reason="message"}"#), 1.0);
    assert!(of(&format!("lunarium_spawns_total{{{a}}}")) >= 4.0);
    assert_eq!(of(&format!("lunarium_processes{{{a}}}")), 1.0);
    assert!(of(&format!("lunarium_memory_bytes{{{a}}}")) > 0.0);
    for (tenant, state) in [("a", "running"), ("b", "failed"), ("c", "running")] {
        assert_eq!(of(&format!("lunarium_tenant_state{{tenant=\"{tenant}\",state=\"{state}\"}}")), 1.0);
    }
    assert_eq!(of(r#"lunarium_services{tenant="a",state="running"}"#), 1.0);
    assert_eq!(of(r#"lunarium_service_restarts_total{tenant="a"}"#), 0.0);
    assert_eq!(of(r#"lunarium_http_requests_total{tenant="c",status="5xx"}"#), 1.0);
    assert_eq!(of(r#"lunarium_http_request_duration_seconds_bucket{le="+Inf",tenant="c"}"#), 4.0);
    assert_eq!(of("lunarium_engine_slots_limit"), 100.0);
    assert_eq!(of("lunarium_tenants"), 3.0);
    // Several starts and waits, of which the first is measured.
    assert!(of(r#"lunarium_scheduler_delay_seconds_count{urgency="woken"}"#) >= 0.0);
    assert!(!text.contains("0x0"), "no pid is a label");
    host.stop().await;
}

#[tokio::test]
async fn a_tenant_with_many_hosts_has_series_for_some_and_for_the_rest() {
    let root = tempdir().unwrap();
    let host = some_host(&root).await;
    let node = host.tenant("c").unwrap().node().unwrap();
    for number in 0..50 {
        node.add_host(HostDefinition::new(HostId::new(format!("many:{number:02}")))).unwrap();
    }
    let text = metrics(&host).text().await;
    let hosts: Vec<_> = text.lines().filter(|line| line.starts_with("lunarium_processes{tenant=\"c\"")).collect();
    assert_eq!(hosts.len(), 33, "{hosts:#?}");
    assert!(hosts[32].contains("host=\"other\"") && hosts[31].contains("host=\"many:30\""), "{hosts:#?}");
    host.stop().await;
}

#[tokio::test]
async fn a_process_host_that_was_replaced_counts_with_the_one_after_it() {
    let root = tempdir().unwrap();
    let write_with = |most: u32| {
        let own = format!("{{name: own, kind: process.host, host: {{max_processes: {most}}}}}");
        let entries = [own.as_str(), ENTRIES[0]];
        write(&root.path().join("t"), &entries, &[("worker.lua", &service("here"))]);
    };
    write_with(5);
    let host = start(vec![tenant("t", &root)]).await;
    let node = host.tenant("t").unwrap().node().unwrap();
    let spawn = |messages: u32| {
        let request = SpawnRequest::new(EntryId::new("app:worker"), HostId::new("app:own"));
        let process = node.spawn(request).unwrap();
        (0..messages).for_each(|number| process.send("nobody listens", &number).unwrap());
        process
    };
    let before = spawn(1);
    write_with(6);
    host.reload("t").await.unwrap();
    let after = spawn(2);
    let counts = node.counts();
    let own = counts.hosts.iter().filter(|host| host.host.as_str() == "app:own");
    let mut unread: Vec<_> = own.map(|host| (host.processes.used, host.unread, host.deepest)).collect();
    unread.sort_unstable();
    assert_eq!(unread, [(1, 1, 1), (1, 2, 2)], "each has its own");
    let text = metrics(&host).text().await;
    let series = series(&text);
    assert_eq!(series.len(), text.lines().filter(|line| !line.starts_with('#')).count(), "each stands once in\n{text}");
    let of = |name: &str| series[format!("lunarium_{name}{{tenant=\"t\",host=\"app:own\"}}").as_str()];
    let told = ["processes", "processes_limit", "spawns_total", "mailbox_messages", "mailbox_deepest_messages"].map(of);
    assert_eq!(told, [2.0, 11.0, 2.0, 3.0, 2.0]);
    drop((before, after));
    host.stop().await;
}

#[tokio::test]
async fn the_last_points_are_kept_of_the_host_and_of_each_tenant() {
    let root = tempdir().unwrap();
    let host = some_host(&root).await;
    let metrics = metrics(&host);
    assert_eq!(metrics.history(None), Some(Vec::new()));
    for _ in 0..305 {
        metrics.note().await;
    }
    let (whole, c) = (metrics.history(None).unwrap(), metrics.history(Some("c")).unwrap());
    assert_eq!((whole.len(), c.len(), metrics.history(Some("nobody"))), (300, 300, None));
    assert!(c.is_sorted_by_key(|point| point.at) && c[299].processes == 1 && c[299].requests == 4, "{:?}", c[299]);
    assert_eq!((whole[299].processes, whole[299].requests), (2, 4));
    assert!(whole[299].memory >= c[299].memory && c[299].memory > 0);
    host.stop().await;
}

/// Names of metrics that an expression of a dashboard or an alert holds.
fn asked(text: &str) -> BTreeSet<&str> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("lunarium_")).collect()
}

#[tokio::test]
async fn dashboard_alerts_and_page_name_what_is_told() {
    let root = tempdir().unwrap();
    let host = some_host(&root).await;
    let text = metrics(&host).text().await;
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut told = BTreeSet::new();
    for (name, kind) in types {
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        };
        told.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
    }
    assert!(told.iter().all(|name| name.starts_with("lunarium_")), "{told:?}");
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let dashboard = read("dashboard.json");
    serde_json::from_str::<serde_json::Value>(&dashboard).unwrap();
    for text in [&dashboard, &read("alerts.yaml")] {
        let names = asked(text);
        assert!(names.len() > 5, "{names:?}");
        let unknown: Vec<_> = names.iter().filter(|name| !told.contains(**name)).collect();
        assert!(unknown.is_empty(), "nobody tells {unknown:?}");
    }
    let page = fs::read_to_string(folder.join("../metrics.md")).unwrap();
    let written: BTreeSet<String> = asked(&page).into_iter().map(str::to_owned).collect();
    let told: BTreeSet<String> =
        told.into_iter().filter(|name| !name.ends_with("_sum") && !name.ends_with("_count")).collect();
    let told: BTreeSet<String> = told.into_iter().map(|name| name.trim_end_matches("_bucket").to_owned()).collect();
    assert_eq!(written, told, "docs/metrics.md lists what there is");
    host.stop().await;
}
