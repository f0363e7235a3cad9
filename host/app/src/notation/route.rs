//! How people write which requests they want: a path with parameters, and methods.
//!
//! Owns the form of both, which paths a pattern has, and when two patterns would want the same request. Routes nothing.

use std::cmp::Ordering;
use std::fmt;

/// What a pattern looks like, for hints.
pub(crate) const PATTERN_FORM: &str = "a path is `/` and segments, some of them parameters: `/orders/{id}`; the last may take all that follows: `/files/{*path}`";

/// Bytes of a pattern: as long as the ids of entries. At the limit: a mistake.
const MOST_BYTES: usize = 255;

/// Segments of a pattern. At the limit: a mistake. Far more than paths have that people read.
const MOST_SEGMENTS: usize = 32;

/// A path with parameters: `/orders/{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
}

/// What stands between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// This text, after percent-decoding; the last may be empty.
    Text(String),
    /// Any text but an empty one, under this name.
    Parameter(String),
    /// All that follows, slashes included, also nothing: the last.
    Rest(String),
}

impl Segment {
    /// The more special first.
    fn rank(&self) -> u8 {
        match self {
            Self::Text(_) => 0,
            Self::Parameter(_) => 1,
            Self::Rest(_) => 2,
        }
    }
}

/// How two patterns stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// No path has both.
    Apart,
    /// Each path of one is one of the other's, or both have some, and it is clear which is meant.
    Clear,
    /// Some path has both, and nothing says which is meant.
    Unclear,
}

impl PathPattern {
    /// Reads a pattern.
    ///
    /// Errors: what is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MOST_BYTES {
            return Err(format!("a path of {} bytes is longer than {MOST_BYTES} bytes", text.len()));
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err(format!("path `{text}` does not begin with `/`"));
        };
        let written: Vec<&str> = rest.split('/').collect();
        if written.len() > MOST_SEGMENTS {
            return Err(format!("path `{text}` has {} segments; {MOST_SEGMENTS} are the most", written.len()));
        }
        let last = written.len().saturating_sub(1);
        let mut segments: Vec<Segment> = Vec::with_capacity(written.len());
        for (place, part) in written.into_iter().enumerate() {
            let segment = segment(text, part, place == last)?;
            let name = name(&segment);
            if name.is_some() && segments.iter().any(|other| self::name(other) == name) {
                return Err(format!("path `{text}` has the parameter `{}` twice", name.unwrap_or_default()));
            }
            segments.push(segment);
        }
        Ok(Self { text: text.to_owned(), segments })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its segments, at least one: of `/` that is an empty text.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether some path has both patterns and neither is the more special one: wherever one has a text, the other may have a
    /// parameter, but not the other way round somewhere else.
    pub fn is_unclear_beside(&self, other: &Self) -> bool {
        self.relation(other) == Relation::Unclear
    }

    fn relation(&self, other: &Self) -> Relation {
        let (mut mine, mut theirs) = (self.segments.iter(), other.segments.iter());
        // Which of them has been the more special so far, and whether the other has been, too.
        let (mut leads, mut both) = (Ordering::Equal, false);
        loop {
            let (a, b) = match (mine.next(), theirs.next()) {
                (Some(a), Some(b)) => (a, b),
                (None, None) => break,
                _ => return Relation::Apart,
            };
            if let (Segment::Text(a), Segment::Text(b)) = (a, b)
                && a != b
            {
                return Relation::Apart;
            }
            let is_empty = |segment: &Segment| matches!(segment, Segment::Text(text) if text.is_empty());
            let takes_none = |segment: &Segment| matches!(segment, Segment::Parameter(_));
            if is_empty(a) && takes_none(b) || is_empty(b) && takes_none(a) {
                return Relation::Apart;
            }
            let step = a.rank().cmp(&b.rank());
            both |= leads != Ordering::Equal && step != Ordering::Equal && step != leads;
            leads = leads.then(step);
            if matches!(a, Segment::Rest(_)) || matches!(b, Segment::Rest(_)) {
                break;
            }
        }
        if both || leads == Ordering::Equal { Relation::Unclear } else { Relation::Clear }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn name(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Text(_) => None,
        Segment::Parameter(name) | Segment::Rest(name) => Some(name),
    }
}

