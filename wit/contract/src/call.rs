//! How much one call from the guest to the host may carry. The guest refuses what is more; the host copies out that much
//! and no more (`set_hostcall_fuel`), so that a guest that ignores the rule ends by a trap.
//!
//! Everything follows from the process's limit `message`: each payload, file content or line of output has at most that
//! many bytes. Only a spawn carries several.

/// What a first message, an element of a scope or a field of a log line counts besides its bytes: the host keeps two
/// texts' places for it.
pub const ITEM: usize = 64;

/// What a spawn carries besides payloads at most.
const SPAWN_BESIDES: usize = 256 << 10;

/// What any call carries besides payloads at most: ids and names, an actor's id and meta, a scope's policies; a log line
/// of empty fields is the largest.
const BESIDES: usize = 1 << 20;

/// Bytes of a spawn's arguments, context and first messages together, each first message with its topic and [`ITEM`]. At
/// the limit: `INVALID`. Six messages of the largest size and 256 KiB: arguments, context, and four first messages, which
/// is a mailbox's default.
pub const fn spawn_bytes(message: usize) -> usize {
    message.saturating_mul(6).saturating_add(SPAWN_BESIDES)
}

/// Bytes of the largest call that the guest makes.
pub const fn largest(message: usize) -> usize {
    spawn_bytes(message).saturating_add(BESIDES)
}
