//! Lua's C interface as methods of [`Lua`] (tables in `table.rs`, errors in `raise.rs`), and nothing above it. This folder, the clock of
//! `vm/component.rs` and the end of `vm/mod.rs` are where the guest is `unsafe`; the other files use these methods only.
//!
//! They are not marked `unsafe` although Lua's rules still hold, because what breaks one of them hurts the process
//! itself and nobody else, wasm being the wall. The rules:
//! * A method marked "Raises" may leave by a Lua error, past the Rust frames above `pcall`, of which nothing is dropped. So no
//!   frame owns memory or holds a guard where it raises, unless that ends the process. What Rust owns is given away to
//!   [`Lua::push_owned`], and so are the texts of errors; or it lies in the context, or what grows on Lua's heap
//!   ([`Buffer`](buffer::Buffer)). `tests/raises.rs` lets memory run out at each allocation of each function, and every
//!   native test looks whether anything is left.
//! * A slice that [`Lua::bytes`] gives is valid while its string is on the stack: what takes values from there needs the handle
//!   `mut`, so it isn't used while the slice is. To work above a slot whose slice is in use one copies the handle (`above`), and
//!   takes off no more than one has put there. A function that is given a handle leaves what it finds.
//! * A slice of what a table holds ([`Lua::held_bytes`], [`Lua::texts`]) is valid while nothing raises: what raises may run a
//!   script's finalizer, which may change the table.
//! * A C function has 20 free stack slots; [`Lua::reserve`] gets more.

#![allow(clippy::undocumented_unsafe_blocks, reason = "each is one call of C whose conditions are the rules above")]

pub mod buffer;
mod items;
pub mod memory;
mod raise;
mod snapshot;
mod table;
pub mod wait;

use std::borrow::Cow;
use std::ffi::{CStr, c_int, c_void};
use std::{ptr, slice};

use mlua::ffi;

pub use self::items::Items;
use self::memory::{Memory, allocate};
pub use self::table::Reference;

/// A Lua thread, as Lua passes it to C functions.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub struct Lua(*mut ffi::lua_State);

/// A function Lua can call: arguments are on the stack from index 1; it returns how many results lie on top.
pub type Function = extern "C-unwind" fn(Lua) -> c_int;

/// The type of a Lua value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    None,
    Nil,
    Boolean,
    Number,
    String,
    Table,
    Function,
    Userdata,
    Thread,
}

/// Why a protected call failed. The error value is on top of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    Raised,
    Memory,
}

/// How far a resumed coroutine got.
pub enum Progress {
    /// It waits.
    Waits,
    /// It is done; this many results are on top of its stack.
    Done(c_int),
    /// It failed; the error value is on top of its stack.
    Failed(Broken),
}

fn broken(status: c_int) -> Broken {
    if status == ffi::LUA_ERRMEM { Broken::Memory } else { Broken::Raised }
}

// ---- States and calls

impl Lua {
    /// A new state. `memory`, and what belongs to the state besides Lua's own, must outlive it; both stay where they are.
    pub fn new<T>(memory: &'static Memory, besides: *const T) -> Option<Self> {
        let data = ptr::from_ref(memory).cast_mut().cast();
        let state = unsafe { ffi::lua_newstate(allocate, data) };
        if state.is_null() {
            return None;
        }
        // Every thread made later gets a copy of the main thread's extra space.
        unsafe { *ffi::lua_getextraspace(state).cast::<*const T>() = besides };
        Some(Self(state))
    }

