//! Values outside of Lua: arguments given by Rust, results read by Rust.
//!
//! Owns the mapping to MessagePack payloads for the edges of the system. Never used between two processes: their
//! payloads travel as bytes.

/// One Lua value that can travel.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `nil`
    #[default]
    Nil,
    /// A boolean.
    Boolean(bool),
    /// A Lua integer.
    Integer(i64),
    /// A Lua float.
    Float(f64),
    /// A string: any bytes.
    String(Vec<u8>),
    /// A table with the keys 1..n.
    Array(Vec<Value>),
    /// Any other table, in the order it was encoded.
    Map(Vec<(Value, Value)>),
    /// A value without a Rust form yet (error object, Time, Duration, a table seen before): extension type and bytes.
    Extension(i8, Vec<u8>),
}
