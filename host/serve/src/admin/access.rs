//! Who may speak to the admin interface.
//!
//! Owns the token, and that a request was meant for this host: a page from elsewhere, or a name that leads here by somebody else's
//! doing, gets nothing. Over a Unix socket the socket's mode is the authority, and there is no token. Refuses to know what is asked for.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderName, HeaderValue, Request, StatusCode};
use lunarium_engine::ErrorKind;
use subtle::ConstantTimeEq;

use super::answer::Failed;

/// What a browser says of where a request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Characters of a token at least. The number: 16 random bytes in hexadecimal are 32, and in base64 22.
const LEAST: usize = 20;
/// And at most, so that a header with it fits.
const MOST: usize = 1_024;

/// What whoever speaks over TCP has to know.
#[derive(Clone)]
pub struct Token(Box<[u8]>);

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Easily guessed.
    #[error("it has {0} characters, and a token has at least {LEAST}: `openssl rand -hex 32` makes one")]
    Short(usize),
    /// It doesn't fit into a header.
    #[error("it has {0} characters, and a token has at most {MOST}")]
    Long(usize),
    /// It can't stand in a header.
    #[error("a token is one line of visible ASCII characters without spaces")]
    Characters,
}

impl Token {
    /// A token from a file's text: one line; what is white before and after it doesn't count.
    ///
    /// Errors: it can't be one.
    pub fn new(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Characters);
        }
        match text.len() {
            short if short < LEAST => Err(TokenError::Short(short)),
            long if long > MOST => Err(TokenError::Long(long)),
            _ => Ok(Self(text.as_bytes().into())),
        }
    }

    /// The text as it stands in a header.
    pub fn as_str(&self) -> &str {
        // It was made of ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Takes as long whatever is given, if it is as long.
    fn is(&self, given: &[u8]) -> bool {
        self.0.ct_eq(given).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// The other end of a connection.
#[derive(Debug, Clone)]
pub(crate) enum Peer {
    /// Of a Unix socket: a user's process.
    Unix { uid: u32, pid: Option<i32> },
    /// Of TCP.
    Tcp(SocketAddr),
}

impl Peer {
    /// Whose connection it is, over TCP.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Unix { .. } => None,
            Self::Tcp(address) => Some(address.ip()),
        }
    }
}

/// What a request must have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// None: nothing is served over TCP.
    pub(crate) token: Option<Token>,
    /// Names of the host beside `localhost` and its addresses.
    pub(crate) names: Vec<String>,
}

impl Access {
    /// Whether a request is answered. `open` is what anybody may see: nothing of it is a secret.
    ///
    /// Errors: it isn't.
    pub(crate) fn check<B>(&self, peer: &Peer, open: bool, request: &Request<B>) -> Result<(), Failed> {
        self.check_host(request)?;
        check_origin(open, request)?;
        if let Some(name) = secret_in(request.uri().query().unwrap_or_default()) {
            let message = format!("`{name}` stands in the URL, where logs and histories keep it");
            return Err(
                Failed::invalid(message).with_help("a token goes into the header `Authorization: Bearer TOKEN`")
            );
        }
        match peer {
            Peer::Tcp(_) if !open => self.check_token(request),
            _ => Ok(()),
        }
    }

    /// A name that somebody else has made lead here (DNS rebinding) isn't one of the host's.
    fn check_host<B>(&self, request: &Request<B>) -> Result<(), Failed> {
        let uri = request.uri().authority().map(Authority::host);
        let header = one(request, &HOST)?;
        let host = header.and_then(authority);
        if header.is_some() && host.is_none() {
            return Err(foreign("the header `Host` is no host".to_owned()));
        }
        let named: Vec<&str> = uri.into_iter().chain(host.as_ref().map(Authority::host)).collect();
        if named.is_empty() {
            return Err(foreign("the request has no header `Host`".to_owned()));
        }
        match named.into_iter().find(|name| !self.is_own(name)) {
            Some(name) => Err(foreign(format!("`{}` isn't a name of this host", shown(name)))
                .with_help("an address and `localhost` are; others are those that `--admin-host NAME` gives")),
            None => Ok(()),
        }
    }

