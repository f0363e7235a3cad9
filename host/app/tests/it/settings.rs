//! Grants with settings: read by the module, told with their place.

use std::io;
use std::path::Path;

use cap_std::fs::Dir;
use expect_test::expect;
use lunarium_app::{App, Authority, Draft, Report};
use lunarium_engine::{Module, SettingsError, SettingsStep, Value};

use crate::grants::application;

/// A world with a module that takes settings, and one that takes none.
struct Shop(Vec<Module>);

impl Shop {
    fn new() -> Self {
        let open = |written: &Value| match written {
            Value::Array(rules) => rules.iter().enumerate().try_for_each(|(place, rule)| match rule {
                Value::Map(pairs) => pairs
                    .iter()
                    .try_for_each(|pair| match (pair.0.as_str(), &pair.1) {
                        (Some("name"), Value::String(_)) => Ok(()),
                        (Some("name"), _) => {
                            Err(SettingsError::new("`name` must be text").under(SettingsStep::Value("name".into())))
                        }
                        (key, _) => {
                            let error = SettingsError::new("unknown key").with_hint("there is only `name`");
                            Err(error.under(SettingsStep::Key(key.unwrap_or_default().to_owned())))
                        }
                    })
                    .map_err(|error| error.under(SettingsStep::Item(place))),
                _ => Ok(()),
            }),
            _ => Err("accounts must be a list".into()),
        };
        Self(vec![Module::new("accounts").settings(open), Module::new("billing")])
    }
}

impl Authority for Shop {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn open_directory(&self, _: &str) -> io::Result<Dir> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn modules(&self) -> &[Module] {
        &self.0
    }
}

fn read_shop(entries: &str) -> Result<App, Report> {
    Draft::of_folder(&application(entries), Path::new("shop"), &Shop::new()).finish()
}

#[test]
fn a_module_is_granted_with_settings() {
    let app = read_shop(
        r"  - {name: job, kind: process.lua, source: return 1, grants: {accounts: [{name: ada}], modules: [billing, mail]}}
  - {name: idle, kind: process.lua, source: return 1, grants: {accounts: }}
",
    )
    .unwrap();
    let grants = |id| &app.definition(id).unwrap().grants;
    assert!(grants("app:job").modules.iter().map(|name| &**name).eq(["accounts", "billing", "mail"]));
    assert_eq!(grants("app:job").settings.len(), 1);
    assert!(grants("app:idle").is_empty());
}

#[test]
fn settings_that_a_module_refuses_are_told_with_their_place() {
    let report = read_shop(
        r"  - name: job
    kind: process.lua
    source: return 1
    imports: {accounts: util}
    grants:
      acounts: []
      billing: []
      modules: [accounts]
      accounts:
        - name: ada
        - name: 5
  - {name: host, kind: process.host, grants: {accounts: yes}}
  - {name: key, kind: process.host, grants: {accounts: [{name: x}, {nam: x}]}}
  - {name: util, kind: library.lua, source: return 1}
",
    );
    expect![[r#"
        error: alias `accounts` is the name of a granted module
          --> shop/_index.yaml:7:15
           |
         7 |     imports: {accounts: util}
           |               ^^^^^^^^
           |
          ::: shop/_index.yaml:11:17
           |
        11 |       modules: [accounts]
           |                 -------- granted here

        error: unknown key `acounts` in `grants`
         --> shop/_index.yaml:9:7
          |
        9 |       acounts: []
          |       ^^^^^^^
          |
          = help: did you mean `accounts`?

        error: module `billing` takes no settings
          --> shop/_index.yaml:10:7
           |
        10 |       billing: []
           |       ^^^^^^^
           |
           = help: write `modules: [billing]`

        error: module `accounts` is granted with settings
          --> shop/_index.yaml:11:17
           |
        11 |       modules: [accounts]
           |                 ^^^^^^^^
           |
           = help: write `accounts:` and what it may do, beside `modules`

        error: `name` must be text
          --> shop/_index.yaml:14:17
           |
        14 |         - name: 5
           |                 ^

        error: accounts must be a list
          --> shop/_index.yaml:15:57
           |
        15 |   - {name: host, kind: process.host, grants: {accounts: yes}}
           |                                                         ^^^

        error: unknown key
          --> shop/_index.yaml:16:69
           |
        16 |   - {name: key, kind: process.host, grants: {accounts: [{name: x}, {nam: x}]}}
           |                                                                     ^^^
           |
           = help: there is only `name`

        error: 7 mistakes
    "#]]
    .assert_eq(&report.unwrap_err().to_string());
}
