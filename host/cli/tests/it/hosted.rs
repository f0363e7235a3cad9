//! A `lunarium serve` of its own, and whoever speaks to its admin socket.
//!
//! Owns a client of a few lines, which can stop in the middle; and the tar of an application.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::Value;
use tar::{Builder, Header};

/// Looks again and again: what another program is about to do has no end to wait for.
pub(crate) fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

/// The tar of a folder with these files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    archive.into_inner().unwrap()
}

/// An application whose service is known as `service`, and has these functions beside its `main`.
pub(crate) fn index(grants: &str) -> String {
    format!(
        "version: \"1.0\"\nnamespace: app\nentries:\n  \
         - {{name: worker, kind: process.lua, source: 'file://worker.lua'{grants}}}\n  \
         - {{name: service, kind: process.service, process: worker, host: 'app:processes'}}\n"
    )
}

pub(crate) fn worker(functions: &str) -> String {
    let main = "main = function() process.registry.register('service') process.events():receive() end";
    format!("return {{ {main}, {functions} }}")
}

/// Its admin socket.
#[derive(Clone)]
pub(crate) struct Admin(pub(crate) PathBuf);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn error(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

impl Admin {
    /// At `admin.sock` of this folder: `--admin unix:admin.sock`.
    pub(crate) fn of(folder: &Path) -> Admin {
        Admin(folder.join("admin.sock"))
    }

    /// Sends bytes, and reads to the end. None: nobody answers, or not to the end.
    pub(crate) fn send(&self, bytes: &[u8]) -> Option<Answer> {
        let mut stream = UnixStream::connect(&self.0).ok()?;
        // Who is refused may not read the rest.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some(Answer { status: head.get(9..12)?.parse().ok()?, body: body.to_owned() })
    }

    fn asked(method: &str, path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    pub(crate) fn get(&self, path: &str) -> Option<Answer> {
        self.send(&Self::asked("GET", path, "application/json", b""))
    }

    pub(crate) fn delete(&self, path: &str) -> Option<Answer> {
        self.send(&Self::asked("DELETE", path, "application/json", b""))
    }

    pub(crate) fn reload(&self, tenant: &str) -> Answer {
        self.send(&Self::asked("POST", &format!("/v1/tenants/{tenant}/reload"), "application/json", b"")).unwrap()
    }

    /// The bytes of a deployment.
    pub(crate) fn deployment(tenant: &str, tar: &[u8]) -> Vec<u8> {
        Self::asked("PUT", &format!("/v1/tenants/{tenant}"), "application/x-tar", tar)
    }

    pub(crate) fn deploy(&self, tenant: &str, tar: &[u8]) -> Answer {
        self.send(&Self::deployment(tenant, tar)).unwrap()
    }

    /// What a function of a tenant's service returns, once the service is there.
    pub(crate) fn call(&self, tenant: &str, method: &str, arguments: &str) -> Value {
        let body = format!("{{\"method\": \"{method}\", \"arguments\": {arguments}}}");
        let path = format!("/v1/tenants/{tenant}/processes/service/call");
        loop {
            let answer = self.send(&Self::asked("POST", &path, "application/json", body.as_bytes())).unwrap();
            match answer.status {
                200 => return answer.json()["results"].clone(),
                // It hasn't begun, or the one before it has just ended.
                404 => thread::yield_now(),
                422 if answer.json()["error"]["kind"] == "Canceled" => thread::yield_now(),
                _ => panic!("{answer:?}"),
            }
        }
    }

    /// The number of what a tenant runs, and its state; none: there is no such tenant.
    pub(crate) fn runs(&self, tenant: &str) -> Option<(u64, String)> {
        let answer = self.get(&format!("/v1/tenants/{tenant}")).unwrap();
        let tenant = (answer.status == 200).then(|| answer.json())?;
        Some((tenant["deployment"]["number"].as_u64().unwrap_or(0), tenant["state"].as_str().unwrap().to_owned()))
    }
}
