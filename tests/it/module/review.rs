//! What the check of an embedding program tells of its own modules.

use std::fs;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use expect_test::expect;
use futures_lite::future::block_on;
use lunarium_app::{Draft, NoAuthority};
use lunarium_engine::Module;
use lunarium_tests::Lab;

use super::Given;

const INDEX: &str = r#"version: "1.0"
namespace: app
entries:
  - {name: main, kind: process.lua, source: "file://main.lua", grants: {modules: [billing, biling]}}
  - {name: other, kind: process.lua, source: "return function() require('billing') end"}
"#;

const MAIN: &str = r#"local billing = require("billing")
local shop = require("bilnig")

return function(other)
  billing.chrage("Ada", 5)
  billing.vat(1)
  shop.anything()
  function billing.extra() end
  return billing.extra()
end
"#;

#[test]
fn the_modules_of_the_node_are_known() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("_index.yaml"), INDEX).unwrap();
    fs::write(folder.path().join("main.lua"), MAIN).unwrap();
    let dir = Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap();
    let lab = Lab::default();
    let nothing = |module: Module, name: &str| module.immediate(name, |_, (): ()| -> Given<()> { Ok(()) });
    let billing = nothing(nothing(Module::new("billing"), "charge"), "vat");
    lab.node.add_module(billing).unwrap();
    let mut draft = Draft::of_folder(&dir, Path::new("app"), &NoAuthority);
    block_on(draft.compile(&lab.node));
    expect![[r#"
        warning: module `biling` is granted, and isn't there
         --> app/_index.yaml:4:92
          |
        4 |   - {name: main, kind: process.lua, source: "file://main.lua", grants: {modules: [billing, biling]}}
          |                                                                                            ^^^^^^
          |
          = help: did you mean `billing`?

        warning: module `billing` isn't granted
         --> app/_index.yaml:5:74
          |
        5 |   - {name: other, kind: process.lua, source: "return function() require('billing') end"}
          |                                                                          ^^^^^^^
          |
          = help: it needs `grants: {modules: [billing]}`

        warning: there is no module `bilnig`
         --> app/main.lua:2:23
          |
        2 | local shop = require("bilnig")
          |                       ^^^^^^
          |
          = help: did you mean `billing`?

        warning: module `billing` has no function `chrage`
         --> app/main.lua:5:11
          |
        5 |   billing.chrage("Ada", 5)
          |           ^^^^^^
          |
          = help: did you mean `charge`?

        warning: 4 warnings
    "#]]
    .assert_eq(&draft.review().to_string());
}
