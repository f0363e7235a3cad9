//! Which endpoint a request is for.
//!
//! Owns the search: at each segment a text comes before a parameter, and that before what takes the rest. That finds the most special
//! endpoint that takes the method, because the application's check lets no two be unclear beside each other.

use std::collections::HashMap;

use lunarium_app::{Endpoint, HttpMethod, Segment};

use super::path::Text;

/// The endpoints of a site.
#[derive(Debug, Default)]
pub(super) struct Routes {
    endpoints: Vec<Endpoint>,
    /// The first is where all paths begin.
    places: Vec<Place>,
}

/// Where a path is after some segments.
#[derive(Debug, Default)]
struct Place {
    texts: HashMap<Box<[u8]>, usize>,
    parameter: Option<usize>,
    /// Endpoints whose path ends here.
    ends: Vec<usize>,
    /// Endpoints that take whatever follows.
    rests: Vec<usize>,
}

/// What a search has found.
#[derive(Debug)]
pub(super) enum Found<'r> {
    Endpoint(&'r Endpoint),
    /// No endpoint has the path.
    Nothing,
    /// Some have it, for these methods.
    OtherMethods(Vec<HttpMethod>),
}

impl Routes {
    pub(super) fn new(endpoints: Vec<Endpoint>) -> Self {
        let mut routes = Self { endpoints: Vec::new(), places: vec![Place::default()] };
        for (number, endpoint) in endpoints.iter().enumerate() {
            routes.add(number, endpoint);
        }
        routes.endpoints = endpoints;
        routes
    }

    fn add(&mut self, number: usize, endpoint: &Endpoint) {
        let mut at = 0;
        for segment in endpoint.path.segments() {
            let next = self.places.len();
            let Some(place) = self.places.get_mut(at) else { return };
            at = match segment {
                Segment::Text(text) => *place.texts.entry(text.as_bytes().into()).or_insert(next),
                Segment::Parameter(_) => *place.parameter.get_or_insert(next),
                Segment::Rest(_) => {
                    place.rests.push(number);
                    return;
                }
            };
            if at == next {
                self.places.push(Place::default());
            }
        }
        if let Some(place) = self.places.get_mut(at) {
            place.ends.push(number);
        }
    }

