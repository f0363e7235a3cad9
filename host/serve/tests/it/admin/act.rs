//! What is done, and that it is noted who did it.

use serde_json::{Value, json};

use super::{encoded, serve};

const CALL: &str = "/v1/tenants/{name}/processes/{pid}/call";
const SEND: &str = "/v1/tenants/{name}/processes/{pid}/send";
const CANCEL: &str = "/v1/tenants/{name}/processes/{pid}/cancel";
const TERMINATE: &str = "/v1/tenants/{name}/processes/{pid}/terminate";
const SHOP: &str = "/v1/tenants/shop/processes/shop";

#[tokio::test]
async fn a_function_is_called_and_its_results_are_json() {
    let served = serve().await;
    let path = format!("{SHOP}/call");
    let call = |body: Value, status| {
        let (served, path) = (&served, &path);
        async move { served.expect("POST", CALL, path, Some(&body.to_string()), status).await }
    };
    let answer = call(json!({"method": "add", "arguments": [2, 3]}), 200).await;
    assert_eq!(answer, json!({"results": [5, {"sum": 5}]}));
    let failed = call(json!({"method": "fail"}), 422).await;
    assert_eq!((&failed["error"]["kind"], &failed["error"]["message"]), (&json!("Internal"), &json!("no tea left")));
    assert!(failed["error"]["stack"].as_str().is_some(), "{failed}");
    let absent = call(json!({"method": "none"}), 422).await;
    assert!(absent["error"]["message"].as_str().unwrap().contains("no function `none`"), "{absent}");
    let late = call(json!({"method": "slow", "timeout_ms": 1}), 504).await;
    assert_eq!(late["error"]["message"], "there is no answer within 1 ms; the function goes on");
    for (body, told) in [
        (json!({}), "body: missing field `method` at line 1 column 2"),
        (
            json!({"method": "add", "argument": 1}),
            "body: unknown field `argument`, expected one of `method`, `arguments`, `timeout_ms` at line 1 column 11",
        ),
        (
            json!({"method": "add", "arguments": 1}),
            "body: invalid type: integer `1`, expected a sequence at line 1 column 14",
        ),
        (json!({"method": "x".repeat(1_000)}), "method of 1000 bytes is not 1 to "),
        (json!({"method": "add", "timeout_ms": 600_001}), "`timeout_ms` is 600001, and may be 600000 at most"),
    ] {
        let refused = call(body.clone(), 400).await;
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(told), "{body}: {message}");
    }
    served.stop().await;
}

#[tokio::test]
async fn a_message_is_sent_as_json() {
    let served = serve().await;
    let path = format!("{SHOP}/send");
    let body = json!({"topic": "kept", "value": {"id": 7, "list": [1, null]}}).to_string();
    let sent = served.expect("POST", SEND, &path, Some(&body), 202).await;
    let pid = sent["pid"].as_str().unwrap().to_owned();
    let pid = lunarium_engine::Pid::parse(&pid).unwrap();
    let node = served.host.tenant("shop").unwrap().node().unwrap();
    assert_eq!(node.process(&pid).unwrap().info.messages, 1);
    let none = json!({"topic": ""}).to_string();
    assert_eq!(served.ask("POST", &path, Some(&none)).await.status, 400);
    let large = json!({"topic": "kept", "value": "x".repeat(2 << 20)}).to_string();
    let refused = served.ask("POST", &path, Some(&large)).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(refused.json()["error"]["limit"], "message");
    let deep = format!("{{\"topic\":\"kept\",\"value\":{}{}}}", "[".repeat(120), "]".repeat(120));
    assert_eq!(served.ask("POST", &path, Some(&deep)).await.status, 400);
    let deeper = format!("{{\"topic\":\"kept\",\"value\":{}", "[".repeat(100_000));
    let refused = served.ask("POST", &path, Some(&deeper)).await;
    assert!(refused.error().starts_with("body: recursion limit exceeded at line 1 column "), "{refused:?}");
    served.stop().await;
}

#[tokio::test]
async fn processes_are_ended_and_each_change_is_recorded() {
    let served = serve().await;
    let shop = served.ask("GET", SHOP, None).await.json();
    let child = shop["linked"][0].as_str().unwrap().to_owned();
    let path = format!("/v1/tenants/shop/processes/{}", encoded(&child));
    let asked = served.expect("POST", CANCEL, &format!("{path}/cancel"), Some("{\"deadline_ms\": 3600000}"), 202).await;
    assert_eq!(asked["pid"], child.as_str());
    // Its main receives the CANCEL event, and ends.
    while served.ask("GET", &path, None).await.status == 200 {
        tokio::task::yield_now().await;
    }
    served.expect("POST", CANCEL, &format!("{path}/cancel"), None, 404).await;
    let ended = served.expect("POST", TERMINATE, &format!("{SHOP}/terminate"), None, 200).await;
    assert_eq!(ended["pid"], shop["pid"]);
    let audit = served.get("/v1/audit", "/v1/audit").await;
    let records = audit["records"].as_array().unwrap();
    let short: Vec<Value> =
        records.iter().map(|record| json!([record["action"], record["target"], record["done"]])).collect();
    assert_eq!(
        short,
        [json!(["cancel", child, true]), json!(["cancel", child, false]), json!(["terminate", "shop", true])]
    );
    let message = &records[1]["message"];
    assert_eq!(message, &json!(format!("tenant `shop` has no process `{child}`")));
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap());
    assert_eq!((&records[0]["who"]["uid"], &records[0]["who"]["pid"]), (&json!(own), &json!(std::process::id())));
    assert_eq!(served.get("/v1/audit", "/v1/audit?limit=1").await["missed"], 2);
    served.stop().await;
}
