//! Digests of much: a call of theirs is on its process's time, and nobody else's.

use std::time::Duration;

use expect_test::expect;
use lunarium_engine::Limits;
use lunarium_tests::Lab;

use crate::check::check_main_in;

#[test]
fn one_call_over_a_long_string_is_interrupted() {
    let limits = Limits { memory: 512 << 20, cpu: Duration::from_millis(400), ..Limits::default() };
    check_main_in(
        &Lab::new(limits),
        r#"
        local long = ("x"):rep(1 << 20)
        for _ = 1, 6 do long = long .. long time.sleep(1) end
        print("begins")
        print("ends", hash.hmac_sha256(long, long))
        "#,
        expect![[r#"
            begins
            failed ResourceExhausted: cpu limit of 400ms reached without waiting {"limit" = "cpu"}
        "#]],
    );
}