    /// What belongs to the state besides Lua's own. Its type is the one `new` was given: only `state/context.rs` asks. It is
    /// there for as long as the instance; natively until no frame is left.
    #[inline]
    pub fn besides<T>(&self) -> &'static T {
        unsafe { &**ffi::lua_getextraspace(self.0).cast::<*const T>() }
    }

    /// Frees everything. Only for tests: a process's memory goes with its instance.
    pub fn close(self) {
        unsafe { ffi::lua_close(self.0) }
    }

    pub fn raw(&self) -> *mut ffi::lua_State {
        self.0
    }

    /// Opens one of Lua's own libraries and leaves its table on the stack. Raises.
    pub fn open(&mut self, library: Library) {
        self.push_loaded();
        // Not by `luaL_requiref`: what that is given to call has a place in the table of functions.
        let (name, _) = unsafe {
            match library {
                Library::Base => (c"_G", ffi::luaopen_base(self.0)),
                Library::Coroutine => (c"coroutine", ffi::luaopen_coroutine(self.0)),
                Library::Table => (c"table", ffi::luaopen_table(self.0)),
                Library::String => (c"string", ffi::luaopen_string(self.0)),
                Library::Utf8 => (c"utf8", ffi::luaopen_utf8(self.0)),
                Library::Math => (c"math", ffi::luaopen_math(self.0)),
                Library::Os => (c"os", ffi::luaopen_os(self.0)),
                Library::Debug => (c"debug", ffi::luaopen_debug(self.0)),
            }
        };
        self.push_copy(-1);
        self.set_field(-3, name);
        self.remove(-2);
    }

    /// Calls the function below `arguments` values. Raises.
    #[inline]
    pub fn call(&self, arguments: c_int, results: c_int) {
        unsafe { ffi::lua_callk(self.0, arguments, results, 0, None) }
    }

    /// The same, protected.
    #[inline]
    pub fn pcall(&self, arguments: c_int, results: c_int) -> Result<(), Broken> {
        match unsafe { ffi::lua_pcallk(self.0, arguments, results, 0, 0, None) } {
            ffi::LUA_OK => Ok(()),
            status => Err(broken(status)),
        }
    }

    /// Runs `body` protected, on a fresh stack. What it leaves there is dropped; when it raises, the error is pushed.
    pub fn protect<T, F: FnOnce(Lua) -> T>(&self, body: F) -> Result<T, Broken> {
        self.push_nil();
        self.protect_with_top(body)
    }

    /// The same, with the popped top value at index 1.
    pub fn protect_with_top<T, F: FnOnce(Lua) -> T>(&self, body: F) -> Result<T, Broken> {
        extern "C-unwind" fn run<T, F: FnOnce(Lua) -> T>(mut lua: Lua) -> c_int {
            let cell = unsafe { &mut *ffi::lua_touserdata(lua.0, 2).cast::<(Option<F>, Option<T>)>() };
            lua.pop(1);
            if let Some(body) = cell.0.take() {
                cell.1 = Some(body(lua));
            }
            0
        }
        let mut cell: (Option<F>, Option<T>) = (Some(body), None);
        self.push_function(run::<T, F>);
        self.insert(-2);
        unsafe { ffi::lua_pushlightuserdata(self.0, ptr::from_mut(&mut cell).cast()) };
        self.pcall(2, 0)?;
        cell.1.ok_or(Broken::Raised)
    }

    /// Compiles text (never bytecode), leaving the function, or Lua's message.
    pub fn load(&self, source: &[u8], name: &CStr) -> Result<(), Broken> {
        self.load_as(source, name, c"t")
    }

    /// Reads what `dump` wrote (nothing else: Lua doesn't check it), leaving the function, or Lua's message.
    pub fn undump(&self, compiled: &[u8], name: &CStr) -> Result<(), Broken> {
        self.load_as(compiled, name, c"b")
    }

    fn load_as(&self, code: &[u8], name: &CStr, mode: &CStr) -> Result<(), Broken> {
        let status =
            unsafe { ffi::luaL_loadbufferx(self.0, code.as_ptr().cast(), code.len(), name.as_ptr(), mode.as_ptr()) };
        if status == ffi::LUA_OK { Ok(()) } else { Err(broken(status)) }
    }

    /// The Lua function on top in Lua's binary form, lines included. None: it isn't one, or there is no memory.
    pub fn dump(&self) -> Option<Vec<u8>> {
        unsafe extern "C-unwind" fn write(
            _: *mut ffi::lua_State,
            piece: *const c_void,
            size: usize,
            out: *mut c_void,
        ) -> c_int {
            // SAFETY: Lua passes on `out` below, and a piece of `size` bytes.
            let (out, piece) =
                unsafe { (&mut *out.cast::<Vec<u8>>(), slice::from_raw_parts(piece.cast::<u8>(), size)) };
            if out.try_reserve(size).is_err() {
                return 1;
            }
            out.extend_from_slice(piece);
            0
        }
        let mut out = Vec::new();
        let status = unsafe { ffi::lua_dump(self.0, write, ptr::from_mut(&mut out).cast(), 0) };
        (status == 0).then_some(out)
    }

    /// A new coroutine, left on the stack. Raises.
    pub fn new_thread(&self) -> Self {
        Self(unsafe { ffi::lua_newthread(self.0) })
    }

    /// Moves the top `count` values to another thread's stack.
    pub fn move_to(&mut self, other: Self, count: c_int) {
        unsafe { ffi::lua_xmove(self.0, other.0, count) }
    }

    /// Resumes a coroutine that the scheduler owns: starts it with everything above its function, or wakes it.
    #[inline]
    pub fn resume(mut self, from: Self) -> Progress {
        let arguments = match unsafe { ffi::lua_status(self.0) } {
            ffi::LUA_OK => self.top() - 1,
            _ => 0,
        };
        let mut results = 0;
        match unsafe { ffi::lua_resume(self.0, from.0, arguments, &mut results) } {
            ffi::LUA_YIELD => {
                // A base coroutine only ever yields a wait: the patch refuses the rest.
                self.pop(results);
                Progress::Waits
            }
            ffi::LUA_OK => Progress::Done(results),
            status => Progress::Failed(broken(status)),
        }
    }

    /// Whether it has yielded: it is neither at its beginning, nor running, nor over.
    pub fn is_suspended(&self) -> bool {
        unsafe { ffi::lua_status(self.0) == ffi::LUA_YIELD }
    }

    /// Runs the pending `__close` of a coroutine that failed or waits; it is over then.
    pub fn close_thread(&self, from: Self) {
        unsafe { ffi::lua_closethread(self.0, from.0) };
    }

    /// Makes this thread raise wherever it goes on in Lua, behind the call that is under way first: no `pcall` holds it up.
    pub fn condemn(&self) {
        extern "C-unwind" fn refuse(lua: Lua, _: *mut c_void) {
            lua.raise_text("process ended");
        }
        type Raw = unsafe extern "C-unwind" fn(*mut ffi::lua_State, *mut ffi::lua_Debug);
        // SAFETY: `Lua` is a transparent `*mut lua_State`, and the second argument is an unused pointer.
        let hook: Raw = unsafe { std::mem::transmute(refuse as extern "C-unwind" fn(Lua, *mut c_void)) };
        unsafe { ffi::lua_sethook(self.0, Some(hook), ffi::LUA_MASKCOUNT, 1) };
    }
}

