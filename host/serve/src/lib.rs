//! A host that stays up: many tenants on one engine, seen and changed from outside while they run.
