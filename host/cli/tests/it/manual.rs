//! Completions and pages of the manual.

use expect_test::expect;

use crate::{folder, lunarium, run};

#[test]
fn every_shell_has_completions() {
    let folder = folder(&[]);
    for shell in ["bash", "zsh", "fish"] {
        let text = run(&folder, &["completions", shell]);
        assert!(text.starts_with("exit code: 0\n"), "{text}");
        for word in ["--log-format", "completions", "--grant-env"] {
            assert!(text.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
    }
    let unknown = run(&folder, &["completions", "csh"]);
    assert!(unknown.starts_with("exit code: 2\n") && unknown.contains("invalid value 'csh'"), "{unknown}");
}

#[test]
fn every_command_has_a_page() {
    let folder = folder(&[]);
    let all = run(&folder, &["man"]);
    assert!(all.contains(".TH lunarium 1"), "{all}");
    for command in ["run", "check", "test", "fmt", "new", "completions", "man"] {
        assert!(all.contains(&format!("lunarium\\-{command}(1)")), "{command}: {all}");
        let page = run(&folder, &["man", command]);
        assert!(page.contains(&format!("lunarium\\-{command} \\- ")), "{page}");
    }
    expect![[r#"
        exit code: 2
        --- stderr
        error: there is no command `chekc`
        help: did you mean `check`?
    "#]]
    .assert_eq(&run(&folder, &["man", "chekc"]));
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let folder = folder(&[]);
    let mut child = lunarium(folder.path(), &["man", "run"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let code = child.wait().unwrap().code();
    // What a pipe takes at once may be written before it is closed.
    assert!(matches!(code, Some(0 | 141)), "{code:?}");
}
