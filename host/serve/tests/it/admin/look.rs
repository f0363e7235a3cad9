//! What is shown: each answer is as the document says, and says what is.

use serde_json::{Value, json};

use super::{encoded, serve};

const PROCESSES: &str = "/v1/tenants/{name}/processes";
const PROCESS: &str = "/v1/tenants/{name}/processes/{pid}";

#[tokio::test]
async fn a_host_and_its_tenants_are_shown() {
    let served = serve().await;
    assert_eq!(served.get("/healthz", "/healthz").await, json!({"status": "ok"}));
    let ready = served.get("/readyz", "/readyz").await;
    assert_eq!(ready, json!({"ready": true, "starting": 0, "failed": 1, "stopping": false}));
    let document = served.get("/openapi.json", "/openapi.json").await;
    assert_eq!(document["openapi"], "3.1.0");
    let host = served.get("/v1/host", "/v1/host").await;
    assert_eq!(host["tenants"], json!({"starting": 0, "running": 1, "failed": 1, "stopping": 0}));
    assert_eq!((&host["spawns"], &host["admin"]["max_connections"]), (&json!(2), &json!(256)));

    let all = served.get("/v1/tenants", "/v1/tenants").await;
    let names: Vec<&Value> = all["tenants"].as_array().unwrap().iter().map(|tenant| &tenant["name"]).collect();
    assert_eq!(names, ["shop", "wrong"]);
    let wrong = &all["tenants"][1];
    assert_eq!(
        (&wrong["state"], &wrong["processes"], &wrong["deployment"]),
        (&json!("failed"), &json!(0), &Value::Null)
    );
    assert!(wrong["why"].as_str().unwrap().contains("wrong/worker.lua:1"), "{wrong}");
    let shop = served.get("/v1/tenants/{name}", "/v1/tenants/shop").await;
    assert_eq!((&shop["state"], &shop["processes"], &shop["spawns"]), (&json!("running"), &json!(2), &json!(2)));
    let service = &shop["services"][0];
    assert_eq!((&service["id"], &service["state"]), (&json!("app:service"), &json!("running")));
    assert_eq!((&shop["deployment"]["number"], &shop["deployment"]["origin"]), (&json!(1), &json!("folder")));
    let budgets: Vec<&Value> = shop["budgets"].as_array().unwrap().iter().map(|held| &held["name"]).collect();
    assert_eq!(budgets, ["node.memory", "node.processes", "node.links", "node.monitors", "node.log_bytes"]);
    served.stop().await;
}

