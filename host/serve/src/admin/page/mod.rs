//! The observer page: a shell without secrets, which asks for everything else as any client does.
//!
//! Owns its files, which are part of the binary, and what a browser may do with them: nothing but what comes from here, no inline
//! script, no frame. Refuses to fill in anything: what is served is the same for everybody.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answer::bytes_of;
use super::routes::Route;

/// What a browser may load, and turn into code.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types lunarium";

/// A file: where it is served, what it is, and its text.
type File = (&'static str, &'static str, &'static str);

const SCRIPT: &str = "text/javascript; charset=utf-8";

pub(crate) const FILES: [File; 16] = [
    ("/", "text/html; charset=utf-8", include_str!("index.html")),
    ("/page/style.css", "text/css; charset=utf-8", include_str!("style.css")),
    ("/page/icon.svg", "image/svg+xml", include_str!("icon.svg")),
    ("/page/main.js", SCRIPT, include_str!("main.js")),
    ("/page/api.js", SCRIPT, include_str!("api.js")),
    ("/page/charts.js", SCRIPT, include_str!("charts.js")),
    ("/page/dom.js", SCRIPT, include_str!("dom.js")),
    ("/page/graph.js", SCRIPT, include_str!("graph.js")),
    ("/page/layout.js", SCRIPT, include_str!("layout.js")),
    ("/page/log.js", SCRIPT, include_str!("log.js")),
    ("/page/process.js", SCRIPT, include_str!("process.js")),
    ("/page/rows.js", SCRIPT, include_str!("rows.js")),
    ("/page/table.js", SCRIPT, include_str!("table.js")),
    ("/page/tenant.js", SCRIPT, include_str!("tenant.js")),
    ("/page/tenants.js", SCRIPT, include_str!("tenants.js")),
    ("/page/text.js", SCRIPT, include_str!("text.js")),
];

/// Its routes, for anybody: there is no secret in them.
pub(crate) fn routes() -> Vec<Route> {
    FILES
        .into_iter()
        .map(|file| Route::get(file.0, move || async move { answer(file) }).open().not_described())
        .collect()
}

fn answer((_, kind, text): File) -> Response {
    let mut response = bytes_of(StatusCode::OK, kind, text);
    let headers = response.headers_mut();
    let more = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in more {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::FILES;

    #[test]
    fn every_file_of_the_folder_is_served_and_every_reference_is_to_one() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin/page");
        let there: BTreeSet<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let served: BTreeSet<String> = FILES
            .iter()
            .map(|(path, ..)| path.rsplit('/').next().map(|name| if name.is_empty() { "index.html" } else { name }))
            .map(|name| name.unwrap().to_owned())
            .chain(["mod.rs".to_owned()])
            .collect();
        assert_eq!(served, there);
        for (file, _, text) in FILES {
            for (at, _) in text.match_indices("/page/") {
                let reference: String = text[at..].chars().take_while(|c| !"\"'`)".contains(*c)).collect();
                assert!(FILES.iter().any(|(path, ..)| *path == reference), "{file} refers to {reference}");
            }
        }
    }

    /// What turns a text into markup or code; what a page without network can't have; what the policy forbids.
    const NEVER: [&str; 14] = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "srcdoc",
        "DOMParser",
        "createContextualFragment",
        "eval(",
        "Function(",
        "setTimeout(\"",
        "javascript:",
        "https://",
        "@import",
        "url(",
    ];

    #[test]
    fn nothing_in_it_parses_a_text_or_comes_from_elsewhere() {
        for (file, _, text) in FILES {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for never in NEVER.into_iter().chain(["http://"]) {
                assert!(!text.contains(never), "{file} has {never}");
            }
        }
        let shell = FILES[0].2;
        assert_eq!(shell.matches("<script").count(), 1);
        assert!(!shell.contains("<style") && !shell.contains("style=") && !shell.contains(" on"), "{shell}");
    }
}
