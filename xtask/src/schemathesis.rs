//! Providing schemathesis, which examines the HTTP API in the tests of `e2e`: a Python package, pinned with all that it
//! needs by `e2e/schemathesis/requirements.txt`.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{cargo, provide};

/// The directory that `PYTHONPATH` has to name. Filled by pip, unless it is there already.
pub(crate) fn fetch() -> anyhow::Result<PathBuf> {
    let requirements = cargo::root().join("e2e/schemathesis/requirements.txt");
    let pinned = fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    // Some of it is compiled for one version of Python.
    let mut hasher = DefaultHasher::new();
    (pinned, python_version()?).hash(&mut hasher);
    let place = provide::runtime_dir().join(format!("schemathesis-{:016x}", hasher.finish()));
    if place.is_dir() {
        return Ok(place);
    }
    provide::say("fetching schemathesis (30 MB)");
    // Beside its place, and moved there when it is whole. The process id keeps two fetches apart.
    let partial = place.with_extension(format!("partial-{}", std::process::id()));
    let installed = install(&requirements, &partial).and_then(|()| match fs::rename(&partial, &place) {
        // Another fetch was faster; its bytes are the same.
        Err(_) if place.is_dir() => Ok(()),
        renamed => renamed.with_context(|| format!("cannot make {}", place.display())),
    });
    // Gone already if all went well.
    let _ = fs::remove_dir_all(&partial);
    installed.context("could not fetch schemathesis, without which the test of the HTTP API fails")?;
    Ok(place)
}

fn python_version() -> anyhow::Result<String> {
    let output = Command::new("python3")
        .arg("--version")
        .output()
        .context("cannot run python3, which schemathesis needs: install Python 3.11 or later with pip")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn install(requirements: &std::path::Path, place: &std::path::Path) -> anyhow::Result<()> {
    const PIP: [&str; 8] = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--target",
    ];
    let mut command = Command::new("python3");
    command
        .args(PIP)
        .arg(place)
        .arg("--requirement")
        .arg(requirements)
        .stdin(Stdio::null());
    cargo::succeed(&mut command)
}
