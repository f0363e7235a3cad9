//! The modules that the command's node has, for entries and hosts that are granted them; and the directory of what outlives
//! a run.
//!
//! Owns which there are, and when the store's file is opened and when looked into. What they do is `lunarium-modules`'s.

use std::fmt::Display;
use std::sync::Arc;

use lunarium_app::Draft;
use lunarium_engine::{Level, Module};
use lunarium_modules::http::{self, Http};
use lunarium_modules::kv;

use crate::arguments::Given;
use crate::terminal::Screen;
use crate::{Refused, size, stdin};

/// What a tenant's node has, made anew, with a store of its own. Nobody's standard input is a tenant's.
pub fn for_tenants(http: Http, store: kv::Slot) -> Vec<Module> {
    vec![http.module(), kv::module(store)]
}

/// What a run's node has, made anew: what a module counts and keeps, it counts and keeps for one node. What they need of the machine's files, but for
/// the store's, they have read.
pub struct Modules {
    pub all: Vec<Module>,
    store: kv::Slot,
}

impl Modules {
    pub fn new() -> Self {
        let store = kv::Slot::default();
        let mut all = for_tenants(Http::new(), store.clone());
        all.push(stdin::module());
        Self { all, store }
    }

    /// Reads what the store's file holds, and starts the thread that writes: behind the wall.
    ///
    /// Errors: it is damaged, or something else.
    pub fn start(&self, data: Option<Data>, screen: &Arc<Screen>) -> Result<(), Refused> {
        let Some(Data { file, most }) = data else { return Ok(()) };
        let screen = Arc::clone(screen);
        let report = move |line: &str| screen.note(Level::Warn, line, &[]);
        let store = file.start(most, report).map_err(|error| unusable(&error))?;
        self.store.fill(store);
        Ok(())
    }
}

/// What `--data` names: opened, and not looked into.
pub struct Data {
    file: kv::Opened,
    most: u64,
}

impl Data {
    /// Opens what `--data` names, or makes it.
    ///
    /// Errors: it can't be; there is none, and the application grants what needs it.
    pub fn open(options: &Given, draft: &Draft) -> Result<Option<Self>, Refused> {
        let most = size("--data-max", options.data_max.as_deref())?.unwrap_or(kv::QUOTA);
        let Some(directory) = &options.data else {
            return match draft.grants_module(kv::NAME) {
                false => Ok(None),
                true => Err(Refused::usage(
                    "the application grants `kv`, and there is no directory for its store".to_owned(),
                    Some("`--data DIR` names one; it is made if it isn't there".to_owned()),
                )),
            };
        };
        let file = kv::Opened::in_directory(directory).map_err(|error| unusable(&error))?;
        Ok(Some(Self { file, most }))
    }
}

/// What is wrong with the directory or its file.
fn unusable(error: &impl Display) -> Refused {
    Refused::machine(format!("`--data`: {error}"))
}

/// Whether somebody is granted what needs sockets.
pub fn need_sockets(draft: &Draft) -> bool {
    draft.grants_module(http::NAME)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::path::Path;

    use cap_std::ambient_authority;
    use cap_std::fs::Dir;
    use lunarium_app::Draft;

    use super::{Modules, need_sockets};
    use crate::open::Ambient;

    #[test]
    fn sockets_are_kept_where_http_is_granted_and_nowhere_else() {
        let needs = |entry: &str| {
            let folder = tempfile::tempdir().unwrap();
            let index = format!("version: \"1.0\"\nnamespace: app\nentries:\n  - {entry}\n");
            std::fs::write(folder.path().join("_index.yaml"), index).unwrap();
            let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
            let modules = Modules::new().all;
            let draft = Draft::of_folder(&dir, Path::new("app"), &Ambient { modules: &modules });
            need_sockets(&draft)
        };
        assert!(!needs("{name: main, kind: process.lua, source: return 1}"));
        assert!(!needs(
            "{name: main, kind: process.lua, source: return 1, grants: {kv: [{prefix: a}], modules: [mail]}}"
        ));
        assert!(needs("{name: main, kind: process.lua, source: return 1, grants: {http: [{url: 'http://a/*'}]}}"));
        assert!(needs("{name: host, kind: process.host, grants: {http: [{url: 'http://a/*'}]}}"));
    }
}