/// Lua's own libraries, as far as a process has (parts of) them.
pub enum Library {
    Base,
    Coroutine,
    Table,
    String,
    Utf8,
    Math,
    Os,
    Debug,
}

// ---- The stack

impl Lua {
    #[inline]
    pub fn top(&self) -> c_int {
        unsafe { ffi::lua_gettop(self.0) }
    }

    #[inline]
    pub fn set_top(&mut self, top: c_int) {
        unsafe { ffi::lua_settop(self.0, top) }
    }

    #[inline]
    pub fn pop(&mut self, count: c_int) {
        self.set_top(-count - 1);
    }

    /// Makes room for `slots` more values. False where Lua's stack (a million) or memory ends.
    #[inline]
    pub fn reserve(&self, slots: c_int) -> bool {
        unsafe { ffi::lua_checkstack(self.0, slots) != 0 }
    }

    pub fn insert(&self, index: c_int) {
        unsafe { ffi::lua_rotate(self.0, index, 1) }
    }

    pub fn remove(&mut self, index: c_int) {
        unsafe { ffi::lua_rotate(self.0, index, -1) }
        self.pop(1);
    }

    /// Pops the top value into `index`.
    pub fn replace(&mut self, index: c_int) {
        unsafe { ffi::lua_copy(self.0, -1, index) }
        self.pop(1);
    }

