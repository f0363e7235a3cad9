//! What a program may be: chunk, method, arguments, libraries.

use super::*;
use expect_test::expect;

#[test]
fn main_prints_and_returns() {
    check("print('hello', 1, nil, 2.5) return 'done'", expect![[]]);
}