    fn is_own(&self, name: &str) -> bool {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let known = ["localhost"].into_iter().chain(self.names.iter().map(String::as_str));
        bare.parse::<IpAddr>().is_ok() || known.into_iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    fn check_token<B>(&self, request: &Request<B>) -> Result<(), Failed> {
        let refused = |message: &str| {
            let failed = Failed::new(StatusCode::UNAUTHORIZED, ErrorKind::PermissionDenied, message);
            Err(failed.with_help("over TCP each request has the header `Authorization: Bearer TOKEN`"))
        };
        let Some(given) = one(request, &AUTHORIZATION)? else { return refused("the request has no token") };
        let given = given.as_bytes();
        let Some((scheme, given)) = given.split_at_checked("Bearer ".len()) else {
            return refused("the header `Authorization` has no token");
        };
        match &self.token {
            _ if !scheme.eq_ignore_ascii_case(b"Bearer ") => refused("the header `Authorization` has no token"),
            Some(token) if token.is(given) => Ok(()),
            _ => refused("the token is another one"),
        }
    }
}

/// A page asks for its own host alone.
fn check_origin<B>(open: bool, request: &Request<B>) -> Result<(), Failed> {
    if let Some(origin) = one(request, &ORIGIN)? {
        let here = one(request, &HOST)?.and_then(authority);
        let there =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).and_then(|(scheme, rest)| {
                matches!(scheme, "http" | "https").then(|| rest.parse::<Authority>().ok())?
            });
        let same = here.zip(there).is_some_and(|(here, there)| here.as_str().eq_ignore_ascii_case(there.as_str()));
        if !same {
            return Err(foreign("the request comes from a page of another origin".to_owned()));
        }
    }
    // What is open may be gone to from elsewhere: a link to the page is one.
    let site = one(request, &SEC_FETCH_SITE)?.map(HeaderValue::as_bytes);
    match site {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) if open => Ok(()),
        Some(_) => Err(foreign("the request comes from a page of another site".to_owned())),
    }
}

/// The value of a header that may stand once.
fn one<'r, B>(request: &'r Request<B>, name: &HeaderName) -> Result<Option<&'r HeaderValue>, Failed> {
    let mut all = request.headers().get_all(name).iter();
    match (all.next(), all.next()) {
        (_, Some(_)) => Err(foreign(format!("the header `{name}` stands there twice"))),
        (first, None) => Ok(first),
    }
}

fn authority(value: &HeaderValue) -> Option<Authority> {
    value.to_str().ok()?.parse::<Authority>().ok().filter(|authority| !authority.as_str().contains('@'))
}

/// A parameter's name that is a secret's.
fn secret_in(query: &str) -> Option<&str> {
    let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
    names.find(|name| {
        ["token", "access_token", "admin_token", "authorization"].iter().any(|secret| name.eq_ignore_ascii_case(secret))
    })
}

fn foreign(message: String) -> Failed {
    Failed::new(StatusCode::FORBIDDEN, ErrorKind::PermissionDenied, message)
}

