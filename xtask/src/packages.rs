//! Packages of other languages that tests need, fetched once and kept by what they are pinned to.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;

use crate::{cargo, provide};

/// The directory that `PYTHONPATH` has to name for schemathesis, which examines the HTTP API: a Python package, pinned with
/// all that it needs by `e2e/schemathesis/requirements.txt`.
pub(crate) fn schemathesis() -> anyhow::Result<PathBuf> {
    let requirements = cargo::root().join("e2e/schemathesis/requirements.txt");
    // Some of it is compiled for one version of Python.
    let python = version("python3", "schemathesis needs: install Python 3.11 or later with pip")?;
    provided("schemathesis", "30 MB", &[read(&requirements)?, python], |place| {
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
        command.args(PIP).arg(place).arg("--requirement").arg(&requirements);
        cargo::succeed(command.stdin(Stdio::null()))
    })
}

/// The directory of npm's packages in which there is an OpenID provider, pinned by `e2e/openid/package-lock.json`.
pub(crate) fn oidc_provider() -> anyhow::Result<PathBuf> {
    let here = cargo::root().join("e2e/openid");
    let pins = ["package.json", "package-lock.json"].map(|name| here.join(name));
    let [package, lock] = &pins;
    let node = version(
        "node",
        "the OpenID provider of tests needs: install Node.js 20 or later with npm",
    )?;
    provided("oidc-provider", "3 MB", &[read(package)?, read(lock)?, node], |place| {
        fs::create_dir_all(place).with_context(|| format!("cannot make {}", place.display()))?;
        for pin in &pins {
            let name = pin.file_name().unwrap_or_default();
            fs::copy(pin, place.join(name)).with_context(|| format!("cannot copy {}", pin.display()))?;
        }
        let mut command = Command::new("npm");
        command
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .current_dir(place);
        cargo::succeed(command.stdin(Stdio::null()))
    })
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// What a program says of its version; `what` needs it.
fn version(program: &str, what: &str) -> anyhow::Result<Vec<u8>> {
    let output = Command::new(program).arg("--version").output();
    Ok(output
        .with_context(|| format!("cannot run {program}, which {what}"))?
        .stdout)
}

/// The directory with what `pins` say, filled by `install` unless it is there already.
fn provided(
    name: &str,
    size: &str,
    pins: &[Vec<u8>],
    install: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    pins.hash(&mut hasher);
    let place = provide::runtime_dir().join(format!("{name}-{:016x}", hasher.finish()));
    if place.is_dir() {
        return Ok(place);
    }
    provide::say(&format!("fetching {name} ({size})"));
    // Beside its place, and moved there when it is whole. The process id keeps two fetches apart.
    let partial = place.with_extension(format!("partial-{}", std::process::id()));
    let installed = install(&partial).and_then(|()| match fs::rename(&partial, &place) {
        // Another fetch was faster; its bytes are the same.
        Err(_) if place.is_dir() => Ok(()),
        renamed => renamed.with_context(|| format!("cannot make {}", place.display())),
    });
    // Gone already if all went well.
    let _ = fs::remove_dir_all(&partial);
    installed.with_context(|| format!("could not fetch {name}, without which a test fails"))?;
    Ok(place)
}
