//! `http.endpoint`: what it may say, and what is said about those that may not.

use std::time::Duration;

use expect_test::expect;
use lunarium_app::{EndpointAction, HttpMethod};

use crate::{app, check};

const JOB: &str = "  - {name: job, kind: process.lua, source: return print}\n";

fn index(entries: &str) -> String {
    format!("version: \"1.0\"\nnamespace: app\nentries:\n{JOB}{entries}")
}

#[test]
fn what_is_not_said_has_a_default() {
    let app = app(&[("_index.yaml", &index("  - {name: one, kind: http.endpoint, path: '/a/{id}', process: job}\n"))]);
    let [endpoint] = app.endpoints() else { panic!("{:?}", app.endpoints()) };
    assert_eq!((endpoint.id.as_str(), endpoint.path.as_str()), ("app:one", "/a/{id}"));
    assert_eq!(
        (endpoint.methods.as_slice(), endpoint.timeout),
        ([HttpMethod::Get].as_slice(), Duration::from_secs(10))
    );
    assert_eq!(endpoint.max_body, 256 << 10);
    assert!(endpoint.takes(HttpMethod::Head) && !endpoint.takes(HttpMethod::Post));
    let EndpointAction::Process { entry, host, security } = &endpoint.action else { panic!("{endpoint:?}") };
    assert_eq!((entry.as_str(), host.as_str(), security.is_none()), ("app:job", "app:processes", true));
}

#[test]
fn a_service_that_is_called_starts_and_a_host_that_is_used_is_open() {
    let app = app(&[(
        "_index.yaml",
        &index(concat!(
            "  - {name: processes, kind: process.host, lifecycle: {auto_start: false}}\n",
            "  - {name: others, kind: process.host, lifecycle: {auto_start: false}}\n",
            "  - {name: service, kind: process.service, process: job, host: others, lifecycle: {auto_start: false}}\n",
            "  - {name: one, kind: http.endpoint, path: /a, methods: [POST, GET, POST], process: job, host: processes}\n",
            "  - {name: two, kind: http.endpoint, path: /b, call: service, function: greet, timeout: 90s, max_body: 1kB}\n",
        )),
    )]);
    let [one, two] = app.endpoints() else { panic!("{:?}", app.endpoints()) };
    assert_eq!(one.methods, [HttpMethod::Get, HttpMethod::Post]);
    let EndpointAction::Call { service, function } = &two.action else { panic!("{two:?}") };
    assert_eq!((service.as_str(), function.as_str(), two.max_body), ("app:service", "greet", 1_000));
    assert_eq!(app.services().len(), 1);
    assert!(app.hosts().iter().all(|host| host.started));
}

