//! Streams of events and lines.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::{ENTRIES, Served, said, serve, serve_host, start, tenant, write};
use crate::service;

/// A stream that is open.
struct Reading {
    stream: UnixStream,
    text: String,
}

impl Reading {
    async fn open(served: &Served, path: &str) -> Reading {
        let mut stream = UnixStream::connect(&served.socket).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reading = Reading { stream, text: String::new() };
        while !reading.text.contains(":\n\n") {
            assert!(reading.more().await, "{}", reading.text);
        }
        assert!(reading.text.starts_with("HTTP/1.1 200"), "{}", reading.text);
        assert!(reading.text.contains("content-type: text/event-stream"), "{}", reading.text);
        reading
    }

    /// False: it has ended.
    async fn more(&mut self) -> bool {
        let mut piece = vec![0; 64 << 10];
        let count = self.stream.read(&mut piece).await.unwrap_or(0);
        self.text.push_str(&String::from_utf8_lossy(&piece[..count]));
        count > 0
    }

    /// The next event with its data. A chunk's head may stand between; none of ours is cut by one.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(begin) = self.text.find("event: ")
                && let Some(length) = self.text[begin..].find("\n\n")
            {
                let event = self.text[begin..begin + length].to_owned();
                self.text.drain(..begin + length);
                let (name, data) = event["event: ".len()..].split_once("\ndata: ").unwrap();
                return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
            }
            if !self.more().await {
                return None;
            }
        }
    }
}

#[tokio::test]
async fn what_happens_is_told_as_it_happens() {
    let served = serve().await;
    let mut all = Reading::open(&served, "/v1/events").await;
    let mut ends = Reading::open(&served, "/v1/events?tenant=shop&kind=ended,change").await;
    served.ask("POST", "/v1/tenants/shop/processes/shop/terminate", None).await;
    let mut kinds = Vec::new();
    while !(kinds.contains(&"spawned".to_owned()) && kinds.contains(&"change".to_owned())) {
        let (kind, event) = all.next().await.unwrap();
        assert_eq!((event["kind"].as_str(), &event["tenant"]), (Some(kind.as_str()), &json!("shop")));
        let checked = served.document.check_named("Event", &event);
        checked.unwrap_or_else(|wrong| panic!("{wrong}: {event}"));
        kinds.push(kind);
    }
    // The service, its child which is linked with it, and the service again.
    assert!(
        kinds.iter().filter(|kind| *kind == "ended").count() >= 1 && kinds.contains(&"service".to_owned()),
        "{kinds:?}"
    );
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let (kind, event) = ends.next().await.unwrap();
        seen.push(kind.clone());
        if kind == "change" {
            assert_eq!((&event["change"]["action"], &event["change"]["done"]), (&json!("terminate"), &json!(true)));
        }
    }
    assert!(seen.iter().all(|kind| kind == "ended" || kind == "change"), "{seen:?}");
    for (query, told) in [
        ("kind=ended,none", "parameter: there is no kind `none` of events; there are spawned, "),
        ("pid=shop", "parameter: `pid` needs `tenant`"),
        ("tenant=nobody", "there is no tenant `nobody`"),
    ] {
        let refused = served.ask("GET", &format!("/v1/events?{query}"), None).await;
        assert!(refused.error().starts_with(told), "{refused:?}");
    }
    served.stop().await;
}

#[tokio::test]
async fn lines_are_told_from_the_last_ones_on() {
    let served = serve().await;
    let answer = served.ask("GET", "/v1/logs?follow=false&level=warn", None).await;
    let told: Vec<Value> = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    for line in &told {
        served.document.check_named("Line", line).unwrap();
    }
    let texts: Vec<&str> = told.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert!(
        texts.contains(&"little <b>stock</b>") && texts.iter().any(|text| text.starts_with("tenant has failed")),
        "{texts:?}"
    );

    let mut followed = Reading::open(&served, "/v1/logs?tenant=shop&pid=shop&lines=1").await;
    let (kind, line) = followed.next().await.unwrap();
    assert_eq!(
        (kind.as_str(), &line["text"], &line["fields"]),
        ("line", &json!("little <b>stock</b>"), &json!({"left": 3}))
    );
    let body = json!({"method": "say", "arguments": [2]}).to_string();
    served.ask("POST", "/v1/tenants/shop/processes/shop/call", Some(&body)).await;
    for text in ["line 1", "line 2"] {
        assert_eq!(followed.next().await.unwrap().1["text"], text);
    }
    served.stop().await;
}

