//! The server of the examples, on loopback. Owns what it says.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::OnceLock;
use std::thread;

use lunarium_engine::Value;

/// What the examples call it.
pub const SHOWN: &str = "https://api.example.com";

/// Where it is.
pub fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let url = format!("http://{}", listener.local_addr().expect("it listens"));
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut request = vec![0; 4096];
                let length = stream.read(&mut request).unwrap_or_default();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let _ = stream.write_all(answer(&request).as_bytes());
            }
        });
        url
    })
}

/// The methods that are granted.
pub fn methods() -> Value {
    Value::Array(["GET", "POST"].map(Value::from).to_vec())
}

/// Requests are small, so each comes in one piece; but a body may come after its head, and then what is asked for has the answer.
fn answer(request: &str) -> String {
    let (status, body) = match request.split(' ').nth(1).unwrap_or_default() {
        "/v1/greeting" => ("200 OK", "hello"),
        "/v1/orders" => ("201 Created", r#"{"item":"tea"}"#),
        _ => ("404 Not Found", "nothing is here"),
    };
    format!("HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}
