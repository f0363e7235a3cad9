//! A process's options.

use expect_test::expect;

use crate::check::check_main;

#[test]
fn options_begin_as_false_and_are_fresh_each_time() {
    check_main(
        r#"
        local options = process.get_options()
        print(options.trap_links, (next(options)), (next(options, "trap_links")))
        options.trap_links = true
        print(process.get_options().trap_links, process.get_options() == process.get_options())
        print(process.set_options { trap_links = true })
        print(process.get_options().trap_links)
        print(process.set_options {})
        print(process.get_options().trap_links)
        "#,
        expect![[r#"
            false	trap_links	nil
            false	false
            true	nil
            true
            true	nil
            true
            => nil
        "#]],
    );
}

#[test]
fn an_unknown_key_or_a_wrong_type_changes_nothing() {
    check_main(
        r#"
        for _, options in ipairs {
            { trap_links = true, nothing = 1 }, { nothing = true }, { trap_links = "yes" }, { trap_links = 1 }, { true },
            { trap_links = true, [1] = 1 },
        } do
            local ok, err = process.set_options(options)
            print(ok, err:kind(), process.get_options().trap_links)
        end
        for _, options in ipairs { 5, "trap_links", true, print } do
            local ok, err = process.set_options(options)
            print(ok, err:kind())
        end
        "#,
        expect![[r#"
            false	Invalid	false
            false	Invalid	false
            false	Invalid	false
            false	Invalid	false
            false	Invalid	false
            false	Invalid	false
            false	Invalid
            false	Invalid
            false	Invalid
            false	Invalid
            => nil
        "#]],
    );
}

#[test]
fn a_child_does_not_inherit_options() {
    check_main(
        r#"
        process.set_options { trap_links = true }
        return exit_of("child").result.value
-- entry: child
return { main = function() return process.get_options() end }
        "#,
        expect![[r#"
            => {"trap_links" = false}
        "#]],
    );
}
