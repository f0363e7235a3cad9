//! A store of keys and values that outlives processes: the module `kv`.
