//! Digests of much: a call of theirs is on its process's time, and nobody else's.

use std::time::Duration;

use expect_test::expect;
use lunarium_engine::Limits;
use lunarium_tests::Lab;

use crate::check::check_main_in;

#[test]
fn one_call_over_a_long_string_is_interrupted() {
    let limits = Limits { memory: 512 << 20, cpu: Duration::from_millis(150), ..Limits::default() };
    check_main_in(
        &Lab::new(limits),
        r#"
        local parts = {}
        for i = 1, 64 do parts[i] = ("x"):rep(1 << 20) time.sleep(1) end
        local long = table.concat(parts)
        time.sleep(1)
        print("begins")
        print("ends", hash.sha256(long))
        "#,
        expect![[r#"
            begins
            failed ResourceExhausted: cpu limit of 150ms reached without waiting {"limit" = "cpu"}
        "#]],
    );
}
