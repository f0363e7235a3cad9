//! Deployments over HTTP, and that each change is recorded with what came of it.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use lunarium_engine::Node;
use lunarium_serve::{Host, HostChange, Reloader};
use serde_json::{Value, json};
use tar::{Builder, Header};

use super::{ENTRIES, Served, serve, serve_host, serve_with};
use crate::{config, said, service, tenant, write};

const TENANT: &str = "/v1/tenants/{name}";
const RELOAD_HOST: &str = "/v1/host/reload";
const RELOAD: &str = "/v1/tenants/{name}/reload";
const RESTART: &str = "/v1/tenants/{name}/restart";
const ROLLBACK: &str = "/v1/tenants/{name}/rollback";

/// An application's folder as a tar.
fn archive(word: &str) -> Vec<u8> {
    let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n  - {}\n  - {}\n", ENTRIES[0], ENTRIES[1]);
    let mut archive = Builder::new(Vec::new());
    for (name, text) in [("_index.yaml", index), ("worker.lua", service(word))] {
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A host with a place for deployments, and the tenant `shop` from a folder.
async fn deployable() -> Served {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("shop"), &ENTRIES, &[("worker.lua", &service("first"))]);
    std::fs::create_dir(root.path().join("data")).unwrap();
    let mut config = config();
    config.data = Some(Dir::open_ambient_dir(root.path().join("data"), ambient_authority()).unwrap());
    config.tenants = vec![tenant("shop", &root)];
    let host = Host::start(config).await.unwrap();
    serve_host(host, root)
}

async fn put(served: &Served, name: &str, tar: &[u8]) -> super::Answer {
    let head = format!(
        "PUT /v1/tenants/{name} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-tar\r\nContent-Length: {}\r\n\r\n",
        tar.len()
    );
    served.raw(&[head.as_bytes(), tar].concat()).await.unwrap()
}

async fn deployed(served: &Served, name: &str, tar: &[u8]) -> Value {
    let answer = put(served, name, tar).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let value = answer.json();
    served.document.check("PUT", TENANT, 200, &value).unwrap();
    value
}

#[tokio::test]
async fn what_is_sent_runs_and_what_ran_before_can_run_again() {
    let served = deployable().await;
    let shop = served.host.tenant("shop").unwrap();
    said(&shop, "first").await;
    let change = deployed(&served, "shop", &archive("second")).await;
    assert_eq!((&change["deployment"]["number"], &change["deployment"]["origin"]), (&json!(2), &json!("archive")));
    assert_eq!(change["services"], json!([{"id": "app:service", "step": "restarts"}]));
    said(&shop, "second").await;
    let change = served.expect("POST", ROLLBACK, "/v1/tenants/shop/rollback", None, 200).await;
    assert_eq!(change["deployment"]["origin"], "folder");
    served.expect("POST", ROLLBACK, "/v1/tenants/shop/rollback", None, 409).await;
    let change = served.expect("POST", RELOAD, "/v1/tenants/shop/reload", None, 200).await;
    assert_eq!(change["services"], json!([]), "nothing has changed");
    // A tenant that wasn't there comes, and goes.
    deployed(&served, "later", &archive("later")).await;
    said(&served.host.tenant("later").unwrap(), "later").await;
    let removed = served.expect("DELETE", TENANT, "/v1/tenants/later", None, 200).await;
    assert_eq!(removed, json!({"removed": "later"}));
    served.expect("DELETE", TENANT, "/v1/tenants/later", None, 404).await;
    served.expect("POST", RELOAD, "/v1/tenants/later/reload", None, 404).await;
    let audit = served.get("/v1/audit", "/v1/audit").await;
    let records = audit["records"].as_array().unwrap();
    let short: Vec<(&str, &str, bool)> = records
        .iter()
        .map(|record| (record["action"].as_str().unwrap(), record["tenant"].as_str().unwrap(), record["done"] == true))
        .collect();
    assert_eq!(
        short,
        [
            ("deploy", "shop", true),
            ("rollback", "shop", true),
            ("rollback", "shop", false),
            ("reload", "shop", true),
            ("deploy", "later", true),
            ("remove", "later", true),
            ("remove", "later", false),
            ("reload", "later", false)
        ]
    );
    served.stop().await;
}

/// What became of each tenant, in words.
fn steps(change: &Value) -> Vec<String> {
    let tenants = change["tenants"].as_array().unwrap().iter();
    let step = |tenant: &Value| {
        let error = tenant["error"]["message"].as_str().map(|error| format!(": {error}")).unwrap_or_default();
        format!("{} {}{error}", tenant["tenant"].as_str().unwrap(), tenant["step"].as_str().unwrap())
    };
    tenants.map(step).collect()
}

#[tokio::test]
async fn a_host_that_nobody_reads_again_reloads_each_tenant() {
    let served = serve().await;
    let change = served.expect("POST", RELOAD_HOST, RELOAD_HOST, None, 200).await;
    let wrong = "wrong kept: the application has a mistake, and nothing was changed";
    assert_eq!((&change["kept"], steps(&change)), (&json!([]), vec!["shop changed".to_owned(), wrong.to_owned()]));
    let audit = served.get("/v1/audit", "/v1/audit").await;
    let record = &audit["records"][0];
    assert_eq!((&record["action"], &record["tenant"], &record["done"]), (&json!("reload"), &Value::Null, &json!(true)));
    served.stop().await;
}

#[tokio::test]
async fn who_reads_a_host_again_is_asked_once_at_a_time_and_tells_what_came_of_it() {
    let root = tempfile::tempdir().unwrap();
    write(&root.path().join("shop"), &ENTRIES, &[("worker.lua", &service("first"))]);
    write(&root.path().join("wrong"), &ENTRIES, &[("worker.lua", "return {")]);
    let host = Host::start(config()).await.unwrap();
    let (reloader, mut asks) = Reloader::new();
    let served = serve_with(host.clone(), tempfile::tempdir().unwrap(), |config| config.reloader = Some(reloader));
    let ask = || served.expect("POST", RELOAD_HOST, RELOAD_HOST, None, 200);
    let added = async {
        let request = asks.recv().await.unwrap();
        let tenants = vec![tenant("shop", &root), tenant("wrong", &root)];
        let kept = vec![("http".to_owned(), "it is taken".to_owned())];
        request.answer(Ok(HostChange { kept, tenants: host.configure(Default::default(), tenants).await }));
    };
    let (change, ()) = tokio::join!(ask(), added);
    assert_eq!(change["kept"], json!([{"key": "http", "message": "it is taken"}]));
    let [shop, wrong] = &steps(&change)[..] else { panic!("{change}") };
    assert_eq!(shop, "shop added");
    assert!(wrong.starts_with("wrong added: it has failed: "), "{wrong}");
    let refused = async { asks.recv().await.unwrap().answer(Err("error: all of it".to_owned())) };
    let (change, ()) = tokio::join!(served.expect("POST", RELOAD_HOST, RELOAD_HOST, None, 422), refused);
    assert_eq!(change["error"]["report"], "error: all of it");
    // One is under way, some wait, and no more than those.
    let under_way = async {
        let first = asks.recv().await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..16 {
            let mut stream = tokio::net::UnixStream::connect(&served.socket).await.unwrap();
            let request = format!("POST {RELOAD_HOST} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
            tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
            waiting.push(stream);
        }
        while asks.len() < waiting.len() {
            tokio::task::yield_now().await;
        }
        served.expect("POST", RELOAD_HOST, RELOAD_HOST, None, 503).await;
        first.answer(Ok(HostChange::default()));
        for _ in waiting {
            asks.recv().await.unwrap().answer(Ok(HostChange::default()));
        }
    };
    tokio::join!(ask(), under_way);
    // One tenant alone.
    let of_one = async {
        let request = asks.recv().await.unwrap();
        let name = request.tenant().unwrap().to_owned();
        let result = host.configure_tenant(tenant(&name, &root)).await;
        request.answer(Ok(HostChange { kept: Vec::new(), tenants: vec![(name, result)] }));
    };
    let (change, ()) = tokio::join!(served.expect("POST", RELOAD, "/v1/tenants/shop/reload", None, 200), of_one);
    assert_eq!((&change["tenant"], &change["deployment"]["number"]), (&json!("shop"), &json!(2)));
    let wrong = async { asks.recv().await.unwrap().answer(Err("error: all of it".to_owned())) };
    tokio::join!(served.expect("POST", RELOAD, "/v1/tenants/shop/reload", None, 422), wrong);
    served.expect("POST", RELOAD, "/v1/tenants/nobody/reload", None, 404).await;
    // Who reads it has ended before it has answered.
    let gone = async { drop(asks.recv().await.unwrap()) };
    tokio::join!(served.expect("POST", RELOAD_HOST, RELOAD_HOST, None, 503), gone);
    drop(asks);
    served.expect("POST", RELOAD_HOST, RELOAD_HOST, None, 503).await;
    served.stop().await;
}

#[tokio::test]
async fn a_tenant_is_restarted_with_all_that_it_runs() {
    let served = serve().await;
    let shop = served.host.tenant("shop").unwrap();
    let (node, held) = (shop.node().unwrap(), |node: &Node| node.usage().of("node.processes").unwrap().used);
    assert!(held(&node) > 0);
    let change = served.expect("POST", RESTART, "/v1/tenants/shop/restart", None, 200).await;
    assert_eq!(
        (&change["tenant"], &change["services"]),
        (&json!("shop"), &json!([{"id": "app:service", "step": "starts"}]))
    );
    said(&shop, "tenant runs deployment 2").await;
    assert_eq!(held(&node), 0, "nothing of before is left");
    assert!(held(&shop.node().unwrap()) > 0);
    // One that has failed is tried again; and nothing becomes worse.
    served.expect("POST", RESTART, "/v1/tenants/wrong/restart", None, 422).await;
    served.expect("POST", RESTART, "/v1/tenants/nobody/restart", None, 404).await;
    let seen = served.get(TENANT, "/v1/tenants/wrong").await;
    assert_eq!(seen["state"], "failed");
    served.stop().await;
}

#[tokio::test]
async fn the_last_rollback_leads_to_the_folder() {
    let served = deployable().await;
    let shop = served.host.tenant("shop").unwrap();
    said(&shop, "first").await;
    // More than are kept.
    for word in ["second", "third", "fourth", "fifth"] {
        deployed(&served, "shop", &archive(word)).await;
    }
    for word in ["fourth", "third"] {
        let change = served.expect("POST", ROLLBACK, "/v1/tenants/shop/rollback", None, 200).await;
        assert_eq!(change["deployment"]["origin"], "archive");
        said(&shop, word).await;
    }
    let change = served.expect("POST", ROLLBACK, "/v1/tenants/shop/rollback", None, 200).await;
    assert_eq!((&change["deployment"]["origin"], &change["deployment"]["number"]), (&json!("folder"), &json!(4)));
    served.expect("POST", ROLLBACK, "/v1/tenants/shop/rollback", None, 409).await;
    // And there it is read from.
    write(&served._root.path().join("shop"), &ENTRIES, &[("worker.lua", &service("sixth"))]);
    served.expect("POST", RELOAD, "/v1/tenants/shop/reload", None, 200).await;
    said(&shop, "sixth").await;
    assert!(!served._root.path().join("data/tenants/shop/current").exists());
    served.stop().await;
}

#[tokio::test]
async fn what_is_wrong_changes_nothing_and_is_said() {
    let served = deployable().await;
    let shop = served.host.tenant("shop").unwrap();
    said(&shop, "first").await;
    let broken = put(&served, "shop", &archive("x') return {")).await;
    assert_eq!(broken.status, 422, "{broken:?}");
    let error = &broken.json()["error"];
    assert_eq!(error["message"], "the application has a mistake, and nothing was changed");
    assert!(error["report"].as_str().unwrap().contains("shop/worker.lua:1"), "{error}");
    for (wrong, status) in [(b"no tar at all".to_vec(), 400), (Vec::new(), 400), (archive("half")[..700].to_vec(), 400)]
    {
        let answer = put(&served, "shop", &wrong).await;
        assert!(answer.status == status || answer.status == 422, "{answer:?}");
    }
    assert_eq!(put(&served, "a%20name", &archive("x")).await.status, 400);
    let claimed = format!(
        "PUT /v1/tenants/shop HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        1_u64 << 40
    );
    assert_eq!(served.raw(claimed.as_bytes()).await.unwrap().status, 413);
    // A client that goes away in the middle.
    let half = "PUT /v1/tenants/shop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4096\r\n\r\nhalf";
    let mut stream = tokio::net::UnixStream::connect(&served.socket).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, half.as_bytes()).await.unwrap();
    drop(stream);
    let seen = served.get(TENANT, "/v1/tenants/shop").await;
    assert_eq!((&seen["state"], &seen["deployment"]["number"]), (&json!("running"), &json!(1)));
    assert!(served.host.tenant("a name").is_none());
    served.stop().await;
}

#[tokio::test]
async fn a_host_without_a_place_for_deployments_says_so() {
    let served = serve().await;
    let refused = put(&served, "shop", &archive("x")).await;
    assert_eq!(
        (refused.status, refused.error().as_str()),
        (409, "the host has no `data` directory, so nothing can be deployed: `--data DIR` names one")
    );
    served.stop().await;
}
