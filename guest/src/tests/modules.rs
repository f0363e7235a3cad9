//! Modules of the embedding program: finding them, calling, waiting for an answer.

use expect_test::{Expect, expect};

use super::Case;
use crate::host::{Answer, ErrorKind, Failure, Outcome, refusal};

/// Runs the body of a `main`; `billing.charge` is answered later like this.
fn check(later: Vec<Outcome>, body: &str, expect: Expect) {
    let case = Case::body(&format!("local billing = require('billing') {body}"));
    case.host.callees.borrow_mut().extend(later);
    case.check(expect);
}

#[test]
fn arguments_and_results_are_lists_of_values() {
    check(
        vec![Outcome::Completed(b"\x92\x01\xc0".to_vec()), Outcome::Completed(b"\x90".to_vec())],
        r#"
        print(billing.vat(1, nil, { a = 2 }), select('#', billing.vat()))
        print(select('#', billing.charge("x")), select('#', billing.charge(nil)))
        print(billing.refund(3))
        print(billing.vat(("x"):rep(50), 1))
        "#,
        expect![[r#"
            -- call billing.vat [1, nil, {"a": 2}]
            -- call billing.vat []
            1	0
            -- call billing.charge ["x"]
            -- call billing.charge [nil]
            2	0
            -- call billing.refund [3]
            3
            -- call billing.vat ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 1]
            xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx	1
            => nil
        "#]],
    );
}

#[test]
fn what_fails_is_nil_and_the_error() {
    let failure = Failure {
        kind: ErrorKind::Timeout,
        message: "slow".to_owned(),
        retryable: Some(true),
        details: None,
        stack: None,
    };
    let error = b"\xc7\x0f\x02\x95\xa8Conflict\xa1x\xc2\xc0\xc0";
    let case = Case::body(
        r#"
        local billing = require("billing")
        local function show(value, err) print(value, err, err:kind(), err:retryable()) end
        show(billing.charge())
        show(billing.vat())
        show(billing.vat())
        print(pcall(billing.vat))
        print(pcall(function() billing.vat() end))
        show(billing.vat(print))
        "#,
    );
    case.host.callees.borrow_mut().push_back(Outcome::Failed(failure));
    case.host.answers.borrow_mut().extend([
        Ok(Answer::Failed(error.to_vec())),
        Err(refusal(ErrorKind::PermissionDenied, "no".to_owned())),
        Ok(Answer::BadArgument("bad argument #1 to 'vat' (integer expected, got no value)".to_owned())),
        Ok(Answer::BadArgument("bad argument #1 to 'vat' (integer expected, got no value)".to_owned())),
    ]);
    case.check(expect![[r#"
        -- call billing.charge []
        nil	slow	Timeout	true
        -- call billing.vat []
        nil	x	Conflict	false
        -- call billing.vat []
        nil	no	PermissionDenied	false
        -- call billing.vat []
        false	bad argument #1 to 'vat' (integer expected, got no value)
        -- call billing.vat []
        false	main.lua:8: bad argument #1 to 'vat' (integer expected, got no value)
        nil	arguments[1] is a function	Invalid	false
        => nil
    "#]]);
}

#[test]
fn what_answers_later_is_not_called_where_one_cannot_wait() {
    check(
        vec![],
        r#"
        print(pcall(table.sort, { 1, 2 }, function() return billing.charge() end))
        print(pcall(table.sort, { 1, 2 }, function(a, b) return billing.vat(a < b) end))
        print(pcall(require, "bill"), pcall(function() return billing.other end))
        billing.charge()
        "#,
        expect![[r#"
            false	attempt to yield across a C-call boundary
            -- call billing.vat [false]
            true
            false	false	main.lua:4: function 'other' not found
            -- call billing.charge []
            -- waits; unread 0 (0 bytes)
        "#]],
    );
}
