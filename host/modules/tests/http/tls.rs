//! Encryption: with whom, and with whom not.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use lunarium_modules::http::Http;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::server::{Got, ok, say};
use crate::{rule, run};

/// A server with a certificate that it has made itself for these names; its port and the certificate.
fn server(names: &[&str]) -> (u16, Vec<u8>) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key.into()).unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            if let Some(got) = Got::read(&mut stream) {
                say(&mut stream, &ok(&got.line));
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (port, certificate.to_vec())
}

fn fetch(http: Http, url: &str) -> String {
    run(http, &[rule(url, &[])], &format!("return fetch('{url}')"))
}

#[test]
fn a_certificate_needs_a_root_that_is_trusted() {
    let (port, certificate) = server(&["localhost", "127.0.0.1"]);
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{port}/x");
        let text = fetch(Http::new(), &url);
        let refused = format!("Unavailable: connection with `{host}` can't be encrypted: invalid peer certificate: ");
        assert!(text.starts_with(&refused), "{text}");
        assert_eq!(fetch(Http::new().root(&certificate).unwrap(), &url), "GET /x HTTP/1.1");
    }
}

#[test]
fn a_certificate_is_for_its_names() {
    let (port, certificate) = server(&["other.example"]);
    let text = fetch(Http::new().root(&certificate).unwrap(), &format!("https://localhost:{port}/x"));
    let refused = "Unavailable: connection with `localhost` can't be encrypted: invalid peer certificate: ";
    assert!(text.starts_with(refused) && text.contains("other.example"), "{text}");
}

#[test]
fn who_does_not_encrypt_is_not_spoken_with() {
    let server = crate::Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let text = fetch(Http::new(), &format!("https://localhost:{}/x", server.port()));
    assert!(text.starts_with("Unavailable"), "{text}");
    let error = Http::new().root(b"no certificate").err().unwrap();
    assert!(error.to_string().starts_with("the certificate can't be read as DER: "), "{error}");
}
