//! `hash`: digests of strings. Owns arguments, and that a digest is hexadecimal or raw; the algorithms are the crates'.

use std::ffi::c_int;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use twox_hash::XxHash3_64;

use crate::lua::Lua;
use crate::state::error::invalid;

/// `sha256(data [, raw])`
extern "C-unwind" fn sha256(lua: Lua) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "data is missing");
    }
    let digest: [u8; 32] = Sha256::digest(lua.check_bytes(1)).into();
    give(lua, 2, &digest)
}

/// `hmac_sha256(data, secret [, raw])`
extern "C-unwind" fn hmac_sha256(lua: Lua) -> c_int {
    for (argument, what) in [(1, "data is missing"), (2, "secret is missing")] {
        if lua.is_absent(argument) {
            return invalid(lua, what);
        }
    }
    let (data, secret) = (lua.check_bytes(1), lua.check_bytes(2));
    match Hmac::<Sha256>::new_from_slice(secret) {
        Ok(hmac) => {
            let digest: [u8; 32] = hmac.chain_update(data).finalize().into_bytes().into();
            give(lua, 3, &digest)
        }
        // Its secrets may have any length.
        Err(_) => invalid(lua, "secret can't be one"),
    }
}

/// `xxh3(data [, raw])`
extern "C-unwind" fn xxh3(lua: Lua) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "data is missing");
    }
    let digest = XxHash3_64::oneshot(lua.check_bytes(1));
    give(lua, 2, &digest.to_be_bytes())
}

/// `equals(a, b)`: how long it takes doesn't tell where they differ.
extern "C-unwind" fn equals(lua: Lua) -> c_int {
    for (argument, what) in [(1, "the first digest is missing"), (2, "the second digest is missing")] {
        if lua.is_absent(argument) {
            return invalid(lua, what);
        }
    }
    lua.push_boolean(lua.check_bytes(1).ct_eq(lua.check_bytes(2)).into());
    lua.push_nil();
    2
}

/// Pushes the digest as the flag at `raw` wants it: hexadecimal where there is none. Raises.
fn give(lua: Lua, raw: c_int, digest: &[u8]) -> c_int {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    if lua.boolean(raw) {
        lua.push_bytes(digest);
    } else {
        let mut text = [0; 64];
        let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (to, digit) in text.iter_mut().zip(digits) {
            *to = DIGITS.get(usize::from(digit)).copied().unwrap_or_default();
        }
        lua.push_bytes(text.get(..2 * digest.len()).unwrap_or_default());
    }
    lua.push_nil();
    2
}

/// Pushes the module. Raises.
pub fn push_module(lua: Lua) {
    lua.new_table(0, 4);
    lua.set_function(c"sha256", sha256);
    lua.set_function(c"hmac_sha256", hmac_sha256);
    lua.set_function(c"xxh3", xxh3);
    lua.set_function(c"equals", equals);
}
