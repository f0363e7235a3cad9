//! The reference: stubs, pages and examples, held against each other and against the real guest.
//!
//! Owns the truth of `docs/library` and `docs/reference`. The stubs are the one source: `UPDATE_EXPECT=1` makes the pages
//! from them.

mod page;
mod server;
mod stub;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use expect_test::expect_file;
use lunarium_contract::module::{ALWAYS, GRANTED};
use lunarium_engine::{
    Caller, Directory, EntryId, ErrorKind, FunctionError, Grants, LimitName, Module as EmbeddersModule, Pattern,
    Policy, PolicyEffect, Value,
};
use lunarium_modules::http::Http;
use lunarium_modules::kv;
use lunarium_tests::{Lab, transcript_in};
use stub::{Entry, Module, Subject};

/// The modules, in the order of the index.
static MODULES: LazyLock<Vec<&str>> =
    LazyLock::new(|| ["base"].into_iter().chain(ALWAYS).chain(GRANTED).chain(REQUIRED).chain(OF_COMMAND).collect());

/// Those among them that are no globals: only `require` finds them.
const REQUIRED: [&str; 2] = ["http", "kv"];

/// Modules that only the command has: it runs their examples itself, and holds their stubs against what is there.
const OF_COMMAND: [&str; 2] = ["stdin", "test"];

/// Documented, and not there yet: modules, functions and methods. Whatever is there must not stand here.
const NOT_YET: &[&str] = &[];

/// Examples of what is there in part. One that runs must not stand here.
const EXAMPLES_NOT_YET: &[&str] = &[];

/// An object of each class that has methods, by the variable that stands for it in the stubs.
const OBJECTS: [(&str, &str); 12] = [
    ("message", "(function() process.send(process.pid(), 't') return (process.inbox():receive()) end)()"),
    ("spawner", "process.with_context({})"),
    ("bounded", "process.with_timeout('1s')"),
    ("ch", "channel.new()"),
    ("timer", "time.timer('1h')"),
    ("instant", "time.now()"),
    ("duration", "time.SECOND"),
    ("err", "errors.new('x')"),
    ("actor", "security.new_actor('a')"),
    ("scope", "security.new_scope({})"),
    ("policy", "security.policy('app:readers')"),
    ("logger", "logger"),
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn modules() -> Vec<Module> {
    let read = |name: &&str| {
        let path = docs().join("library").join(format!("{name}.lua"));
        let module = stub::parse(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}")));
        assert_eq!(module.name, **name, "the name of the file and of the module");
        module
    };
    MODULES.iter().map(read).collect()
}

/// The functions of a module, by name.
fn functions(module: &Module) -> impl Iterator<Item = (&str, &Entry)> {
    module.entries().filter_map(|entry| match &entry.subject {
        Subject::Function { name, .. } => Some((name.as_str(), entry)),
        _ => None,
    })
}

/// What a script prints in a process that has all modules: with the writable directory `data`, the variable `GREETING`, an empty
/// store that it may write, the server of `server.rs` in the place of `https://api.example.com`, the module `billing`, and the policy
/// `app:readers` of the group `app:team`, which allows `document.read` on everything.
fn transcript(script: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).expect("it is there");
    let data = Directory::new("data", dir, true).expect("a path");
    let grants = Grants::new().with_variable("GREETING", Some("hello".to_owned())).with_directory(data);
    let http = Http::new().module();
    let rule = [("url", Value::from(format!("{}/v1/*", server::url()).as_str())), ("methods", server::methods())];
    let rule = Value::Map(rule.map(|(key, value)| (Value::from(key), value)).to_vec());
    let rules = http.grant(&Value::Array(vec![rule])).expect("rules");
    // A file is made only for those that have a use for it.
    let slot = kv::Slot::default();
    if script.contains("kv") {
        let opened = kv::Opened::in_directory(&folder.path().join("store")).expect("a folder");
        slot.fill(opened.start(kv::QUOTA, |_| {}).expect("a file"));
    }
    let store = kv::module(slot);
    let settings = store.grant(&kv::rules([("", true)])).expect("a grant");
    let lab = Lab::granting(grants.with_module("billing").with_settings(settings).with_settings(rules));
    lab.node.add_module(store).expect("a name");
    lab.node.add_module(billing()).expect("a name");
    lab.node.add_module(http).expect("a name");
    let pattern = |text| vec![Pattern::parse(text).expect("a pattern")];
    let readers = Policy {
        id: EntryId::new("app:readers"),
        effect: PolicyEffect::Allow,
        actions: pattern("document.read"),
        resources: pattern("*"),
        conditions: Vec::new(),
    };
    lab.node.define_policy(readers, &[EntryId::new("app:team")]);
    transcript_in(&lab, &script.replace(server::SHOWN, server::url())).replace(server::url(), server::SHOWN)
}