#[tokio::test]
async fn the_log_of_a_tenant_that_has_ended_is_not_told_again_while_another_ends() {
    let root = tempfile::tempdir().unwrap();
    // Longer than it takes until tenants are looked for again.
    let slow = "return { main = function() process.events():receive() time.sleep('1500ms') print('slow is done') end }";
    write(&root.path().join("quick"), &ENTRIES, &[("worker.lua", &service("quick is here"))]);
    write(&root.path().join("slow"), &ENTRIES, &[("worker.lua", slow)]);
    let host = start(vec![tenant("quick", &root), tenant("slow", &root)]).await;
    said(&host.tenant("quick").unwrap(), "quick is here").await;
    said(&host.tenant("slow").unwrap(), "service app:service has started").await;
    let served = serve_host(host, root);
    let mut followed = Reading::open(&served, "/v1/logs").await;
    let host = served.host.clone();
    let stopped = tokio::spawn(async move { host.stop().await });
    let mut told = 0;
    loop {
        let (_, line) = followed.next().await.unwrap();
        if line["text"] == "slow is done" {
            break;
        }
        told += usize::from(line["text"] == "quick is here");
    }
    assert_eq!(told, 1);
    stopped.await.unwrap();
    served.stop().await;
}

#[tokio::test]
async fn who_does_not_read_is_told_how_many_lines_it_has_missed_and_holds_up_nobody() {
    let served = serve().await;
    let mut slow = Reading::open(&served, "/v1/logs?tenant=shop&lines=0&level=info").await;
    let (mut asked, call) = (0, json!({"method": "say", "arguments": [500]}).to_string());
    for _ in 0..20 {
        let answer = served.ask("POST", "/v1/tenants/shop/processes/shop/call", Some(&call)).await;
        asked += answer.json()["results"][0].as_u64().unwrap();
    }
    assert_eq!(asked, 10_000);
    // What a process logs beyond its own limit in a second is dropped before anybody reads, and counted in the next line.
    let node = served.host.tenant("shop").unwrap();
    let last = node.logs().last(1, &lunarium_serve::LogFilter::default()).pop().unwrap();
    let (mut lines, mut missed) = (0, 0);
    while let Some((kind, event)) = slow.next().await {
        match kind.as_str() {
            "line" => {
                lines += 1;
                served.document.check_named("Line", &event).unwrap();
                if event["text"] == last.message.as_str() && lines + missed > 500 {
                    break;
                }
            }
            _ => {
                served.document.check_named("LinesMissed", &event).unwrap();
                missed += event["missed"].as_u64().unwrap();
            }
        }
    }
    assert!(lines > 0 && lines + missed > 500, "{lines} {missed}");
    served.stop().await;
}

#[tokio::test]
async fn streams_are_bounded_and_end_with_the_host() {
    let served = serve().await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Reading::open(&served, "/v1/events").await);
    }
    let refused = served.ask("GET", "/v1/logs", None).await;
    assert_eq!((refused.status, refused.error()), (503, "64 streams are open, and no more can be".to_owned()));
    assert_eq!(served.ask("GET", "/v1/host", None).await.json()["admin"]["streams"], 64);
    drop(open.split_off(1));
    while served.ask("GET", "/v1/host", None).await.json()["admin"]["streams"] != 1 {
        tokio::task::yield_now().await;
    }
    let mut last = open.pop().unwrap();
    let read = tokio::spawn(async move { while last.next().await.is_some() {} });
    served.stop().await;
    read.await.unwrap();
}
