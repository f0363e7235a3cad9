//! The cases, by what they go for. A case of your own is one more entry of a list here:
//!
//! ```ignore
//! Case::body("what is tried", "ResourceExhausted cpu", "while true do end").with_cpu(100),
//! ```

mod embedder;
mod files;
mod loops;
mod memory;
mod messages;
mod sandbox;
mod storms;

use crate::case::Case;
use crate::hostile::{self, Hostile};
use crate::runner::Site;

/// Cases that run on one engine.
pub struct Group {
    pub title: &'static str,
    pub site: fn() -> Site,
    pub cases: Vec<Case>,
}

pub fn groups() -> Vec<Group> {
    let scripts = |title, cases| Group { title, site: Site::of_lua, cases };
    vec![
        scripts("Loops and long calls", loops::cases()),
        scripts("Memory and recursion", memory::cases()),
        scripts("Out of Lua", sandbox::cases()),
        scripts("Messages, names, links", messages::cases()),
        scripts("Storms", storms::cases()),
        scripts("Files", files::cases()),
        scripts("What an embedder does", embedder::of_lua()),
        Group { title: "Hostile components", site: Site::of_components, cases: components() },
    ]
}

fn components() -> Vec<Case> {
    let cases = |guests: Vec<&'static Hostile>| {
        guests.into_iter().enumerate().map(|(place, hostile)| Case::hostile(hostile, place)).collect::<Vec<_>>()
    };
    [cases(hostile::common()), cases(hostile::apart()), embedder::of_components()].into_iter().flatten().collect()
}
