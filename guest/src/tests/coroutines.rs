//! coroutines