    #[inline]
    pub fn push_copy(&self, index: c_int) {
        unsafe { ffi::lua_pushvalue(self.0, index) }
    }

    #[inline]
    pub fn push_nil(&self) {
        unsafe { ffi::lua_pushnil(self.0) }
    }

    #[inline]
    pub fn push_boolean(&self, value: bool) {
        unsafe { ffi::lua_pushboolean(self.0, value.into()) }
    }

    #[inline]
    pub fn push_integer(&self, value: i64) {
        unsafe { ffi::lua_pushinteger(self.0, value) }
    }

    #[inline]
    pub fn push_number(&self, value: f64) {
        unsafe { ffi::lua_pushnumber(self.0, value) }
    }

    /// Raises.
    #[inline]
    pub fn push_bytes(&self, value: &[u8]) {
        unsafe { ffi::lua_pushlstring(self.0, value.as_ptr().cast(), value.len()) };
    }

    /// Pushes what Rust owns, and frees it. Raises; then the next one frees it.
    pub fn push_owned(&self, value: impl Into<Vec<u8>>) {
        let mut memory: *mut c_void = ptr::null_mut();
        // SAFETY: the state was made with a `Memory`. Lua has copied what is parked before anything else can run that parks
        // something: finalizers, after that.
        unsafe {
            ffi::lua_getallocf(self.0, &mut memory);
            let parked = &(*memory.cast::<Memory>()).parked;
            parked.set(value.into());
            self.push_bytes(&*parked.as_ptr());
            parked.take();
        }
    }

    /// Pushes a text of ours. Raises.
    pub fn push_message(&self, text: impl Into<Cow<'static, str>>) {
        match text.into() {
            Cow::Borrowed(text) => self.push_bytes(text.as_bytes()),
            Cow::Owned(text) => self.push_owned(text),
        }
    }

    /// Raises.
    pub fn push_function(&self, function: Function) {
        self.push_closure(function, 0);
    }

    /// A function with the top `upvalues` values. Raises.
    pub fn push_closure(&self, function: Function, upvalues: c_int) {
        // SAFETY: `Lua` is a transparent `*mut lua_State`.
        let function = unsafe { std::mem::transmute::<Function, ffi::lua_CFunction>(function) };
        unsafe { ffi::lua_pushcclosure(self.0, function, upvalues) }
    }

    /// Calls the C function at `index` in the frame of the running one, with its arguments. None: not a C function.
    pub fn tail_call(&self, function: ffi::lua_CFunction) -> c_int {
        unsafe { function(self.0) }
    }

    pub fn c_function(&self, index: c_int) -> Option<ffi::lua_CFunction> {
        unsafe { ffi::lua_tocfunction(self.0, index) }
    }

    /// Pops a value into the first upvalue (`_ENV`, for a chunk) of the function at `index`.
    pub fn set_first_upvalue(&self, index: c_int) {
        unsafe { ffi::lua_setupvalue(self.0, index, 1) };
    }

    pub const fn upvalue(number: c_int) -> c_int {
        ffi::lua_upvalueindex(number)
    }
}

// ---- Values

impl Lua {
    #[inline]
    pub fn kind(&self, index: c_int) -> Kind {
        match unsafe { ffi::lua_type(self.0, index) } {
            ffi::LUA_TNIL => Kind::Nil,
            ffi::LUA_TBOOLEAN => Kind::Boolean,
            ffi::LUA_TNUMBER => Kind::Number,
            ffi::LUA_TSTRING => Kind::String,
            ffi::LUA_TTABLE => Kind::Table,
            ffi::LUA_TFUNCTION => Kind::Function,
            ffi::LUA_TTHREAD => Kind::Thread,
            ffi::LUA_TNONE => Kind::None,
            _ => Kind::Userdata,
        }
    }

