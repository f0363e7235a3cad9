# Lists the recipes.
_default:
    @just --list --unsorted

# Builds guest/dist (the Lua VM as a pre-initialised component) from source: Lua, Rust's std, snapshot, digest.
guest:
    #!/bin/sh
    set -eu
    core=$(guest/build/core)
    {{ guest_tool }} build "$core"

# Fails when guest/dist wasn't built from the sources as they are.
guest-check:
    @{{ guest_tool }} digest --check

# Tests what builds the guest: the patched Lua against Lua as it comes (natively, with gcc), and the tool.
guest-test-build:
    guest/lua-tests/run
    cargo test --locked --manifest-path guest/tool/Cargo.toml --target-dir guest/target/tool

# Release, or the snapshot would take a minute.
guest_tool := "cargo run --quiet --locked --release --manifest-path guest/tool/Cargo.toml --target-dir guest/target/tool --"

# Runs everything that is tested here, and the guest's own tests.
test:
    cargo test --workspace --locked
    cargo test --locked --manifest-path guest/Cargo.toml --target-dir guest/target/native

# Formats, lints, documents and tests: what the pipeline runs after rebuilding the guest.
ci: lint test

# Format, clippy with warnings as errors, and documentation.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items

# Runs the kernel against its model with many seeds: just sim 100000.
sim seeds="2000":
    cargo run --release --locked -p lunarium-kernel --example sim -- --seeds {{ seeds }}

# Measures what things cost; prints a table and writes JSON to target/bench.json. Single groups: just bench spawn messages.
bench *groups:
    cargo build --release --locked -p lunarium-cli -p lunarium-bench
    target/release/lunarium-bench target/bench.json {{ groups }}

# Compares two builds of lunarium-bench in turns, each beside its lunarium: just bench-pair /tmp/old/lunarium-bench target/release/lunarium-bench 5 spawn.
bench-pair old new rounds="5" *groups:
    {{ new }} --pair {{ old }} {{ new }} {{ rounds }} {{ groups }}
