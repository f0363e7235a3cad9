//! Kinds of entries that Wippy has and this format hasn't: what to write instead. Owns one line for each. Whoever reads the format never needs it.

/// By how a kind begins, the longest first where one begins another.
const INSTEAD: [(&str, &str); 31] = [
    ("workflow.", "there are no durable workflows: a `process.lua` can keep its state in `kv`"),
    ("function.lua.bc", "bytecode isn't loaded: write `process.lua` with the source"),
    ("process.lua.bc", "bytecode isn't loaded: write `process.lua` with the source"),
    ("library.lua.bc", "bytecode isn't loaded: write `library.lua` with the source"),
    ("module.lua", "write `library.lua`, and name it in `imports`"),
    ("function.w", "other WebAssembly than the runtime's own isn't run: an embedding program can give a module"),
    ("process.w", "other WebAssembly than the runtime's own isn't run: an embedding program can give a module"),
    (
        "http.",
        "requests from outside are the host's matter: see `lunarium serve`; `grants: {http: …}` is for requests to others",
    ),
    ("db.", "there are no databases: `grants: {kv: …}` keeps values, and an embedding program can give a module"),
    ("store.", "`grants: {kv: …}` gives an entry a store, which `require(\"kv\")` reads"),
    ("queue.", "a mailbox is a queue: a process that receives jobs, by its registered name or `process.group`"),
    ("pg.", "groups need no entry: `process.group.join(name)`"),
    ("temporal.", "there are no durable workflows: a `process.lua` can keep its state in `kv`"),
    ("config.", "there is no cloud storage: an embedding program can give a module"),
    ("cloudstorage.", "there is no cloud storage: an embedding program can give a module"),
    ("fs.", "`grants: {fs: [{path: …, write: false}]}` of an entry or a host gives a directory"),
    ("env.storage", "variables are those of the command: `env.variable`, and `grants: {env: [NAME]}`"),
    ("template.", "there are no templates: a `library.lua` can make texts"),
    ("security.policy.expr", "write `security.policy` with `conditions`: each a `field`, an `operator` and a `value`"),
    ("security.token_store", "there are no tokens: who starts a process says in whose name it acts"),
    ("contract.", "there are no contracts: a `library.lua`, or a process whose functions are called by `process.call`"),
    ("exec.", "no program outside can be run: an embedding program can give a module"),
    ("network", "a process has no network but what modules give it: `grants: {http: …}`"),
    ("registry.", "entries are the `_index.yaml` files, and nothing changes them at run time"),
    (
        "ns.",
        "namespaces need no entry: `namespace:` at the top of the file, and ids in full where another one is meant",
    ),
    ("view.", "there are no pages: what is shown is the host program's"),
    ("agent.", "there are no agents: a `process.lua` is one, with what an embedding program gives it"),
    ("event.", "who wants to be told joins a group: `process.group.join(name)`"),
    ("metrics.", "`process.limits()` tells what is used; the rest is the host's"),
    ("tool.", "there are no tools of agents: a `library.lua`"),
    ("llm.", "there are no models: an embedding program can give a module"),
];

/// What to write instead of a kind; none: it isn't one of Wippy's either.
pub(super) fn instead_of(kind: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(begins, _)| kind.starts_with(begins)).map(|(_, instead)| *instead)
}
