//! Every row of every table of the process module's reference: what it says, tried. The titles are the reference's own.

use lunarium_engine::{ActorSpec, Attribute, Condition, Field, Operand, Operator, Policy, SecuritySpec};
use lunarium_tests::{HOST, show_outcome};

use crate::check::run_main;
use crate::security::{MAIN, PEER, allow, answer, deny, grants, lab, scope, start};

/// The title of a row, the body of a `main`, and what that returns.
type Row<'a> = (&'a str, &'a str, &'a str);

/// Words of these bodies, before each on its first line.
const WORDS: &str = concat!(
    // What the parent learns of a child that fails at once.
    "local function learned(start) process.set_options { trap_links = true } ",
    "local pid, seen = assert(start('app:fails', 'app:processes')), '' ",
    "while process.send(pid, 't') do time.sleep('1ms') end ",
    "local fence = process.spawn_monitored('app:gives', 'app:processes') ",
    "for event in function() return process.events():receive() end do ",
    "if event.from == fence then return seen end seen = seen .. ' ' .. event.kind end end ",
    // A process under a name.
    "local function named(name) local pid = spawn('waits') assert(process.registry.register(name, pid)) return pid end ",
    // Whether something isn't there any more.
    "local function gone(pid) local _, err = process.send(pid, 't') return errors.is(err, errors.NOT_FOUND) end ",
);