    pub(super) fn find(&self, method: Option<HttpMethod>, segments: &[Text<'_>]) -> Found<'_> {
        let mut others = Vec::new();
        match self.search(0, segments, method, &mut others) {
            Some(endpoint) => Found::Endpoint(endpoint),
            None if others.is_empty() => Found::Nothing,
            None => Found::OtherMethods(others),
        }
    }

    /// As deep as a pattern has segments, and each place once at most.
    fn search(
        &self,
        at: usize,
        segments: &[Text<'_>],
        method: Option<HttpMethod>,
        others: &mut Vec<HttpMethod>,
    ) -> Option<&Endpoint> {
        let place = self.places.get(at)?;
        let Some((first, rest)) = segments.split_first() else { return self.pick(&place.ends, method, others) };
        let text = place.texts.get(first.as_ref()).and_then(|next| self.search(*next, rest, method, others));
        let parameter = || place.parameter.filter(|_| !first.is_empty());
        if text.is_some() {
            return text;
        }
        let found = parameter().and_then(|next| self.search(next, rest, method, others));
        found.or_else(|| self.pick(&place.rests, method, others))
    }

    fn pick(&self, numbers: &[usize], method: Option<HttpMethod>, others: &mut Vec<HttpMethod>) -> Option<&Endpoint> {
        let mut endpoints = numbers.iter().filter_map(|number| self.endpoints.get(*number));
        let found = endpoints.find(|endpoint| method.is_some_and(|method| endpoint.takes(method)));
        if found.is_none() {
            let endpoints = numbers.iter().filter_map(|number| self.endpoints.get(*number));
            for endpoint in endpoints {
                let new = HttpMethod::ALL.into_iter().filter(|method| endpoint.takes(*method));
                let new: Vec<_> = new.filter(|method| !others.contains(method)).collect();
                others.extend(new);
            }
        }
        found
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use std::path::Path;

    use cap_std::ambient_authority;
    use cap_std::fs::Dir;
    use lunarium_app::{Draft, HttpMethod, NoAuthority};

    use super::super::path::segments;
    use super::{Found, Routes};

    /// Endpoints by their paths and methods; each is named after its number.
    fn routes(paths: &[(&str, &str)]) -> Routes {
        let folder = tempfile::tempdir().unwrap();
        let mut index =
            "version: \"1.0\"\nnamespace: app\nentries:\n  - {name: main, kind: process.lua, source: return print}\n"
                .to_owned();
        for (number, (path, methods)) in paths.iter().enumerate() {
            index += &format!(
                "  - {{name: e{number}, kind: http.endpoint, path: '{path}', methods: [{methods}], process: main}}\n"
            );
        }
        std::fs::write(folder.path().join("_index.yaml"), index).unwrap();
        let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
        let app =
            Draft::of_folder(&dir, Path::new("app"), &NoAuthority).finish().unwrap_or_else(|report| panic!("{report}"));
        Routes::new(app.endpoints().to_vec())
    }

    fn find(routes: &Routes, method: HttpMethod, path: &str) -> String {
        match routes.find(Some(method), &segments(path).unwrap()) {
            Found::Endpoint(endpoint) => endpoint.path.to_string(),
            Found::Nothing => "nothing".to_owned(),
            Found::OtherMethods(mut methods) => {
                methods.sort_unstable();
                methods.into_iter().map(HttpMethod::as_str).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn the_most_special_endpoint_is_found() {
        let routes = routes(&[
            ("/", "GET"),
            ("/a/{id}", "GET"),
            ("/a/new", "GET"),
            ("/a/{id}/b", "GET"),
            ("/files/{*path}", "GET"),
            ("/files/index", "GET"),
            ("/a/{one}/{two}/{three}", "GET"),
            ("/a/{one}/c/{three}", "GET"),
            ("/a/b/c/e", "GET"),
        ]);
        let get = |path: &str| find(&routes, HttpMethod::Get, path);
        assert_eq!(get("/"), "/");
        assert_eq!(get("/a/new"), "/a/new");
        assert_eq!(get("/a/n%65w"), "/a/new");
        assert_eq!(get("/a/7"), "/a/{id}");
        assert_eq!(get("/a/new/b"), "/a/{id}/b");
        assert_eq!(get("/a/"), "nothing");
        assert_eq!(get("/a"), "nothing");
        assert_eq!(get("/files/"), "/files/{*path}");
        assert_eq!(get("/files/index"), "/files/index");
        assert_eq!(get("/files/a/c/d/e"), "/files/{*path}");
        assert_eq!(get("/files"), "nothing");
        assert_eq!(get("/a/b/3/4"), "/a/{one}/{two}/{three}");
        assert_eq!(get("/a/b/c/d"), "/a/{one}/c/{three}");
        assert_eq!(get("/a/b/c/e"), "/a/b/c/e");
        assert_eq!(get("/a/b/c/"), "nothing");
    }

    #[test]
    fn a_method_is_taken_by_who_has_it() {
        let routes = routes(&[("/a/new", "GET"), ("/a/{id}", "'POST', DELETE"), ("/{*all}", "PUT")]);
        assert_eq!(find(&routes, HttpMethod::Post, "/a/new"), "/a/{id}");
        assert_eq!(find(&routes, HttpMethod::Head, "/a/new"), "/a/new");
        assert_eq!(find(&routes, HttpMethod::Put, "/a/new"), "/{*all}");
        assert_eq!(find(&routes, HttpMethod::Patch, "/a/new"), "GET HEAD POST PUT DELETE");
        assert_eq!(find(&routes, HttpMethod::Get, "/b"), "PUT");
    }
}
