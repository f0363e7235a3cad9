//! What passes for a URL, and what it is then.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use super::Url;

fn parsed(text: &str) -> String {
    Url::parse(text).map_or_else(|error| format!("error: {error}"), |url| url.to_string())
}

#[test]
fn a_url_has_one_form() {
    let forms = [
        ("https://api.example.com", "https://api.example.com/"),
        ("HTTPS://API.Example.COM:443/V1/x?q=1#part", "https://api.example.com/V1/x?q=1"),
        ("http://a:0080/", "http://a/"),
        ("http://a:8080?x", "http://a:8080/?x"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
        ("http://[::1]:81/", "http://[::1]:81/"),
        ("http://[0:0:0:0:0:FFFF:7F00:1]/", "http://[::ffff:127.0.0.1]/"),
        ("http://a_b-c.example/a%2Fb//c;x=..", "http://a_b-c.example/a%2Fb//c;x=.."),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
    ];
    for (text, form) in forms {
        assert_eq!(parsed(text), form, "{text}");
    }
}

#[test]
fn what_programs_disagree_about_is_refused() {
    let path = "error: path of the url has a segment `.` or `..`";
    for text in [
        "/..",
        "/.",
        "/a/../b",
        "/a/%2e%2e/b",
        "/a/..%3fb",
        "/a/..%23b",
        "/a/..%00/b",
        "/a/..%2500.png",
        "/a/%c0%ae%c0%ae/b",
        "/a/.%e0%80%ae%c0%afb",
        "/a/..%c0%afb",
        "/a/..%c1%9cb",
        "/a/%2E./b",
        "/a/.%2e",
        "/a/..%2fb",
        "/a/%2e%2e%2fb",
        "/a%2f..%2fb",
        "/a/..%5cb",
        "/a/..;x=1/b",
        "/a/%252e%252e/b",
        "/a/%25252e%25252e/b",
        "/%2525252525252541",
    ] {
        assert_eq!(parsed(&format!("http://h{text}")), path, "{text}");
    }
    let address = "error: host of the url looks like an address, and is none: four numbers from 0 to 255";
    for host in ["127.1", "0x7f.0x1", "2130706433", "0177.0.0.1", "1.2.3.4.5", "256.0.0.1", "a.0x1", "01.2.3.4"] {
        assert_eq!(parsed(&format!("http://{host}/")), address, "{host}");
    }
    let port = "error: port of the url isn't a number from 1 to 65535";
    for text in ["http://a:0/", "http://a:65536/", "http://a:1x/", "http://a:+1/"] {
        let got = parsed(text);
        assert!(got == port || got.starts_with("error: url can't be read"), "{text}: {got}");
    }
    let user = "error: url has a user name: that goes into the header `authorization`";
    for text in ["http://a@b/", "http://a:b@c/", "http://api.example.com@evil.example/", "http://@a/"] {
        let got = parsed(text);
        assert!(got == user || got.starts_with("error: url can't be read"), "{text}: {got}");
    }
    for (text, start) in [
        ("", "error: url must begin with `http://` or `https://`"),
        ("/v1", "error: url must begin with `http://` or `https://`"),
        ("ftp://a/", "error: url is neither http nor https"),
        ("http:///a", "error: url "),
        ("http:a", "error: url must begin with `http://` or `https://`"),
        ("mailto:a@b", "error: url must begin with `http://` or `https://`"),
        (
            "http://bücher.example/",
            "error: url has the character 'ü', which must be percent-encoded; in a host, written as xn--…",
        ),
        ("http://a。b/", "error: url has the character '。'"),
        ("http://a/ b", "error: url has the character ' '"),
        ("http://a\\@b/", "error: url has the character '\\\\'"),
        ("http://a/\r\nx: y", "error: url has the character '\\r'"),
        ("http://a%2eb/", "error: "),
        ("http://a.example./", "error: host of the url can't be `a.example.`"),
        ("http://a..b/", "error: host of the url can't be `a..b`"),
        ("http://*.example/", "error: host of the url can't be `*.example`"),
        ("http://[fe80::1%25eth0]/", "error: "),
        ("http://[::1/", "error: "),
        ("http://[::1]x/", "error: "),
    ] {
        assert!(parsed(text).starts_with(start), "{text}: {}", parsed(text));
    }
    assert_eq!(parsed(&format!("http://a/{}", "x".repeat(9000))), "error: url has more than 8192 bytes");
    assert!(parsed(&format!("http://{}/", "a".repeat(64))).starts_with("error: host of the url can't be"));
}

#[test]
fn a_reference_means_what_rfc_3986_says() {
    let base = Url::parse("http://a/b/c/d;p?q").unwrap();
    // Its section 5.4, but for what isn't sent: fragments.
    let references = [
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        ("g#s", "http://a/b/c/g"),
        (";x", "http://a/b/c/;x"),
        ("", "http://a/b/c/d;p?q"),
        (".", "http://a/b/c/"),
        ("./", "http://a/b/c/"),
        ("..", "http://a/b/"),
        ("../", "http://a/b/"),
        ("../g", "http://a/b/g"),
        ("../..", "http://a/"),
        ("../../g", "http://a/g"),
        ("../../../g", "http://a/g"),
        ("/./g", "http://a/g"),
        ("/../g", "http://a/g"),
        ("g.", "http://a/b/c/g."),
        ("..g", "http://a/b/c/..g"),
        ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"),
        ("g/./h", "http://a/b/c/g/h"),
        ("g/../h", "http://a/b/c/h"),
        ("https://x:1/y", "https://x:1/y"),
    ];
    for (reference, url) in references {
        assert_eq!(base.join(reference).map(|url| url.to_string()), Ok(url.to_owned()), "{reference}");
    }
    for reference in ["file:///etc/passwd", "javascript:1", "%2e%2e/g", "//u@h/", "http://[", "g h"] {
        assert!(base.join(reference).is_err(), "{reference}");
    }
}

/// What a URL is written as means the same URL, however spoiled what it was made of; and nothing in it leads upward.
#[test]
fn a_spoiled_url_is_refused_or_has_one_form() {
    let samples = [
        "https://api.example.com:8443/v1/a%2Fb/c;x=1?q=/../#part",
        "http://[2001:db8::1]:80/%2e%2E/..;/x//",
        "http://127.0.0.1/a/./b/%252e%252e/",
        "HTTP://xn--a.b-c_d:443",
    ];
    let spoilers: Vec<char> = "/.%2eE5cC;:@?#[]\\*0x9 \u{fc}\u{0}".chars().collect();
    let (mut state, mut parsed) = (1_u64, 0);
    let mut chance = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % most
    };
    for round in 0..40_000 {
        let mut text: Vec<char> = samples[round % samples.len()].chars().collect();
        for _ in 0..=chance(4) {
            let (place, letter) = (chance(text.len()), spoilers[chance(spoilers.len())]);
            match chance(3) {
                0 => text.insert(place, letter),
                1 => text[place] = letter,
                _ => drop(text.remove(place)),
            }
        }
        let text: String = text.into_iter().collect();
        let Ok(url) = Url::parse(&text) else { continue };
        parsed += 1;
        assert_eq!(Url::parse(&url.to_string()).as_ref(), Ok(&url), "{text}");
        assert!(url.path.starts_with('/') && !url.path.split('/').any(|part| part == ".."), "{text}");
        let authority = url.origin.authority();
        assert!(!authority.contains(['@', '/', '?', '#', '\\', '%', ' ']), "{text}");
        // A client that goes by the text alone comes to the same host.
        let after = text.split_once("://").unwrap().1;
        let first = after.split(['/', '?', '#']).next().unwrap().to_ascii_lowercase();
        assert!(
            matches!(url.origin.host, super::Host::Address(_)) || first.starts_with(&url.origin.host.to_string()),
            "{text}"
        );
    }
    assert!(parsed > 4_000, "{parsed}");
}