#[tokio::test]
async fn processes_are_sorted_searched_and_cut() {
    let served = serve().await;
    let column = |table: &Value, place: usize| -> Vec<Value> {
        table["rows"].as_array().unwrap().iter().map(|row| row[place].clone()).collect()
    };
    let all = served.get(PROCESSES, "/v1/tenants/shop/processes").await;
    assert_eq!((&all["total"], &all["matched"]), (&json!(2), &json!(2)));
    assert_eq!(column(&all, 2), ["app:worker", "app:child"]);
    assert_eq!(column(&all, 5), [json!(["shop"]), json!([])]);
    assert_eq!(column(&all, 1), [Value::Null, all["rows"][0][0].clone()], "the parent");
    let sorted = served.get(PROCESSES, "/v1/tenants/shop/processes?sort=entry").await;
    assert_eq!(column(&sorted, 2), ["app:child", "app:worker"]);
    let cut = served.get(PROCESSES, "/v1/tenants/shop/processes?sort=entry&order=desc&limit=1&offset=1").await;
    assert_eq!((column(&cut, 2), &cut["offset"], &cut["matched"]), (vec![json!("app:child")], &json!(1), &json!(2)));
    for (query, found) in [
        ("search=CHILD", 1),
        ("search=shop", 1),
        ("search=%3Ascript", 0),
        ("state=starting", 0),
        ("host=app:processes", 2),
    ] {
        let found_now = served.get(PROCESSES, &format!("/v1/tenants/shop/processes?{query}")).await;
        assert_eq!((&found_now["matched"], &found_now["total"]), (&json!(found), &json!(2)), "{query}");
    }
    let none = served.get(PROCESSES, "/v1/tenants/wrong/processes").await;
    assert_eq!((&none["total"], &none["rows"]), (&json!(0), &json!([])));
    // Every column can be sorted by.
    for name in all["columns"].as_array().unwrap() {
        let path = format!("/v1/tenants/shop/processes?order=desc&sort={}", name.as_str().unwrap());
        assert_eq!(served.get(PROCESSES, &path).await["matched"], 2);
    }
    for (query, told) in [
        ("sort=size", "parameter: sort: unknown variant `size`, expected one of `pid`"),
        ("limit=0", "parameter: `limit` is 0, and has to be from 1 to 10000"),
        ("limit=many", "parameter: limit: invalid digit"),
        ("colour=red", "parameter: colour: unknown field `colour`, expected one of `sort`"),
        (&format!("search={}", "x".repeat(300)), "parameter: `search` has 300 bytes, and may have 256"),
    ] {
        let path = format!("/v1/tenants/shop/processes?{query}");
        let refused = served.expect("GET", PROCESSES, &path, None, 400).await;
        let message = refused["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(told), "{query}: {message}");
    }
    served.stop().await;
}

#[tokio::test]
async fn one_process_is_shown_whole_by_its_pid_its_number_or_a_name() {
    let served = serve().await;
    let seen = served.get(PROCESS, "/v1/tenants/shop/processes/shop").await;
    let pid = seen["pid"].as_str().unwrap();
    for other in [encoded(pid), pid[pid.find("0x").unwrap()..pid.len() - 1].to_owned()] {
        assert_eq!(served.get(PROCESS, &format!("/v1/tenants/shop/processes/{other}")).await["pid"], pid);
    }
    let child = &seen["linked"][0];
    assert_eq!(
        (&seen["monitoring"], &seen["monitored_by"], &seen["links"]),
        (&json!([child]), &json!([child]), &json!(1))
    );
    assert_eq!(seen["definition"]["file"], "worker.lua");
    assert_eq!((&seen["definition"]["is_current"], &seen["parent"]), (&json!(true), &Value::Null));
    let lines: Vec<(&Value, &Value)> =
        seen["log"].as_array().unwrap().iter().map(|line| (&line["level"], &line["text"])).collect();
    assert_eq!(lines, [(&json!("print"), &json!("shop is open")), (&json!("warn"), &json!("little <b>stock</b>"))]);
    assert_eq!(seen["log"][1]["fields"], json!({"left": 3}));
    assert_eq!((&seen["limits"]["links"], &seen["limits"]["lifetime"]), (&json!(10_000), &Value::Null));

    let graph = served.get("/v1/tenants/{name}/graph", "/v1/tenants/shop/graph").await;
    assert_eq!((&graph["links"], &graph["monitors"]), (&json!([[0, 1]]), &json!([[0, 1], [1, 0]])));
    assert_eq!(
        (&graph["parents"], &graph["complete"], &graph["nodes"][0][3]),
        (&json!([[0, 1]]), &json!(true), &json!(["shop"]))
    );
    let one = served.get("/v1/tenants/{name}/graph", "/v1/tenants/shop/graph?limit=1").await;
    assert_eq!((&one["complete"], &one["links"], &one["total"]), (&json!(false), &json!([]), &json!(2)));
    served.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let served = serve().await;
    let absent = served.expect("GET", "/v1/tenants/{name}", "/v1/tenants/nobody", None, 404).await;
    assert_eq!(absent["error"]["message"], "there is no tenant `nobody`");
    let absent = served.expect("GET", PROCESS, "/v1/tenants/shop/processes/nobody", None, 404).await;
    assert_eq!(absent["error"]["message"], "tenant `shop` has no process `nobody`");
    let (history, long) = ("/v1/tenants/{name}/history", "x".repeat(1_000));
    let absent = served.expect("GET", history, &format!("/v1/tenants/{long}/history"), None, 404).await;
    assert_eq!(absent["error"]["message"], format!("there is no tenant `{}`", &long[..100]));
    served.expect("GET", history, "/v1/tenants/%FF/history", None, 400).await;
    for number in ["0xzz", "0x99999", "0x", "0xffffffffffffffffffff", "%FF"] {
        let answer = served.ask("GET", &format!("/v1/tenants/shop/processes/{number}"), None).await;
        assert!([400, 404].contains(&answer.status), "{number}: {answer:?}");
    }
    let answer = served.ask("GET", "/v2/none", None).await;
    assert_eq!((answer.status, answer.error()), (404, "there is no `/v2/none`".to_owned()));
    let answer = served.ask("PATCH", "/v1/host", None).await;
    assert_eq!((answer.status, answer.error()), (405, "`/v1/host` has no method PATCH".to_owned()));
    assert_eq!(answer.json()["error"]["help"], "`GET /openapi.json` describes what there is");
    served.stop().await;
}
