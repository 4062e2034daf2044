//! Running cargo.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;

/// What cargo says of the package that it runs, which is this one. Scripts that build others look at it, and build all
/// anew that stands on them when somebody runs cargo without it.
const OF_THIS_PACKAGE: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// The cargo that runs this, as if it were run by hand.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.current_dir(root());
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| OF_THIS_PACKAGE.iter().any(|prefix| name.starts_with(prefix))) {
        command.env_remove(name);
    }
    command
}

/// Runs cargo with these arguments and fails if it does.
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> anyhow::Result<()> {
    succeed(command().args(args))
}

/// Runs a command and fails if it does.
pub(crate) fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let said = said(command);
    let status = command.status().with_context(|| format!("cannot run {said}"))?;
    anyhow::ensure!(status.success(), "failed ({status}): {said}");
    Ok(())
}

/// A command as it would be typed, without its environment, which has secrets of servers that are gone.
fn said(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// The top of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from))
}