    #[inline]
    pub fn is_absent(&self, index: c_int) -> bool {
        matches!(self.kind(index), Kind::None | Kind::Nil)
    }

    #[inline]
    pub fn boolean(&self, index: c_int) -> bool {
        unsafe { ffi::lua_toboolean(self.0, index) != 0 }
    }

    /// The number's subtype is integer.
    #[inline]
    pub fn is_integer(&self, index: c_int) -> bool {
        unsafe { ffi::lua_isinteger(self.0, index) != 0 }
    }

    /// An integer, or a number or text that has an integral value.
    #[inline]
    pub fn integer(&self, index: c_int) -> Option<i64> {
        let mut good = 0;
        let value = unsafe { ffi::lua_tointegerx(self.0, index, &mut good) };
        (good != 0).then_some(value)
    }

    #[inline]
    pub fn number(&self, index: c_int) -> Option<f64> {
        let mut good = 0;
        let value = unsafe { ffi::lua_tonumberx(self.0, index, &mut good) };
        (good != 0).then_some(value)
    }

    /// The bytes of a string. None for anything else, numbers too.
    #[inline]
    pub fn bytes(&self, index: c_int) -> Option<&[u8]> {
        if unsafe { ffi::lua_type(self.0, index) } != ffi::LUA_TSTRING {
            return None;
        }
        let mut length = 0;
        let text = unsafe { ffi::lua_tolstring(self.0, index, &mut length) };
        Some(unsafe { slice::from_raw_parts(text.cast(), length) })
    }

    /// Identity of a table, function, thread or userdata.
    #[inline]
    pub fn address(&self, index: c_int) -> usize {
        unsafe { ffi::lua_topointer(self.0, index) as usize }
    }

    /// Name of the value's type, its metatable's `__name` not considered.
    pub fn type_name(&self, index: c_int) -> &'static str {
        match unsafe { ffi::lua_type(self.0, index) } {
            ffi::LUA_TNONE => "no value",
            ffi::LUA_TLIGHTUSERDATA => "light userdata",
            kind => unsafe { CStr::from_ptr(ffi::lua_typename(self.0, kind)) }.to_str().unwrap_or("?"),
        }
    }

    /// The coroutine at `index`.
    #[inline]
    pub fn thread(&self, index: c_int) -> Option<Self> {
        let thread = unsafe { ffi::lua_tothread(self.0, index) };
        (!thread.is_null()).then_some(Self(thread))
    }

    /// Pushes what `tostring` makes of the value. Raises.
    pub fn push_text(&self, index: c_int) {
        unsafe { ffi::luaL_tolstring(self.0, index, ptr::null_mut()) };
    }
}

impl Lua {
    /// Pushes the strings from index 1 to `count` as one, `separator` between them. Raises.
    pub fn join(&self, count: c_int, separator: &[u8]) {
        for i in 1..=count {
            if i > 1 {
                self.push_bytes(separator);
            }
            self.push_copy(i);
        }
        unsafe { ffi::lua_concat(self.0, (2 * count - 1).max(0)) }
    }
}

// ---- The rest

impl Lua {
    /// Pushes a traceback of `thread`, which may be this one; `level` 1 leaves out the running function. Raises.
    pub fn push_traceback(&self, thread: Self, level: c_int) {
        unsafe { ffi::luaL_traceback(self.0, thread.0, ptr::null(), level) }
    }

    /// Collects all garbage, and calls finalizers.
    pub fn collect(&self) {
        unsafe { ffi::lua_gc(self.0, ffi::LUA_GCCOLLECT) };
    }

    /// No collection from now on, so no finalizer either.
    pub fn stop_collecting(&self) {
        unsafe { ffi::lua_gc(self.0, ffi::LUA_GCSTOP) };
    }
}
