//! `cargo xtask check`: what can be said about the code without running it.

use crate::cargo;

/// Runs every check in the order of how fast it fails.
pub(crate) fn run() -> anyhow::Result<()> {
    cargo::run(["fmt", "--all", "--", "--check"])?;
    cargo::run(["test", "--quiet", "--package", "xtask", "--test", "tidy"])?;
    cargo::run([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "--deny",
        "warnings",
    ])?;
    let mut doc = cargo::command();
    doc.args(["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    cargo::succeed(doc.env("RUSTDOCFLAGS", "--deny warnings"))
}
