//! README and pages: every command and option is on `docs/commands.md`, and what is shown works.

use std::fs;
use std::path::Path;

use crate::{folder, lunarium, run};

const PAGE: &str = include_str!("../../../../docs/commands.md");

fn help(arguments: &[&str]) -> String {
    let output = lunarium(folder(&[]).path(), arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?} shows no help");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_command_and_option_is_on_the_page() {
    let whole = help(&["--help"]);
    let section = whole.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<_> = section.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"run"), "{commands:?}");
    for command in commands.into_iter().filter(|command| *command != "help") {
        assert!(PAGE.contains(&format!("`lunarium {command} ")), "`{command}` is not on the page");
        let help = help(&[command, "--help"]);
        let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        for option in options.flat_map(|line| line.split([' ', ','])).filter(|word| word.starts_with("--")) {
            let known = option == "--help" || PAGE.contains(&format!("`{option}"));
            assert!(known, "{command}: `{option}` is not on the page");
        }
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The blocks of a page in one language.
fn blocks<'p>(page: &'p str, language: &'p str) -> impl Iterator<Item = &'p str> {
    page.split("\n```").filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

#[test]
fn the_readme_prints_what_it_says() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let hello = blocks(&readme, "lua").find(|block| block.contains("main = main")).unwrap();
    let here = folder(&[("hello.lua", hello)]);
    let mut ran = 0;
    for block in blocks(&readme, "console") {
        for session in block.split("$ lunarium ").skip(1) {
            let (command, printed) = session.split_once('\n').unwrap();
            let arguments: Vec<_> = command.split(' ').collect();
            let place = if command.contains("examples/") { root() } else { here.path() };
            let output = lunarium(place, &arguments).output().unwrap();
            let shown = String::from_utf8(output.stdout).unwrap();
            assert_eq!((shown.trim_end(), output.status.code()), (printed.trim_end(), Some(0)), "{command}");
            ran += 1;
        }
    }
    assert_eq!(ran, 3, "what the README shows");
}

#[test]
fn the_readme_names_every_example() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let entries = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap());
    for example in entries.filter(|entry| entry.path().is_dir()) {
        let name = example.file_name().into_string().unwrap();
        assert!(readme.contains(&format!("`{name}`")), "`{name}` is not in README.md");
    }
}

/// A piece of an index lacks what it refers to, and nothing else.
#[test]
fn pieces_of_an_index_have_the_right_keys_and_values() {
    const HEAD: &str = "version: \"1.0\"\nnamespace: app\n";
    let mut pieces = 0;
    for page in ["README.md", "docs/applications.md", "docs/permissions.md", "docs/limits.md", "docs/serving.md"] {
        let page = fs::read_to_string(root().join(page)).unwrap();
        for block in blocks(&page, "yaml") {
            let index = match block.trim_start().split([':', ' ']).next().unwrap() {
                "version" => block.to_owned(),
                "-" => format!("{HEAD}entries:\n{block}"),
                "grants" => {
                    let block = block.replace('\n', "\n    ");
                    format!(
                        "{HEAD}entries:\n  - name: main\n    kind: process.lua\n    source: return print\n    {block}"
                    )
                }
                // A host's file, marked by its name.
                "#" if block.starts_with("# node.yaml") => block.to_owned(),
                _ => format!("{HEAD}{block}"),
            };
            let path = if index.starts_with("# node.yaml") { "app/node.yaml" } else { "app/_index.yaml" };
            let told = run(&folder(&[(path, &index)]), &["check", "app"]);
            let mistakes = told.lines().filter_map(|line| line.split_once("error: ")).filter(|(before, what)| {
                let is_absent = what.starts_with("there is no ") || what.starts_with("no `security.policy`");
                let is_absent = is_absent || what.contains("can't be opened");
                before.is_empty() && !is_absent && !what.contains("cannot read") && !what.contains(" mistake")
            });
            assert_eq!(mistakes.count(), 0, "{index}\n{told}");
            pieces += 1;
        }
    }
    assert!(pieces >= 8, "only {pieces} are found");
}

/// The examples of a page of the reference.
fn examples_of(page: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("docs").join("reference").join(page)).unwrap();
    let blocks = text.split("```lua\n").skip(1);
    blocks.map(|block| block.split_once("```").unwrap().0.to_owned()).collect()
}

#[test]
fn the_examples_of_standard_input_print_what_they_say() {
    let examples = examples_of("stdin.md");
    assert!(examples.len() >= 2);
    for example in examples {
        let input = example.lines().find_map(|line| line.strip_prefix("-- input: ")).unwrap().replace("\\n", "\n");
        let folder = folder(&[("input", &input), ("example.lua", &example)]);
        let mut command = lunarium(folder.path(), &["run", "example.lua"]);
        let output = command.stdin(fs::File::open(folder.path().join("input")).unwrap()).output().unwrap();
        let expected: Vec<_> =
            example.lines().filter_map(|line| line.split_once("--> ")).map(|(_, line)| line).collect();
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().collect::<Vec<_>>(), expected, "{example}");
    }
}

#[test]
fn the_examples_of_tests_pass() {
    let greeter = "return { main = function(name) print('hello, ' .. name) return #name end }";
    let examples = examples_of("test.md");
    assert!(examples.len() >= 20);
    let names: Vec<_> = (0..examples.len()).map(|number| format!("example{number}_test.lua")).collect();
    let doubler = "return { double = function(n) return 2 * n end }";
    let mut files = vec![("greeter.lua", greeter), ("doubler.lua", doubler)];
    files.extend(names.iter().map(String::as_str).zip(examples.iter().map(String::as_str)));
    let told = run(&folder(&files), &["test"]);
    assert!(told.starts_with("exit code: 0\n") && told.contains(" 0 failed"), "{told}");
    assert_eq!(told.matches("  ok      ").count(), examples.len(), "{told}");
}

#[test]
fn what_the_command_gives_has_its_stubs() {
    for name in ["stdin", "test"] {
        let stub = fs::read_to_string(root().join("docs").join("library").join(format!("{name}.lua"))).unwrap();
        let functions = stub.lines().filter_map(|line| line.strip_prefix("function ")?.split('(').next());
        let mut documented: Vec<_> = functions.filter_map(|path| path.strip_prefix(&format!("{name}."))).collect();
        documented.sort_unstable();
        let list = format!(
            "local names = {{}} for name in pairs(require('{name}')) do if name:sub(1, 1) ~= '_' then names[#names + 1] = name end end table.sort(names) print(table.concat(names, ' '))"
        );
        let printed = if name == "test" {
            let file = format!("local test = require('test') test.case('it', function() {list} error('', 0) end)");
            run(&folder(&[("it_test.lua", &file)]), &["test"])
        } else {
            run(&folder(&[]), &["run", "-e", &list])
        };
        let line = format!("{}\n", documented.join(" "));
        assert!(printed.contains(&line), "{line} in {printed}");
    }
}
