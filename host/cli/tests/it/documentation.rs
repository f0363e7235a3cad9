//! The page `docs/commands.md`: every command and option is on it.

use crate::{folder, lunarium};

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