/// The module of the page about modules.
fn billing() -> EmbeddersModule {
    EmbeddersModule::new("billing")
        .function("charge", |caller: Caller, (who, cents): (String, i64)| async move {
            match cents {
                0.. => Ok(format!("{who} paid {cents} to {}", caller.entry())),
                _ => Err(FunctionError::new(ErrorKind::Invalid, "amount is negative")),
            }
        })
        .immediate("vat", |_, (cents, rate): (i64, Option<f64>)| {
            let vat = cents as f64 * rate.unwrap_or(0.19);
            Ok::<_, FunctionError>((vat, cents as f64 + vat))
        })
}

/// Whether a list names this function, its table or its object.
fn listed(list: &[&str], name: &str) -> bool {
    list.iter().any(|item| {
        name.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with(':'))
    })
}

/// Whether there is nothing to try: not yet, or not here.
fn untried(module: &str, name: &str) -> bool {
    OF_COMMAND.contains(&module) || listed(NOT_YET, module) || listed(NOT_YET, name)
}

#[test]
fn pages_are_made_from_the_stubs() {
    for module in modules() {
        let path = docs().join("reference").join(format!("{}.md", module.name));
        expect_file![path].assert_eq(&page::page(&module));
    }
}

#[test]
fn the_index_lists_every_module() {
    let mut index = String::from(
        "<!-- Made from docs/library: change that. -->\n\n# Reference\n\nOne page for each module. How to read the \
         examples, and the pages on what all modules share: [docs](../README.md).\n\n| module | |\n|---|---|\n",
    );
    for module in modules() {
        let _ = writeln!(index, "| [{0}]({0}.md) | {1} |", module.name, page::summary(&module));
    }
    expect_file![docs().join("reference/README.md")].assert_eq(&index);
}

#[test]
fn no_page_is_left_over() {
    let known: BTreeSet<_> = MODULES.iter().map(|name| format!("{name}.md")).chain(["README.md".to_owned()]).collect();
    assert_eq!(names_in("reference"), known);
    let known: BTreeSet<_> = MODULES.iter().map(|name| format!("{name}.lua")).collect();
    assert_eq!(names_in("library"), known);
}

fn names_in(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(docs().join(folder)).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect()
}