/// Tries each row, and tells of all that are false.
fn rows(table: &str, rows: &[Row<'_>]) {
    let mut wrong = String::new();
    for (row, body, expected) in rows {
        let got = run_main(&format!("{WORDS}{body}"));
        if got.trim_end() != *expected {
            wrong += &format!("{table}, {row}: expected {expected}, got {got}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn enviando_mensagens() {
    rows(
        "send",
        &[
            (
                "destination",
                "process.registry.register('me') return { process.send(process.pid(), 't'), (process.send('me', 't')) }",
                "=> {true, true}",
            ),
            (
                "topic",
                "local _, err = process.send(process.pid(), '@t') process.send(process.pid(), 't@', 1)
                return { err:kind(), process.inbox():receive():topic() }",
                r#"=> {"Invalid", "t@"}"#,
            ),
            (
                "...",
                "process.send(process.pid(), 't', true, { 'a' }, 1.5) local got = process.listen('t'):receive()
                return { got[1], got[2][1], got[3], got.n }",
                r#"=> {true, "a", 1.5, 3}"#,
            ),
        ],
    );
}

#[test]
fn criando_processos() {
    rows(
        "spawn",
        &[
            (
                "id",
                "return exit_of('who').result.value\n-- entry: who\nreturn function() return process.id():match('.+#') end",
                r#"=> "app:who#""#,
            ),
            ("host", "return spawn('waits'):match('{(.+)|')", r#"=> "app:processes""#),
            (
                "...",
                "return exit_of('counts', 1, nil, { 2 }, nil).result.value\n-- entry: counts\nreturn function(...) return { select('#', ...), (select(3, ...))[1] } end",
                "=> {4, 2}",
            ),
            ("spawn", "return learned(process.spawn)", r#"=> """#),
            ("spawn_monitored", "return learned(process.spawn_monitored)", r#"=> " pid.exit""#),
            ("spawn_linked", "return learned(process.spawn_linked)", r#"=> " pid.link.down""#),
            (
                "spawn_linked_monitored",
                "return learned(process.spawn_linked_monitored)",
                r#"=> " pid.exit pid.link.down""#,
            ),
        ],
    );
}

#[test]
fn controle_de_processo() {
    const SPAN: &str = "
        local before = time.now():add(-time.SECOND)
        assert(process.cancel(process.pid(), deadline))
        local event = process.events():receive()
        local at = time.parse(event.deadline)
        return at:after(before:add('1h')) and at:before(time.now():add('1h'):add('1s'))";
    let by_text = format!("local deadline = '1h' {SPAN}");
    let by_number = format!("local deadline = 3600000 {SPAN}");
    rows(
        "control",
        &[
            ("destination: terminate", "local a, b = spawn('loops'), named('b') return { process.terminate(a), process.terminate('b'), gone(a), gone(b) }", "=> {true, true, true, true}"),
            ("destination: cancel", "local a, b = spawn('tells'), spawn('tells') process.registry.register('b', b) process.monitor(a) process.monitor(b)
                assert(process.cancel(a) and process.cancel('b')) local es = process.events() return { es:receive().result.value, es:receive().result.value }
-- entry: tells
return function() return process.events():receive().kind end", r#"=> {"pid.cancel", "pid.cancel"}"#),
            ("deadline: string", &by_text, "=> true"),
            ("deadline: integer", &by_number, "=> true"),
            ("deadline: passes", "local pid = spawn('waits') process.monitor(pid) process.cancel(pid, '1ms') return tostring(process.events():receive().error)", r#"=> "process terminated""#),
            ("monitor", "local pid = named('it') local ok = process.monitor('it') process.send(pid, 't', 'r') return { ok, process.events():receive().result.value }", r#"=> {true, "r"}"#),
            ("unmonitor", "local pid = named('it') process.monitor(pid) local ok = process.unmonitor('it') process.terminate(pid) return { ok, exit_of('gives', 'fence').result.value }", r#"=> {true, "fence"}"#),
            ("link", "local pid = named('it') process.link('it') process.terminate(pid) time.sleep('1h')", "failed Internal: linked process failed: {app:processes|0x00002}: process terminated"),
            ("link: both ways", "local pid = spawn('waits') process.monitor(pid) local why = exit_of('links', pid).error return tostring(why) .. ' ' .. tostring(process.events():receive().from == pid)\n-- entry: links\nreturn function(pid) process.link(pid) error('boom', 0) end", r#"=> "boom true""#),
            ("unlink", "local pid = named('it') process.link(pid) local ok = process.unlink('it') process.terminate(pid) return { ok, exit_of('gives', 'lives').result.value }", r#"=> {true, "lives"}"#),
        ],
    );
}

#[test]
fn opcoes_do_processo() {
    rows(
        "options",
        &[
            (
                "trap_links: true",
                "process.set_options { trap_links = true } process.spawn_linked('app:fails', 'app:processes') return process.events():receive().kind",
                r#"=> "pid.link.down""#,
            ),
            (
                "trap_links: false",
                "process.set_options { trap_links = false } process.spawn_linked('app:fails', 'app:processes') process.events():receive()",
                "failed Internal: linked process failed: {app:processes|0x00002}: boom",
            ),
        ],
    );
}

#[test]
fn tipos_de_evento() {
    rows(
        "events",
        &[
            (
                "CANCEL",
                "process.cancel(process.pid()) return process.events():receive().kind == process.event.CANCEL",
                "=> true",
            ),
            ("EXIT", "return exit_of('gives').kind == process.event.EXIT", "=> true"),
            ("LINK_DOWN", "return learned(process.spawn_linked) == ' ' .. process.event.LINK_DOWN", "=> true"),
        ],
    );
}

#[test]
fn campos_de_evento() {
    rows(
        "event",
        &[
            ("kind", "return type(exit_of('gives').kind)", r#"=> "string""#),
            (
                "from",
                "return { exit_of('gives').from, exit_of('fails').from }",
                r#"=> {"{app:processes|0x00002}", "{app:processes|0x00003}"}"#,
            ),
            (
                "from: CANCEL",
                "process.cancel(process.pid()) return process.events():receive().from == process.pid()",
                "=> true",
            ),
            (
                "result: value",
                "local result = exit_of('gives', 7).result return { type(result), result.value, tostring(result.error) }",
                r#"=> {"table", 7, "nil"}"#,
            ),
            (
                "result: error",
                "local result = exit_of('fails').result return { type(result), tostring(result.error), tostring(result.value) }",
                r#"=> {"table", "boom", "nil"}"#,
            ),
            (
                "deadline",
                "process.cancel(process.pid(), '1h') return time.parse(process.events():receive().deadline):after(time.now())",
                "=> true",
            ),
            ("deadline: absent", "process.cancel(process.pid()) return process.events():receive().deadline", "=> nil"),
        ],
    );
}

#[test]
fn inscricao_em_topico() {
    const SEND: &str = "process.send(process.pid(), 't', 'p')";
    let with = |options: &str, rest: &str| {
        format!("local ch = process.listen('t'{options}) {SEND} local got = ch:receive() {rest}")
    };
    let object = "return { got:topic(), got:payload() }";
    rows(
        "listen",
        &[
            (
                "topic",
                "local ch, err = process.listen('@t') return { tostring(ch), err:kind(), tostring(process.listen('t') ~= nil) }",
                r#"=> {"nil", "Invalid", "true"}"#,
            ),
            ("options.message: true", &with(", { message = true }", object), r#"=> {"t", "p"}"#),
            ("options.message: false", &with(", { message = false }", "return got"), r#"=> "p""#),
            ("options.message: absent", &with(", {}", "return got"), r#"=> "p""#),
            ("options: absent", &with("", "return got"), r#"=> "p""#),
            (
                "unlisten",
                "local ch = process.listen('t') local ok = process.unlisten(ch) return { ok, select(2, ch:receive()) }",
                "=> {true, false}",
            ),
        ],
    );
}

#[test]
fn objetos_message() {
    let with = |rest: &str| {
        format!("process.send(process.pid(), 't', {{ 'p' }}) local msg = process.inbox():receive() {rest}")
    };
    rows(
        "message",
        &[
            ("topic", &with("return msg:topic()"), r#"=> "t""#),
            ("from", &with("return msg:from()"), r#"=> "{app:processes|0x00001}""#),
            ("payload", &with("return msg:payload()[1]"), r#"=> "p""#),
            (
                "with {message = true}",
                "local ch = process.listen('t', { message = true }) process.send(process.pid(), 't', 'p') local msg = ch:receive() return { msg:topic(), msg:from(), msg:payload() }",
                r#"=> {"t", "{app:processes|0x00001}", "p"}"#,
            ),
        ],
    );
}

#[test]
fn chamada_sincrona_e_upgrade() {
    rows(
        "exec, upgrade",
        &[
            (
                "exec: result",
                "local result, err = process.exec('app:gives', 'app:processes', 'r') return { result, tostring(err) }",
                r#"=> {"r", "nil"}"#,
            ),
            (
                "exec: err",
                "local result, err = process.exec('app:fails', 'app:processes', 'why') return { tostring(result), err:message() }",
                r#"=> {"nil", "why"}"#,
            ),
            (
                "upgrade: id",
                "process.upgrade('app:next', process.pid())\n-- entry: next\nreturn function(before) return before == process.pid() end",
                "=> true",
            ),
            (
                "upgrade: nil",
                "local state = ... if not state then process.upgrade(nil, 'state') end return state",
                r#"=> "state""#,
            ),
        ],
    );
}

#[test]
fn metodos_spawn_builder() {
    let tell = "\n-- entry: tells\nreturn function(...)
        local first = process.inbox():receive() local actor, scope = security.actor(), security.scope()
        return { ctx.get('k') or 'none', actor and actor:id() or 'nobody', scope and #scope:policies() or 'no scope',
            tostring(process.registry.lookup('n') == process.pid()), first:topic(), first:payload(), (...) } end";
    let built = |methods: &str| {
        format!(
            "local s = process.with_context {{ k = 'v' }}{methods}
            if true then
                local pid = s:spawn_monitored('app:tells', 'app:processes', 'a')
                process.send(pid, 'last', 'l')
                return process.events():receive().result.value
            end{tell}"
        )
    };
    let variant = |name: &str| {
        format!("local s = process.with_context {{}} return learned(function(...) return s:{name}(...) end)")
    };
    rows(
        "spawner",
        &[
            ("plain", &built(""), r#"=> {"v", "nobody", "no scope", "false", "last", "l", "a"}"#),
            (
                ":with_context()",
                &built(":with_context({ k = 'w' })"),
                r#"=> {"w", "nobody", "no scope", "false", "last", "l", "a"}"#,
            ),
            (
                ":with_actor()",
                &built(":with_actor(security.new_actor('ada'))"),
                r#"=> {"v", "ada", "no scope", "false", "last", "l", "a"}"#,
            ),
            (
                ":with_scope()",
                &built(":with_scope(security.new_scope {})"),
                r#"=> {"v", "nobody", 0, "false", "last", "l", "a"}"#,
            ),
            (":with_name()", &built(":with_name('n')"), r#"=> {"v", "nobody", "no scope", "true", "last", "l", "a"}"#),
            (
                ":with_message()",
                &built(":with_message('first', 'f')"),
                r#"=> {"v", "nobody", "no scope", "false", "first", "f", "a"}"#,
            ),
            (
                "immutable",
                "local s = process.with_context {} return { s:with_name('n') ~= s, s:with_message('t') ~= s, s:with_context {} ~= s }",
                "=> {true, true, true}",
            ),
            (":spawn()", &variant("spawn"), r#"=> """#),
            (":spawn_monitored()", &variant("spawn_monitored"), r#"=> " pid.exit""#),
            (":spawn_linked()", &variant("spawn_linked"), r#"=> " pid.link.down""#),
            (":spawn_linked_monitored()", &variant("spawn_linked_monitored"), r#"=> " pid.exit pid.link.down""#),
        ],
    );
}

#[test]
fn registro_de_nomes() {
    rows(
        "registry",
        &[
            (
                "register",
                "local pid = spawn('waits') local ok, err = process.registry.register('n', pid) return { ok, tostring(err), process.registry.lookup('n') == pid }",
                r#"=> {true, "nil", true}"#,
            ),
            (
                "register: itself",
                "process.registry.register('n') return process.registry.lookup('n') == process.pid()",
                "=> true",
            ),
            (
                "lookup",
                "local pid, err = process.registry.lookup('n') return { tostring(pid), err:kind() }",
                r#"=> {"nil", "NotFound"}"#,
            ),
            (
                "unregister",
                "process.registry.register('n') local ok = process.registry.unregister('n') return { ok, process.registry.unregister('n') }",
                "=> {true, false}",
            ),
        ],
    );
}

#[test]
fn erros() {
    let missing = "local kinds = {} for _, call in ipairs {
            process.send, process.spawn, process.spawn_monitored, process.spawn_linked, process.spawn_linked_monitored, process.exec,
            process.terminate, process.cancel, process.monitor, process.unmonitor, process.link, process.unlink,
            process.listen, process.registry.register, process.registry.lookup, process.registry.unregister,
        } do local _, err = call() kinds[err:kind()] = (kinds[err:kind()] or 0) + 1 end
        for _, call in ipairs { process.set_options, process.unlisten } do local ok, err = call() assert(ok == false) kinds[err:kind()] = kinds[err:kind()] + 1 end
        local ok, err = pcall(process.with_context) kinds[err:kind()] = kinds[err:kind()] + 1
        return kinds";
    let names = "local kinds = {} for _, call in ipairs {
            process.send, process.terminate, process.cancel, process.monitor, process.unmonitor, process.link, process.unlink,
            process.registry.lookup,
        } do local _, err = call('nobody', call == process.send and 't' or nil) kinds[err:kind()] = (kinds[err:kind()] or 0) + 1 end
        return kinds";
    rows(
        "errors",
        &[
            // These two can't arise: a chunk runs inside its process already.
            (
                "context",
                "return process.exec('app:early', 'app:processes').pid\n-- entry: early\nlocal pid, rest = process.pid(), process.inbox() ~= nil and process.with_context {} ~= nil\nreturn function() return { pid = rest and pid } end",
                r#"=> "{app:processes|0x00002}""#,
            ),
            (
                "frame context",
                "return process.exec('app:early', 'app:processes')\n-- entry: early\nlocal id = process.id()\nreturn function() return id == process.id() end",
                "=> true",
            ),
            ("required arguments", missing, r#"=> {"Invalid" = 19}"#),
            (
                "reserved prefix",
                "local _, a = process.send(process.pid(), '@x') local _, b = process.listen('@x') local _, c = pcall(function() process.with_context({}):with_message('@x') end) return { a:kind(), b:kind(), c:kind() }",
                r#"=> {"Invalid", "Invalid", "Invalid"}"#,
            ),
            ("duration", "local _, err = process.cancel(process.pid(), 'soon') return err:kind()", r#"=> "Invalid""#),
            ("name not registered", names, r#"=> {"NotFound" = 8}"#),
            (
                "name taken",
                "named('n') local ok, err = process.registry.register('n') return { tostring(ok), err:kind() }",
                r#"=> {"nil", "AlreadyExists"}"#,
            ),
        ],
    );
    let denied = answer("process.send('peer', 't')", Some(&[]), false);
    assert_eq!(denied, format!("PermissionDenied: permission `process.send` on `{PEER}` is missing"));
}

/// A permission, its resource, and the calls that need it.
fn permissions() -> Vec<(&'static str, &'static str, Vec<String>)> {
    const HOST: &str = "app:processes";
    const ENTRY: &str = "app:waits";
    let start = |name: &str| {
        let arguments = format!("('{ENTRY}', '{HOST}')");
        vec![format!("process.{name}{arguments}"), format!("process.with_context({{}}):{name}{arguments}")]
    };
    let all = |names: &[&str]| names.iter().flat_map(|name| start(name)).collect::<Vec<_>>();
    let exec = format!("process.exec('app:gives', '{HOST}')");
    let target = |name: &str| vec![format!("process.{name}('peer')"), format!("process.{name}('{PEER}')")];
    let every = ["spawn", "spawn_monitored", "spawn_linked", "spawn_linked_monitored"];
    let mut on_host = all(&every);
    on_host.push(exec.clone());
    vec![
        ("process.spawn", ENTRY, all(&every)),
        ("process.spawn.monitored", ENTRY, all(&[every[1], every[3]])),
        ("process.spawn.linked", ENTRY, all(&[every[2], every[3]])),
        ("process.host", HOST, on_host),
        ("process.send", PEER, vec!["process.send('peer', 't')".to_owned(), format!("process.send('{PEER}', 't')")]),
        ("process.exec", "app:gives", vec![exec]),
        ("process.terminate", PEER, target("terminate")),
        ("process.cancel", PEER, target("cancel")),
        ("process.monitor", PEER, target("monitor")),
        ("process.unmonitor", PEER, target("unmonitor")),
        ("process.link", PEER, target("link")),
        ("process.unlink", PEER, target("unlink")),
        ("process.context", "context", vec!["process.with_context({})".to_owned()]),
        (
            "process.security",
            "security",
            ["with_actor(security.new_actor('ada'))", "with_scope(security.new_scope({}))"]
                .map(|method| format!("process.with_context({{}}):{method}"))
                .to_vec(),
        ),
        ("process.registry.register", "n", vec!["process.registry.register('n')".to_owned()]),
        ("process.registry.unregister", "n", vec!["process.registry.unregister('n')".to_owned()]),
    ]
}

#[test]
fn referencia_de_permissoes() {
    let table = permissions();
    for (permission, resource, calls) in &table {
        for call in calls {
            let allowed = allow("app:all", "*", "*");
            let without = [allowed.clone(), deny("app:no", permission, resource)];
            let expected =
                format!("PermissionDenied: permission `{permission}` on `{resource}` is denied by policy `app:no`");
            assert_eq!(answer(call, Some(&without), false), expected, "{permission}: {call}");
            // Nothing but this row's resource is looked at, and no other row's permission.
            let others = [allowed, deny("app:no", permission, "another")];
            assert_eq!(answer(call, Some(&others), false), "ok", "{permission}: {call}");
        }
        for (_, _, others) in table.iter().filter(|(other, ..)| other != permission) {
            for call in others.iter().filter(|call| !calls.contains(call)) {
                let without = [allow("app:all", "*", "*"), deny("app:no", permission, resource)];
                let needs_context = *permission == "process.context" && call.contains("with_context");
                assert!(needs_context || answer(call, Some(&without), false) == "ok", "{permission} isn't for {call}");
            }
        }
    }
}

#[test]
fn multiplas_permissoes() {
    let (spawn, host) = (("process.spawn", "app:waits"), ("process.host", "app:processes"));
    let (monitored, linked) = (("process.spawn.monitored", "app:waits"), ("process.spawn.linked", "app:waits"));
    let (context, security) = (("process.context", "context"), ("process.security", "security"));
    let call = |name: &str| format!("process.{name}('app:waits', 'app:processes')");
    let built = |method: &str| format!("process.with_context({{}}):{method}:spawn('app:waits', 'app:processes')");
    let table = [
        (call("spawn"), vec![spawn, host]),
        (call("spawn_monitored"), vec![spawn, monitored, host]),
        (call("spawn_linked"), vec![spawn, linked, host]),
        (call("spawn_linked_monitored"), vec![spawn, monitored, linked, host]),
        ("process.exec('app:gives', 'app:processes')".to_owned(), vec![("process.exec", "app:gives"), host]),
        (built("with_actor(security.new_actor('ada'))"), vec![context, security, spawn, host]),
        (built("with_scope(security.new_scope({}))"), vec![context, security, spawn, host]),
    ];
    for (call, needs) in table {
        assert_eq!(answer(&call, Some(&grants(&needs)), false), "ok", "{call}");
        for (place, (permission, resource)) in needs.iter().enumerate() {
            let mut fewer = needs.clone();
            fewer.remove(place);
            let missing = format!("PermissionDenied: permission `{permission}` on `{resource}` is missing");
            assert_eq!(answer(&call, Some(&grants(&fewer)), false), missing, "{call}");
        }
    }
}

#[test]
fn avaliacao_de_politica() {
    let table = [
        ("Actor", "actor.id", "ada"),
        ("Actor", "actor.meta.role", "clerk"),
        ("Action", "action", "process.send"),
        ("Resource", "resource", PEER),
        ("Attributes", "meta.pid", MAIN),
    ];
    for (row, field, value) in table {
        for (value, expected) in [(value, "=> true"), ("another", r#"=> "PermissionDenied""#)] {
            let operand = Operand::Value(Attribute::from(value));
            let condition =
                Condition::new(Field::parse(field).unwrap(), Operator::parse("eq").unwrap(), Some(operand)).unwrap();
            let policy = Policy { conditions: vec![condition], ..allow("app:p", "*", "*") };
            let lab = lab();
            lab.node.define_policy(policy.clone(), &[]);
            lab.define("return function() local ok, err = process.send('peer', 't') return ok or (err:kind()) end");
            let meta = lunarium_engine::Value::Map(vec![("role".into(), "clerk".into())]);
            let actor = ActorSpec::new("ada", Some(&meta)).unwrap();
            let security = SecuritySpec::new().with_actor(actor).with_scope(scope(&[policy]));
            let outcome = start(&lab, HOST, Some(security)).wait_blocking();
            assert_eq!(show_outcome(&outcome), expected, "{row}: {field} eq {value}");
        }
    }
}