/// As much of it as a sentence bears.
fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::{Request, StatusCode};

    use super::{Access, Peer, Token, TokenError};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn access() -> Access {
        Access { token: Some(Token::new(SECRET).unwrap()), names: vec!["admin.example".to_owned()] }
    }

    /// What is answered to a request with these headers.
    fn asked(uri: &str, open: bool, peer: &Peer, headers: &[(&str, &str)]) -> Result<(), (StatusCode, String)> {
        let request = headers.iter().fold(Request::get(uri), |request, (name, value)| request.header(*name, *value));
        let checked = access().check(peer, open, &request.body(()).unwrap());
        checked.map_err(|failed| (failed.status(), failed.message().to_owned()))
    }

    fn tcp() -> Peer {
        Peer::Tcp(([127, 0, 0, 1], 4000).into())
    }

    #[test]
    fn over_tcp_the_token_stands_in_its_header_and_nowhere_else() {
        let bearer = format!("Bearer {SECRET}");
        let with = |token: &str| asked("/v1/host", false, &tcp(), &[("host", "127.0.0.1:1"), ("authorization", token)]);
        assert_eq!(with(&bearer), Ok(()));
        assert_eq!(with(&bearer.replace("Bearer", "bearer")), Ok(()));
        for (wrong, message) in [
            (format!("{bearer}0"), "the token is another one"),
            (bearer[..bearer.len() - 1].to_owned(), "the token is another one"),
            ("Bearer ".to_owned(), "the token is another one"),
            (format!("Basic {SECRET}"), "the header `Authorization` has no token"),
            (SECRET.to_owned(), "the header `Authorization` has no token"),
            ("x".to_owned(), "the header `Authorization` has no token"),
        ] {
            let (status, told) = with(&wrong).unwrap_err();
            assert_eq!((status, told.as_str()), (StatusCode::UNAUTHORIZED, message), "{wrong}");
        }
        let none = asked("/v1/host", false, &tcp(), &[("host", "127.0.0.1")]);
        assert_eq!(none, Err((StatusCode::UNAUTHORIZED, "the request has no token".to_owned())));
        assert_eq!(asked("/healthz", true, &tcp(), &[("host", "127.0.0.1")]), Ok(()));
        let twice = [("host", "127.0.0.1"), ("authorization", &*bearer), ("authorization", "Bearer x")];
        assert_eq!(asked("/v1/host", false, &tcp(), &twice).unwrap_err().0, StatusCode::FORBIDDEN);
        for query in ["token", "TOKEN", "access_token", "a=b&token"] {
            let url = format!("/v1/host?{query}={SECRET}");
            let (status, told) =
                asked(&url, false, &tcp(), &[("host", "[::1]:80"), ("authorization", &bearer)]).unwrap_err();
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert!(
                told.ends_with("stands in the URL, where logs and histories keep it") && !told.contains(SECRET),
                "{told}"
            );
        }
    }

    #[test]
    fn only_a_host_of_its_own_is_answered() {
        let unix = Peer::Unix { uid: 1, pid: None };
        let to = |host: &str| asked("/v1/host", false, &unix, &[("host", host)]).map_err(|(_, message)| message);
        for own in
            ["localhost", "LOCALHOST:80", "127.0.0.1:9", "192.0.2.1", "[::1]", "[2001:db8::1]:443", "Admin.Example:1"]
        {
            assert_eq!(to(own), Ok(()), "{own}");
        }
        for foreign in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "admin.example.", "1.2.3"] {
            assert_eq!(to(foreign), Err(format!("`{foreign}` isn't a name of this host")));
        }
        for broken in ["", "a b", "user@localhost", "[::1"] {
            assert!(to(broken).is_err(), "{broken}");
        }
        let none = asked("/v1/host", false, &unix, &[]);
        assert_eq!(none, Err((StatusCode::FORBIDDEN, "the request has no header `Host`".to_owned())));
        let absolute = asked("http://evil.example/v1/host", false, &unix, &[("host", "localhost")]);
        assert_eq!(absolute.unwrap_err().1, "`evil.example` isn't a name of this host");
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let unix = Peer::Unix { uid: 1, pid: None };
        let from = |open, headers: &[(&str, &str)]| {
            let all: Vec<_> = [("host", "127.0.0.1:5000")].iter().chain(headers).copied().collect();
            asked("/v1/host", open, &unix, &all).map_err(|(status, _)| status)
        };
        assert_eq!(from(false, &[("origin", "http://127.0.0.1:5000"), ("sec-fetch-site", "same-origin")]), Ok(()));
        for foreign in [
            "http://evil.example",
            "http://127.0.0.1:5001",
            "http://localhost:5000",
            "null",
            "file://",
            "",
            "ftp://127.0.0.1:5000",
        ] {
            assert_eq!(from(true, &[("origin", foreign)]), Err(StatusCode::FORBIDDEN), "{foreign}");
        }
        assert_eq!(from(false, &[("sec-fetch-site", "cross-site")]), Err(StatusCode::FORBIDDEN));
        assert_eq!(from(false, &[("sec-fetch-site", "same-site")]), Err(StatusCode::FORBIDDEN));
        assert_eq!(from(true, &[("sec-fetch-site", "cross-site")]), Ok(()), "a link to the page");
    }

    #[test]
    fn a_token_is_hard_to_guess_and_is_shown_nowhere() {
        assert_eq!(Token::new("short").unwrap_err(), TokenError::Short(5));
        assert_eq!(Token::new(&"x".repeat(2_000)).unwrap_err(), TokenError::Long(2_000));
        assert_eq!(Token::new(&format!("{SECRET}\n{SECRET}")).unwrap_err(), TokenError::Characters);
        assert_eq!(Token::new("ééééééééééééééééééééééé").unwrap_err(), TokenError::Characters);
        let token = Token::new(&format!(" {SECRET}\r\n")).unwrap();
        assert_eq!((token.as_str(), format!("{token:?}")), (SECRET, "Token(…)".to_owned()));
        let told = TokenError::Short(5).to_string();
        assert_eq!(told, "it has 5 characters, and a token has at least 20: `openssl rand -hex 32` makes one");
    }
}
