//! The routes: one table, from which the router is made, what is open to anybody, and what the OpenAPI document must have.
//!
//! Owns the answers for what isn't there. Refuses to know what a route does.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{MethodFilter, MethodRouter, on};
use lunarium_engine::ErrorKind;

use super::answer::Failed;
use super::{Shared, act, change, events, graph, host, logs, numbers, page, process, processes, tenants};

/// One route.
pub(crate) struct Route {
    #[allow(dead_code, reason = "a test holds the document against it")]
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    handler: MethodRouter<Arc<Shared>>,
    open: bool,
    #[allow(dead_code, reason = "a test holds the document against it")]
    pub(crate) is_described: bool,
}

impl Route {
    fn new<H, T>(method: &'static str, filter: MethodFilter, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<Shared>>,
        T: 'static,
    {
        Self { method, path, handler: on(filter, handler), open: false, is_described: true }
    }

    pub(crate) fn get<H: Handler<T, Arc<Shared>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("get", MethodFilter::GET, path, handler)
    }

    pub(crate) fn post<H: Handler<T, Arc<Shared>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("post", MethodFilter::POST, path, handler)
    }

    pub(crate) fn put<H: Handler<T, Arc<Shared>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("put", MethodFilter::PUT, path, handler)
    }

    pub(crate) fn delete<H: Handler<T, Arc<Shared>>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new("delete", MethodFilter::DELETE, path, handler)
    }

    /// The same, and the document doesn't tell of it: it is none of the interface.
    pub(crate) fn not_described(self) -> Self {
        Self { is_described: false, ..self }
    }

    /// The same for anybody, without a token: nothing of it may be a secret, and its path has no parameters.
    pub(crate) fn open(self) -> Self {
        Self { open: true, ..self }
    }
}

/// Every route.
pub(crate) fn table() -> Vec<Route> {
    let all = [
        host::routes(),
        tenants::routes(),
        change::routes(),
        processes::routes(),
        process::routes(),
        graph::routes(),
        act::routes(),
        events::routes(),
        logs::routes(),
        numbers::routes(),
        page::routes(),
    ];
    all.into_iter().flatten().collect()
}

/// The table as it is served.
pub(crate) struct Routes {
    pub(crate) router: Router,
    open: HashSet<&'static str>,
}

impl Routes {
    /// Whether anybody may ask for this.
    pub(crate) fn is_open(&self, path: &str) -> bool {
        self.open.contains(path)
    }
}

pub(crate) fn all(shared: &Arc<Shared>) -> Routes {
    let table = table();
    let open = table.iter().filter(|route| route.open).map(|route| route.path).collect();
    let router = table.into_iter().fold(Router::new(), |router, route| router.route(route.path, route.handler));
    let router = router.fallback(absent).method_not_allowed_fallback(other_method);
    Routes { router: router.with_state(Arc::clone(shared)), open }
}

async fn absent(uri: Uri) -> Failed {
    let path: String = uri.path().chars().take(200).collect();
    Failed::absent(format!("there is no `{path}`")).with_help("`GET /openapi.json` describes what there is")
}

async fn other_method(method: Method, uri: Uri) -> Failed {
    let (path, method): (String, String) =
        (uri.path().chars().take(200).collect(), method.as_str().chars().take(20).collect());
    let message = format!("`{path}` has no method {method}");
    Failed::new(StatusCode::METHOD_NOT_ALLOWED, ErrorKind::Invalid, message)
        .with_help("`GET /openapi.json` describes what there is")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::OPENAPI;
    use super::table;

    fn document() -> Value {
        serde_json::from_str(OPENAPI).unwrap()
    }

    #[test]
    fn the_document_describes_every_route_and_nothing_else() {
        let document = document();
        let mut described = BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            described.extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
        }
        let table = table();
        let served = table.iter().filter(|route| route.is_described);
        let served: BTreeSet<_> = served.map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn the_document_says_which_routes_need_no_token() {
        let document = document();
        for route in table().iter().filter(|route| route.is_described) {
            let security = &document["paths"][route.path][route.method]["security"];
            let said_open = security.as_array().is_some_and(Vec::is_empty);
            assert_eq!(said_open, route.open, "{} {}", route.method, route.path);
            assert!(!route.open || !route.path.contains('{'), "{}", route.path);
        }
    }

    #[test]
    fn what_the_document_refers_to_is_there() {
        fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
            match value {
                Value::Object(fields) => fields.iter().for_each(|(key, value)| match value.as_str() {
                    Some(reference) if key == "$ref" => drop(found.insert(reference)),
                    _ => references(value, found),
                }),
                Value::Array(values) => values.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let known: BTreeSet<_> = schemas.keys().map(|name| format!("#/components/schemas/{name}")).collect();
        let found: BTreeSet<_> = found.into_iter().map(str::to_owned).collect();
        assert_eq!(found, known, "each is there, and each is used");
    }
}
