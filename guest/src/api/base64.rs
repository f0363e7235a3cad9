//! `base64`: bytes as text and back, in both alphabets of RFC 4648. Owns arguments and what a fault is called; the rest is the
//! crate's.

use std::ffi::c_int;

use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, PAD};
use base64::engine::{DecodePaddingMode, Engine};
use base64::{DecodeError, DecodeSliceError, decoded_len_estimate, encoded_len};

use crate::lua::Lua;
use crate::lua::buffer::push_list;
use crate::state::error::invalid;

const PADDED: GeneralPurpose = GeneralPurpose::new(&STANDARD, PAD);
/// In addresses nobody wants `=`, and some write it.
const URL: GeneralPurpose =
    GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// `encode(data)`
extern "C-unwind" fn encode(lua: Lua) -> c_int {
    to_text(lua, &PADDED, true)
}

/// `encode_url(data)`
extern "C-unwind" fn encode_url(lua: Lua) -> c_int {
    to_text(lua, &URL, false)
}

/// `decode(text)`
extern "C-unwind" fn decode(lua: Lua) -> c_int {
    to_data(lua, &PADDED)
}

/// `decode_url(text)`
extern "C-unwind" fn decode_url(lua: Lua) -> c_int {
    to_data(lua, &URL)
}

fn to_text(lua: Lua, form: &GeneralPurpose, padded: bool) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "data is missing");
    }
    let data = lua.check_bytes(1);
    let text = push_list(&lua, encoded_len(data.len(), padded).unwrap_or(usize::MAX), 0);
    // There is room for all of it.
    let length = form.encode_slice(data, text).unwrap_or_default();
    lua.push_bytes(text.get(..length).unwrap_or_default());
    lua.push_nil();
    2
}

fn to_data(lua: Lua, form: &GeneralPurpose) -> c_int {
    if lua.is_absent(1) {
        return invalid(lua, "text is missing");
    }
    let text = lua.check_bytes(1);
    let data = push_list(&lua, decoded_len_estimate(text.len()), 0);
    match form.decode_slice(text, data) {
        Ok(length) => {
            lua.push_bytes(data.get(..length).unwrap_or_default());
            lua.push_nil();
            2
        }
        Err(fault) => invalid(lua, told(fault)),
    }
}

#[cold]
fn told(fault: DecodeSliceError) -> String {
    let shown = |byte: u8| match byte {
        b' '..=b'~' => format!("`{}`", char::from(byte)),
        _ => format!("the byte {byte:#04x}"),
    };
    match fault {
        DecodeSliceError::DecodeError(DecodeError::InvalidByte(at, byte)) => {
            format!("{} at byte {} is not of this base64", shown(byte), at + 1)
        }
        DecodeSliceError::DecodeError(DecodeError::InvalidLastSymbol(at, byte)) => {
            format!(
                "{} at byte {} can't be the last one: it holds bits of a byte that isn't there",
                shown(byte),
                at + 1
            )
        }
        DecodeSliceError::DecodeError(DecodeError::InvalidLength(_)) => "the text ends within a byte".to_owned(),
        DecodeSliceError::DecodeError(DecodeError::InvalidPadding) => {
            "the text doesn't end with as many `=` as fill it up to four characters".to_owned()
        }
        DecodeSliceError::OutputSliceTooSmall => "the text is too long".to_owned(),
    }
}

/// Pushes the module. Raises.
pub fn push_module(lua: Lua) {
    lua.new_table(0, 4);
    lua.set_function(c"encode", encode);
    lua.set_function(c"decode", decode);
    lua.set_function(c"encode_url", encode_url);
    lua.set_function(c"decode_url", decode_url);
}