#[test]
fn every_function_is_documented_whole() {
    let mut wrong = Vec::new();
    for module in modules() {
        for (name, entry) in functions(&module) {
            let Subject::Function { parameters, .. } = &entry.subject else { continue };
            let told: Vec<_> = entry.parameters.iter().map(|known| known.name.trim_end_matches('?')).collect();
            if told != *parameters {
                wrong.push(format!("{name}: parameters {parameters:?}, documented {told:?}"));
            }
            if entry.example.is_none() {
                wrong.push(format!("{name}: no example"));
            }
            if entry.text.is_empty() {
                wrong.push(format!("{name}: no text"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An example's program, and what it says it prints. `-->` stands before a line of output, whose tabs are spaces there.
fn program_of(example: &str) -> (String, String) {
    let (main, rest) = match example.find("-- entry: ") {
        Some(place) => example.split_at(place),
        None => (example, ""),
    };
    let lines = example.lines().filter_map(|line| line.split_once("-->"));
    let mut expected: String = lines.map(|(_, line)| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
    expected.push_str("=> nil\n");
    (format!("return {{ main = function(...)\n{main}end }}\n{rest}"), expected)
}

/// What is wrong with an example, or none.
fn fault_of(example: &str) -> Option<String> {
    let (program, expected) = program_of(example);
    let printed = transcript(&program).replace('\t', " ");
    (printed != expected).then(|| format!("says\n{expected}prints\n{printed}"))
}

#[test]
fn every_example_prints_what_it_says() {
    let mut wrong = Vec::new();
    for module in modules() {
        for entry in module.entries() {
            let Some(example) = &entry.example else { continue };
            let name = match &entry.subject {
                Subject::Function { name, .. } | Subject::Class { variable: name, .. } | Subject::Alias { name } => {
                    name
                }
                Subject::Nothing => continue,
            };
            if untried(&module.name, name) {
                continue;
            }
            match (fault_of(example), listed(EXAMPLES_NOT_YET, name)) {
                (Some(fault), false) => wrong.push(format!("{name} {fault}")),
                (None, true) => wrong.push(format!("{name} runs: take it out of EXAMPLES_NOT_YET")),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_prose_example_prints_what_it_says() {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(docs()).expect("docs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        for block in text.split("```lua\n").skip(1) {
            let (example, _) = block.split_once("```").expect("a closed fence");
            if let Some(fault) = fault_of(example) {
                wrong.push(format!("{}: {example}{fault}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The permissions named in backticks, such as `process.send`.
fn permissions_in(text: &str) -> BTreeSet<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|name| ["process.", "env.", "fs."].iter().any(|module| name.starts_with(module))).collect()
}

#[test]
fn the_table_of_permissions_has_those_of_the_stubs() {
    let modules = modules();
    let entries = modules.iter().flat_map(Module::entries);
    let mut needed: BTreeSet<_> =
        entries.filter_map(|entry| entry.permission.as_deref()).flat_map(permissions_in).collect();
    // "those of `process.spawn_linked`" names a function.
    needed.retain(|name| !name.starts_with("process.spawn_"));
    let page = fs::read_to_string(docs().join("permissions.md")).expect("text");
    let listed = page.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    let listed: BTreeSet<_> = listed.flat_map(permissions_in).collect();
    assert_eq!(listed, needed);
}

#[test]
fn the_tests_that_the_security_page_names_exist() {
    let page = fs::read_to_string(docs().join("security.md")).expect("text");
    let named: Vec<_> = page.split('`').skip(1).step_by(2).filter(|code| code.contains("::")).collect();
    assert!(named.len() > 20, "{named:?}");
    let tests = docs().join("../tests");
    for name in named {
        let (file, function) = name.rsplit_once("::").expect("a path");
        let folder = if file.contains('/') { "" } else { "it/" };
        let file = tests.join(format!("{folder}{}.rs", file.replace("::", "/")));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(text.contains(&format!("#[test]\nfn {function}()")), "{name}");
    }
}

#[test]
fn the_table_of_limits_has_every_limit() {
    let page = fs::read_to_string(docs().join("limits.md")).expect("text");
    // Those of our own modules are theirs.
    let (page, _) = page.split_once("## `http`").expect("a section");
    let names = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    // A name with a point is a budget's: the part before it says whose.
    let names: Vec<_> = names.filter(|name| !name.contains('.')).collect();
    assert_eq!(names, LimitName::ALL.map(LimitName::as_str));
}

/// The anchor that a heading gets on a page.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for folder in [docs(), docs().join("reference")] {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("text");
            for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let (file, place) = link.split_once('#').unwrap_or((link, ""));
                let target = if file.is_empty() { path.clone() } else { folder.join(file) };
                let there = file.starts_with("https://") || target.exists();
                let place_there = place.is_empty()
                    || fs::read_to_string(&target)
                        .is_ok_and(|text| text.lines().any(|line| line.starts_with('#') && anchor(line) == place));
                if !there || !place_there {
                    broken.push(format!("{}: {link}", path.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Everything in the runtime's own tables, by path.
const WALK: &str = r#"
return { main = function()
    local function walk(path, t)
        for name, value in pairs(t) do
            local own = path .. "." .. name
            if type(value) == "table" and getmetatable(value) == nil then walk(own, value) else print(own) end
        end
    end
    for _, name in ipairs { ... } do
        local module = _G[name]
        if type(module) == "table" and getmetatable(module) == nil then walk(name, module) end
    end
    for _, name in ipairs { required } do walk(name, require(name)) end
end }
"#;

#[test]
fn the_runtime_has_what_the_stubs_say_and_nothing_else() {
    // Most of Lua's own are in its manual, and `sandbox.rs` holds them; `logger` is an object.
    let own = |name: &str| !["coroutine", "logger"].contains(&name) && !OF_COMMAND.contains(&name);
    let mut documented = BTreeSet::new();
    for module in modules().iter().filter(|module| own(&module.name)) {
        documented.extend(table_names(module));
    }
    documented.retain(|name| name.contains('.'));
    let walked = MODULES.iter().chain(&["os", "debug"]).filter(|name| own(name));
    let list = |names: Vec<&str>| names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let walk = WALK.replace("...", &list(walked.copied().collect())).replace("required", &list(REQUIRED.to_vec()));
    let printed = transcript(&walk);
    let real: BTreeSet<_> = printed.lines().filter(|line| !line.starts_with("=>")).map(str::to_owned).collect();
    let undocumented: Vec<_> = real.difference(&documented).collect();
    assert!(undocumented.is_empty(), "there, and not in the stubs: {undocumented:?}");
    let absent: Vec<_> = documented.difference(&real).filter(|name| !listed(NOT_YET, name)).collect();
    assert!(absent.is_empty(), "in the stubs, and not there: {absent:?}");
}

#[test]
fn base_lists_the_globals() {
    let modules = modules();
    let base = modules.iter().find(|module| module.name == "base").expect("base");
    let text = &base.entries().next().expect("a text").text;
    let row = text.iter().find(|line| line.starts_with("| base library |")).expect("a row");
    let mut documented: BTreeSet<_> = row.split('`').skip(1).step_by(2).collect();
    documented.extend(["string", "table", "math", "utf8", "coroutine", "os", "debug"]);
    documented
        .extend(MODULES.iter().filter(|name| **name != "base" && !REQUIRED.contains(name) && !untried(name, name)));
    let printed = transcript("return function() for name in pairs(_G) do print(name) end end");
    let real: BTreeSet<_> = printed.lines().filter(|line| !line.starts_with("=>")).collect();
    assert_eq!(documented, real);
}

#[test]
fn stubs_are_lua() {
    for name in MODULES.iter() {
        let source = fs::read_to_string(docs().join("library").join(format!("{name}.lua"))).expect("text");
        let script = format!("return function() print(load({source:?})) end");
        let printed = transcript(&script);
        assert!(printed.starts_with("function"), "{name}: {printed}");
    }
}

/// Paths of the functions and fields in a module's global tables.
fn table_names(module: &Module) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in module.entries() {
        match &entry.subject {
            Subject::Function { name, .. } if !name.contains(':') => {
                names.insert(name.clone());
            }
            Subject::Class { variable, global: true, .. } => {
                names.extend(entry.fields.iter().map(|field| format!("{variable}.{}", field.name)));
            }
            _ => {}
        }
    }
    names
}

/// Says for each expression whether it is there; a failing one isn't.
fn present(expressions: &BTreeMap<String, String>) -> BTreeMap<String, bool> {
    let mut script = String::from("return { main = function()\n");
    for (name, expression) in expressions {
        let probe = format!("return {expression}");
        let _ = writeln!(script, "local ok, it = pcall(load({probe:?})) print({name:?}, ok and it ~= nil)");
    }
    script.push_str("end }");
    let printed = transcript(&script);
    assert!(printed.ends_with("=> nil\n"), "{printed}");
    let pairs = printed.lines().filter_map(|line| line.split_once('\t'));
    pairs.map(|(name, there)| (name.to_owned(), there == "true")).collect()
}

#[test]
fn objects_have_the_methods_of_the_stubs() {
    let mut probes = BTreeMap::new();
    for module in modules() {
        for (name, _) in functions(&module) {
            let Some((variable, method)) = name.split_once(':') else { continue };
            if untried(&module.name, name) {
                continue;
            }
            let object = OBJECTS.iter().find(|(known, _)| *known == variable);
            let (_, object) = object.unwrap_or_else(|| panic!("no object for {name}"));
            probes.insert(name.to_owned(), format!("({object})[{method:?}]"));
        }
    }
    let absent: Vec<_> = present(&probes).into_iter().filter(|(_, there)| !there).collect();
    assert!(absent.is_empty(), "in the stubs, and not there: {absent:?}");
}

/// Names of methods in the guest's sources: a script can't list an object's methods.
fn methods_in(source: &str) -> BTreeSet<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    // No call on another list: `methods.len()`.
    let lua = source.split("methods.").skip(1).filter(|rest| !rest.starts_with("len()")).map(name);
    let lists = source.split(" METHODS: ").skip(1).filter_map(|rest| rest.split("];").next());
    let listed = lists.flat_map(|list| list.split("(c\"").skip(1)).map(name);
    let macros = source.split("methods! {").skip(1).filter_map(|rest| rest.split("\n}").next());
    let generated = macros.flat_map(|list| list.split(" of_").skip(1)).map(name);
    lua.chain(listed).chain(generated).collect()
}

#[test]
fn every_method_of_the_guest_has_a_stub() {
    let modules = modules();
    let methods = modules.iter().flat_map(functions).filter_map(|(name, _)| name.split_once(':'));
    let documented: BTreeSet<_> = methods.map(|(_, method)| method.to_owned()).collect();
    let (mut there, mut folders) =
        (BTreeSet::new(), vec![docs().join("../guest/prelude"), docs().join("../guest/src/api")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the guest's sources") {
            match entry.expect("an entry").path() {
                path if path.is_dir() => folders.push(path),
                path => there.extend(methods_in(&fs::read_to_string(path).expect("text"))),
            }
        }
    }
    for known in ["receive", "kind", "reset", "format", "hours"] {
        assert!(there.contains(known), "methods are written in another way now: `{known}` isn't found");
    }
    let absent: Vec<_> = there.difference(&documented).collect();
    assert!(absent.is_empty(), "in the guest, and without a stub: {absent:?}");
}

#[test]
fn what_is_not_there_yet_is_not_there() {
    let mut probes = BTreeMap::new();
    for name in NOT_YET {
        let object = |name: &str| OBJECTS.iter().find(|(known, _)| *known == name).map(|(_, object)| *object);
        let expression = match name.split_once(':') {
            Some((variable, method)) => format!("({})[{method:?}]", object(variable).expect("an object")),
            None => object(name).unwrap_or(name).to_owned(),
        };
        probes.insert((*name).to_owned(), expression);
    }
    let there: Vec<_> = present(&probes).into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
    assert!(there.is_empty(), "there: take it out of NOT_YET: {there:?}");
}