#[test]
fn a_body_is_no_larger_than_a_message_has_room_for() {
    let small = concat!(
        "  - {name: small, kind: process.lua, source: return print, limits: {message: 100KiB}}\n",
        "  - {name: one, kind: http.endpoint, path: /, process: small}\n",
    );
    let app = app(&[("_index.yaml", &index(small))]);
    assert_eq!(app.endpoints()[0].max_body, 36 << 10);
    check(
        &format!("{JOB}  - {{name: one, kind: http.endpoint, path: /, process: job, max_body: 1MiB}}\n"),
        expect![[r#"
            error: `max_body` of 1048576 bytes and 65536 for the rest of a request are more than a message of its process may have, 1048576
             --> shop/_index.yaml:5:71
              |
            5 |   - {name: one, kind: http.endpoint, path: /, process: job, max_body: 1MiB}
              |                                                                       ^^^^
              |
              = help: lower it, or raise the limit `message` of the process host (and of the entry, if that states one)

            error: 1 mistake
        "#]],
    );
}

#[test]
fn what_an_endpoint_lacks_or_has_too_much_is_told() {
    check(
        &format!(
            "{JOB}{}",
            concat!(
                "  - {name: service, kind: process.service, process: job, host: 'app:processes'}\n",
                "  - {name: a, kind: http.endpoint}\n",
                "  - {name: b, kind: http.endpoint, path: /b, process: job, call: service}\n",
                "  - {name: c, kind: http.endpoint, path: /c, process: jib}\n",
                "  - {name: d, kind: http.endpoint, path: /d, call: job}\n",
                "  - {name: e, kind: http.endpoint, path: /e, call: service, host: 'app:processes', security: {actor: {id: a}}}\n",
                "  - {name: f, kind: http.endpoint, path: /f, process: job, function: main}\n",
                "  - {name: g, kind: http.endpoint, path: g, process: job, methods: []}\n",
                "  - {name: h, kind: http.endpoint, path: '/{*x}/h', process: job, methods: [get, FETCH, 7]}\n",
                "  - {name: i, kind: http.endpoint, path: /i, process: job, timeout: 2h, max_body: none, host: nowhere}\n",
                "  - {name: j, kind: http.endpoint, path: /j, process: job, methds: [GET]}\n",
            )
        ),
        expect![[r#"
            error: entry `a` lacks `path`
             --> shop/_index.yaml:6:12
              |
            6 |   - {name: a, kind: http.endpoint}
              |            ^

            error: entry `a` lacks `process` or `call`
             --> shop/_index.yaml:6:12
              |
            6 |   - {name: a, kind: http.endpoint}
              |            ^
              |
              = help: `process: id` starts a process for each request, `call: id` calls a function of a service

            error: an endpoint has either `process` or `call`
             --> shop/_index.yaml:7:66
              |
            7 |   - {name: b, kind: http.endpoint, path: /b, process: job, call: service}
              |                                                                  ^^^^^^^

            error: there is no `process.lua` with the id `app:jib`
             --> shop/_index.yaml:8:55
              |
            8 |   - {name: c, kind: http.endpoint, path: /c, process: jib}
              |                                                       ^^^
              |
              = help: did you mean `app:job`?

            error: `app:job` is a `process.lua`, not a `process.service`
             --> shop/_index.yaml:9:52
              |
            9 |   - {name: d, kind: http.endpoint, path: /d, call: job}
              |                                                    ^^^

            error: `security` belongs to `process`: a service has its own
              --> shop/_index.yaml:10:52
               |
            10 |   - {name: e, kind: http.endpoint, path: /e, call: service, host: 'app:processes', security: {actor: {id: a}}}
               |                                                    ^^^^^^^

            error: `host` belongs to `process`: a service is where it is
              --> shop/_index.yaml:10:67
               |
            10 |   - {name: e, kind: http.endpoint, path: /e, call: service, host: 'app:processes', security: {actor: {id: a}}}
               |                                                                   ^^^^^^^^^^^^^^^

            error: `function` belongs to `call`
              --> shop/_index.yaml:11:70
               |
            11 |   - {name: f, kind: http.endpoint, path: /f, process: job, function: main}
               |                                                                      ^^^^
               |
               = help: which function a process runs, its entry's `method` says

            error: path `g` does not begin with `/`
              --> shop/_index.yaml:12:42
               |
            12 |   - {name: g, kind: http.endpoint, path: g, process: job, methods: []}
               |                                          ^
               |
               = help: a path is `/` and segments, some of them parameters: `/orders/{id}`; the last may take all that follows: `/files/{*path}`

            error: `methods` is empty
              --> shop/_index.yaml:12:68
               |
            12 |   - {name: g, kind: http.endpoint, path: g, process: job, methods: []}
               |                                                                    ^

            error: `{*x}` in path `/{*x}/h` takes all that follows, so it must be the last
              --> shop/_index.yaml:13:42
               |
            13 |   - {name: h, kind: http.endpoint, path: '/{*x}/h', process: job, methods: [get, FETCH, 7]}
               |                                          ^^^^^^^^^
               |
               = help: a path is `/` and segments, some of them parameters: `/orders/{id}`; the last may take all that follows: `/files/{*path}`

            error: `get` is no method that an endpoint can have
              --> shop/_index.yaml:13:77
               |
            13 |   - {name: h, kind: http.endpoint, path: '/{*x}/h', process: job, methods: [get, FETCH, 7]}
               |                                                                             ^^^
               |
               = help: did you mean `GET`?

            error: `FETCH` is no method that an endpoint can have
              --> shop/_index.yaml:13:82
               |
            13 |   - {name: h, kind: http.endpoint, path: '/{*x}/h', process: job, methods: [get, FETCH, 7]}
               |                                                                                  ^^^^^
               |
               = help: there are `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`, `OPTIONS`

            error: an item of `methods` must be text, not `7`
              --> shop/_index.yaml:13:89
               |
            13 |   - {name: h, kind: http.endpoint, path: '/{*x}/h', process: job, methods: [get, FETCH, 7]}
               |                                                                                         ^
               |
               = help: put it into quotes

            error: `timeout` of 7200s is not from 1ms to 3600s
              --> shop/_index.yaml:14:69
               |
            14 |   - {name: i, kind: http.endpoint, path: /i, process: job, timeout: 2h, max_body: none, host: nowhere}
               |                                                                     ^^

            error: `max_body`: `none` is not a size
              --> shop/_index.yaml:14:83
               |
            14 |   - {name: i, kind: http.endpoint, path: /i, process: job, timeout: 2h, max_body: none, host: nowhere}
               |                                                                                   ^^^^
               |
               = help: write it like `16MiB`, `500kB` or `4096` (bytes)

            error: there is no `process.host` with the id `app:nowhere`
              --> shop/_index.yaml:14:95
               |
            14 |   - {name: i, kind: http.endpoint, path: /i, process: job, timeout: 2h, max_body: none, host: nowhere}
               |                                                                                               ^^^^^^^

            error: unknown key `methds` in entry `j`
              --> shop/_index.yaml:15:60
               |
            15 |   - {name: j, kind: http.endpoint, path: /j, process: job, methds: [GET]}
               |                                                            ^^^^^^
               |
               = help: did you mean `methods`?

            error: 18 mistakes
        "#]],
    );
}

#[test]
fn endpoints_that_want_the_same_requests_are_told() {
    check(
        &format!(
            "{JOB}{}",
            concat!(
                "  - {name: a, kind: http.endpoint, path: '/a/{id}', process: job}\n",
                "  - {name: b, kind: http.endpoint, path: '/a/{name}', process: job, methods: [POST, HEAD]}\n",
                "  - {name: c, kind: http.endpoint, path: '/{x}/b', process: job}\n",
                "  - {name: d, kind: http.endpoint, path: '/a/{name}', process: job, methods: [DELETE]}\n",
                "  - {name: e, kind: http.endpoint, path: /a/b, process: job}\n",
            )
        ),
        expect![[r#"
            error: endpoints `app:a` and `app:b` want the same requests: HEAD of `/a/{id}` and of `/a/{name}`
             --> shop/_index.yaml:6:42
              |
            6 |   - {name: b, kind: http.endpoint, path: '/a/{name}', process: job, methods: [POST, HEAD]}
              |                                          ^^^^^^^^^^^
              |
             ::: shop/_index.yaml:5:42
              |
            5 |   - {name: a, kind: http.endpoint, path: '/a/{id}', process: job}
              |                                          --------- the other one

            error: endpoints `app:a` and `app:c` want the same requests: GET of `/a/{id}` and of `/{x}/b`
             --> shop/_index.yaml:7:42
              |
            7 |   - {name: c, kind: http.endpoint, path: '/{x}/b', process: job}
              |                                          ^^^^^^^^
              |
             ::: shop/_index.yaml:5:42
              |
            5 |   - {name: a, kind: http.endpoint, path: '/a/{id}', process: job}
              |                                          --------- the other one

            error: 2 mistakes
        "#]],
    );
}

#[test]
fn of_several_hosts_one_is_named() {
    check(
        &format!(
            "{JOB}{}",
            concat!(
                "  - {name: one, kind: process.host}\n",
                "  - {name: two, kind: process.host}\n",
                "  - {name: a, kind: http.endpoint, path: /, process: job}\n",
            )
        ),
        expect![[r#"
            error: endpoint `app:a` lacks `host`: there are 2 process hosts
             --> shop/_index.yaml:7:12
              |
            7 |   - {name: a, kind: http.endpoint, path: /, process: job}
              |            ^
              |
              = help: name one: `app:one`

            error: 1 mistake
        "#]],
    );
}

#[test]
fn a_thousand_endpoints_are_the_most() {
    let many: String = (0..1001)
        .map(|number| format!("  - {{name: e{number}, kind: http.endpoint, path: /{number}, process: job}}\n"))
        .collect();
    check(
        &format!("{JOB}{many}"),
        expect![[r#"
        error: the application has 1001 endpoints; 1000 are the most
            --> shop/_index.yaml:1005:46
             |
        1005 |   - {name: e1000, kind: http.endpoint, path: /1000, process: job}
             |                                              ^^^^^

        error: 1 mistake
    "#]],
    );
}
