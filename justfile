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

# Tests what builds the guest: the patched Lua, and the tool.
guest-test-build: guest-test-lua guest-test-tool

# Tests the patched Lua against Lua as it comes (natively, with gcc).
guest-test-lua:
    guest/lua-tests/run

# Tests the tool that makes the snapshot.
guest-test-tool:
    cargo test --locked {{ tool }}

# The tool has the workspace's target directory, profile and features of wasmtime: Cranelift is built once for both.
tool := "--manifest-path guest/tool/Cargo.toml --target-dir target"
guest := "--manifest-path guest/Cargo.toml --target-dir guest/target/native"
guest_tool := "cargo run --quiet --locked " + tool + " --"

# Runs everything that is tested here, and the guest's own tests.
test:
    cargo test --workspace --locked
    guest/build/lua >/dev/null
    cargo test --locked {{ guest }}

# Checks and tests everything: what the pipeline runs after rebuilding the guest.
ci: lint deny test

# Format, clippy with warnings as errors, and documentation: the workspace, the guest (natively) and its tool.
lint:
    guest/build/lua >/dev/null
    cargo fmt --all --check
    cargo fmt --check --manifest-path guest/Cargo.toml
    cargo fmt --check --manifest-path guest/tool/Cargo.toml
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy --all-targets --locked {{ guest }} -- -D warnings
    cargo clippy --all-targets --locked {{ tool }} -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked --document-private-items {{ guest }}
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked --document-private-items {{ tool }}

# Licences, bans and sources of all dependencies (deny.toml), known vulnerabilities where `cargo deny fetch db` has been.
deny:
    #!/bin/sh
    set -eu
    guest/build/lua >/dev/null
    checks="licenses bans sources"
    if ls "${CARGO_HOME:-$HOME/.cargo}"/advisory-dbs/*/ >/dev/null 2>&1; then checks="advisories $checks"; else
        echo "no advisory database here, so NOT checked: known vulnerabilities (\`cargo deny fetch db\` gets it)" >&2
    fi
    for manifest in Cargo.toml guest/Cargo.toml guest/tool/Cargo.toml; do
        # Unquoted on purpose: one argument a check.
        cargo deny --locked --config deny.toml --manifest-path "$manifest" check $checks
    done
    product=$(cargo tree --locked --package lunarium-cli --edges normal --prefix none)
    if printf '%s\n' "$product" | grep '^cranelift-codegen '; then
        echo "the product has a compiler: some dependency switches on a feature of wasmtime" >&2
        exit 1
    fi

# Runs the kernel against its model with many seeds: just sim 100000.
sim seeds="2000":
    cargo run --release --locked -p lunarium-kernel --example sim -- --seeds {{ seeds }}

# Programs made by dice attack several nodes for so long, and everything is checked meanwhile: just storm 3600 1.
storm seconds="60" seed="1" *options:
    cargo test --workspace --locked {{ options }} --test storm -- {{ seconds }} {{ seed }}

# Feeds one parser with spoiled samples for so long: just fuzz paths 600. Targets: `just fuzz list`; FUZZ_SEED says where to begin.
fuzz target seconds="60":
    #!/bin/sh
    set -eu
    if [ {{ target }} = list ]; then
        cargo test --quiet --workspace --locked --test fuzz -- --list | sed -n 's/: test$//p'
        cargo test --quiet --locked {{ guest }} -- --list | sed -n 's/^\(tests::fuzz::.*\): test$/\1/p'
        exit
    fi
    export FUZZ_SECONDS={{ seconds }}
    cargo test --workspace --locked --test fuzz -- --nocapture {{ target }}
    guest/build/lua >/dev/null
    cargo test --locked {{ guest }} -- --nocapture fuzz::{{ target }}

# Attacks a node in some two hundred ways and prints what came of each (docs/escape.md). Some of them: just escape loop.
escape *words:
    cargo test --workspace --locked --test escape -- --table {{ words }}

# Tests the observer page in a headless Chromium (Debian's packages chromium and chromium-driver); pictures in target/browser.
browser:
    cargo test --workspace --locked --no-run
    python3 -B tests/browser/observer.py target/debug/lunarium

# Measures how a table of so many processes feels in it.
browser-measure processes="8000":
    cargo build --release --locked
    python3 -B tests/browser/observer.py target/release/lunarium --measure {{ processes }}

# Writes docs/escape.md, by a run on a machine that does nothing else.
escape-page:
    cargo test --workspace --locked --test escape -- --markdown "{{ justfile_directory() }}/docs/escape.md"

# Measures what a quiet tenant feels of noisy ones, on a machine that does nothing else, and writes the plot of docs/security.md.
neighbours:
    just bench neighbours
    cp target/neighbours.svg docs/neighbours.svg

# What is measured may be looked at with perf: it keeps its symbols.
symbols := "CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only"

# Measures what things cost; prints a table and writes JSON to target/bench.json. Single groups: just bench spawn messages.
bench *groups:
    {{ symbols }} cargo build --release --locked -p lunarium-cli -p lunarium-bench
    target/release/lunarium-bench target/bench.json {{ groups }}

# Measures one group under Linux's perf, with the names of the guest's functions, and prints where time goes: just profile programs.
profile group *options:
    #!/bin/sh
    set -eu
    command -v perf >/dev/null || { echo "needs \`perf\` (Debian: linux-perf)" >&2; exit 1; }
    core=$(guest/build/core named)
    {{ guest_tool }} build "$core" --to "$PWD/target/profile/guest.wasm"
    export LUNARIUM_GUEST="$PWD/target/profile/guest.wasm"
    {{ symbols }} cargo build --release --locked -p lunarium-cli -p lunarium-bench --features lunarium-engine/profile
    perf record --freq 2000 --output target/profile/perf.data {{ options }} target/release/lunarium-bench target/profile/bench.json {{ group }}
    perf report --input target/profile/perf.data --stdio --no-children --call-graph none --sort comm,dso,symbol --percent-limit 0.5

# Compares two builds of lunarium-bench in turns, each beside its lunarium: just bench-pair /tmp/old/lunarium-bench target/release/lunarium-bench 5 spawn.
bench-pair old new rounds="5" *groups:
    {{ new }} --pair {{ old }} {{ new }} {{ rounds }} {{ groups }}

# Builds what is handed out (static binary, archive, Debian package, checksums) into target/out, and tries it; as root, for an empty root.
dist:
    host/cli/dist/build
    host/cli/dist/test

# Builds that once more in another folder, and compares the bytes.
dist-twice:
    host/cli/dist/twice

# Packs the crates as they would be published. Each is built from what is in its package: just package --no-verify does without.
package *options:
    cargo package --locked --workspace --exclude lunarium-tests --exclude lunarium-bench --exclude lunarium-examples {{ options }}