fn segment(path: &str, part: &str, is_last: bool) -> Result<Segment, String> {
    if let Some(inner) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        let (name, is_rest) = inner.strip_prefix('*').map_or((inner, false), |name| (name, true));
        let mut bytes = name.bytes();
        let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !begins || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("`{{{inner}}}` in path `{path}` has no name of letters, digits and `_`"));
        }
        return match (is_rest, is_last) {
            (true, false) => {
                Err(format!("`{{*{name}}}` in path `{path}` takes all that follows, so it must be the last"))
            }
            (true, true) => Ok(Segment::Rest(name.to_owned())),
            (false, _) => Ok(Segment::Parameter(name.to_owned())),
        };
    }
    if part.contains(['{', '}']) {
        return Err(format!("`{part}` in path `{path}` is part text, part parameter: a parameter is a whole segment"));
    }
    if part.is_empty() && !is_last {
        return Err(format!("path `{path}` has an empty segment"));
    }
    if matches!(part, "." | "..") {
        return Err(format!("path `{path}` has the segment `{part}`, which no request has"));
    }
    match part.chars().find(|c| matches!(c, '?' | '#' | '%' | '\\') || c.is_control() || c.is_whitespace()) {
        Some(c) => Err(format!("path `{path}` has `{}`, which can't stand in it", c.escape_default())),
        None => Ok(Segment::Text(part.to_owned())),
    }
}

/// A method of HTTP that an endpoint can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
}

impl HttpMethod {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options];

    /// As it stands in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// The method of this name, in capital letters. None: there is none, or none that an endpoint can have.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::PathPattern;

    fn unclear(a: &str, b: &str) -> bool {
        let (a, b) = (PathPattern::parse(a).unwrap(), PathPattern::parse(b).unwrap());
        assert_eq!(a.is_unclear_beside(&b), b.is_unclear_beside(&a));
        a.is_unclear_beside(&b)
    }

    #[test]
    fn the_same_paths_under_other_names_are_unclear() {
        assert!(unclear("/", "/"));
        assert!(unclear("/a/{id}", "/a/{name}"));
        assert!(unclear("/{*all}", "/{*rest}"));
        assert!(unclear("/a/{id}/{*all}", "/a/{name}/{*rest}"));
    }

    #[test]
    fn each_the_more_special_one_somewhere_is_unclear() {
        assert!(unclear("/a/{id}", "/{name}/b"));
        assert!(unclear("/a/{*rest}", "/{name}/b"));
        assert!(unclear("/a/{x}/c", "/{y}/b/{*rest}"));
    }

    #[test]
    fn the_more_special_one_is_meant() {
        assert!(!unclear("/a/new", "/a/{id}"));
        assert!(!unclear("/a/{id}", "/{*all}"));
        assert!(!unclear("/a/b", "/{x}/{y}"));
        assert!(!unclear("/files/", "/files/{*path}"));
    }

    #[test]
    fn what_no_path_has_both_of_is_clear() {
        assert!(!unclear("/a/{id}", "/b/{id}"));
        assert!(!unclear("/a", "/a/{id}"));
        assert!(!unclear("/a/", "/a/{id}"));
        assert!(!unclear("/a/{id}/c", "/{x}/b/d"));
        assert!(!unclear("/a", "/a/{*rest}"));
    }

    #[test]
    fn what_is_no_pattern_is_told_why() {
        let told = |text: &str| PathPattern::parse(text).unwrap_err();
        assert_eq!(told("a"), "path `a` does not begin with `/`");
        assert_eq!(told("/a//b"), "path `/a//b` has an empty segment");
        assert_eq!(told("/a/../b"), "path `/a/../b` has the segment `..`, which no request has");
        assert_eq!(told("/{id}/{id}"), "path `/{id}/{id}` has the parameter `id` twice");
        assert_eq!(
            told("/a{id}"),
            "`a{id}` in path `/a{id}` is part text, part parameter: a parameter is a whole segment"
        );
        assert_eq!(told("/{}"), "`{}` in path `/{}` has no name of letters, digits and `_`");
        assert_eq!(told("/{1}"), "`{1}` in path `/{1}` has no name of letters, digits and `_`");
        assert_eq!(told("/{*a}/b"), "`{*a}` in path `/{*a}/b` takes all that follows, so it must be the last");
        assert_eq!(told("/a?b"), "path `/a?b` has `?`, which can't stand in it");
        assert_eq!(told("/a b"), "path `/a b` has ` `, which can't stand in it");
        assert_eq!(told("/a%20b"), "path `/a%20b` has `%`, which can't stand in it");
        assert_eq!(told(&"/a".repeat(33)), format!("path `{}` has 33 segments; 32 are the most", "/a".repeat(33)));
        assert_eq!(told(&format!("/{}", "a".repeat(255))), "a path of 256 bytes is longer than 255 bytes");
    }
}
