//! A minimal guest that proves the chain from source to snapshot. Runs a program's method without arguments; never waits.

wit_bindgen::generate!({ world: "lua-process", path: "../wit" });

use std::cell::RefCell;

use exports::lunarium::process::guest::{Chunk, Event, Failure, Guest as GuestInterface, Outcome, Program, Status};
use lunarium::process::output;
use lunarium::process::types::ErrorKind;
use mlua::{Function, Lua, LuaOptions, StdLib, Value, Variadic};

thread_local! {
    static LUA: RefCell<Option<Lua>> = const { RefCell::new(None) };
}

fn new_state() -> mlua::Result<Lua> {
    let lua = Lua::new_with(
        StdLib::COROUTINE | StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::MATH,
        LuaOptions::new().catch_rust_panics(false),
    )?;
    let print = lua.create_function(|lua, values: Variadic<Value>| {
        let mut line = Vec::new();
        for (i, value) in values.iter().enumerate() {
            if i > 0 {
                line.push(b'\t');
            }
            let text: mlua::LuaString = lua.globals().get::<Function>("tostring")?.call(value.clone())?;
            line.extend_from_slice(&text.as_bytes());
        }
        output::print(&line);
        Ok(())
    })?;
    lua.globals().set("print", print)?;
    Ok(lua)
}

fn run(program: &Program) -> mlua::Result<()> {
    LUA.with_borrow(|lua| {
        let lua = lua.as_ref().ok_or_else(|| mlua::Error::runtime("not initialised"))?;
        match lua.load(&program.chunk.source).set_name(&program.chunk.name).eval::<Value>()? {
            Value::Function(main) => main.call::<()>(()),
            Value::Table(methods) => methods.get::<Function>(program.method.as_str())?.call::<()>(()),
            _ => Err(mlua::Error::runtime("the chunk returned neither a table nor a function")),
        }
    })
}

struct Component;

impl Guest for Component {
    fn init() {
        LUA.with_borrow_mut(|lua| {
            assert!(lua.is_none(), "init called twice");
            *lua = Some(new_state().expect("a fresh Lua state"));
        });
    }
}

impl GuestInterface for Component {
    fn start(program: Program, _arguments: Vec<u8>) -> Status {
        Status::Exited(match run(&program) {
            Ok(()) => Outcome::Completed(vec![0xc0]),
            Err(error) => Outcome::Failed(Failure {
                kind: ErrorKind::Internal,
                message: error.to_string(),
                retryable: false,
                details: None,
                stack: None,
            }),
        })
    }

    fn resume(_events: Vec<Event>) -> Status {
        panic!("nothing ever waits");
    }

    fn check(chunk: Chunk) -> Result<(), String> {
        let lua = new_state().map_err(|error| error.to_string())?;
        lua.load(&chunk.source).set_name(&chunk.name).into_function().map(drop).map_err(|error| error.to_string())
    }

    #[inline(never)]
    fn stack_pointer() -> u32 {
        let local = 0u8;
        std::hint::black_box(&local) as *const u8 as u32
    }
}

export!(Component);
