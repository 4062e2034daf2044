//! `cargo xtask test`: every test, against real servers.

use std::{env, ffi::OsString};

use anyhow::Context as _;
use servers::{
    Launcher, Postgres,
    postgres::{Durability, Options},
    wait,
};

use crate::{cargo, packages, provide};

/// Runs the tests with one Postgres for all of them; each starts the nats-servers that it needs.
pub(crate) fn run(args: &[OsString]) -> anyhow::Result<()> {
    cargo::run(["build", "--package", "recourse"])?;
    let servers = provide::servers()?;
    let home = tempfile::Builder::new()
        .prefix("recourse-test-")
        .tempdir()
        .context("cannot make a directory")?;
    // Kept until the tests are over; it dies with this process, however that ends.
    let postgres = start_postgres(home.path())?;

    let mut command = cargo::command();
    command.arg("test");
    // Cargo lets `--workspace` win over a chosen package.
    if !names_package(args) {
        command.arg("--workspace");
    }
    command.args(args);
    command.env("RECOURSE_BIN", cargo::target_dir().join("debug/recourse"));
    command.env("RECOURSE_TEST_DATABASE_URL", postgres.url());
    if wants_packages(args) {
        // One test of many needs each: that one fails if it cannot be had, and the others need not.
        for (name, fetched) in [
            ("RECOURSE_SCHEMATHESIS", packages::schemathesis()),
            ("RECOURSE_OIDC_PROVIDER", packages::oidc_provider()),
        ] {
            match fetched {
                Ok(dir) => _ = command.env(name, dir),
                Err(error) => provide::say(&format!("{error:#}")),
            }
        }
    }
    cargo::succeed(servers.name_in(&mut command))
}

/// Whether the arguments of `cargo test`, as far as they are cargo's own, choose packages.
fn names_package(args: &[OsString]) -> bool {
    let cargos = args
        .iter()
        .take_while(|arg| *arg != "--")
        .filter_map(|arg| arg.to_str());
    cargos
        .into_iter()
        .any(|arg| arg.starts_with("-p") || arg.starts_with("--package"))
}

/// Whether the crate whose tests use them is among those that are tested.
fn wants_packages(args: &[OsString]) -> bool {
    !names_package(args) || args.iter().any(|arg| arg.to_string_lossy().ends_with("e2e"))
}

fn start_postgres(home: &std::path::Path) -> anyhow::Result<Postgres> {
    let options = Options {
        bin: provide::postgres()?,
        dir: home.join("postgres"),
        log: home.join("postgres.log"),
        durability: Durability::Scratch,
    };
    let launcher = Launcher::Ours(env::current_exe().context("cannot find this executable")?);
    Ok(Postgres::start(options, launcher, &mut wait::sleep)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_package_is_recognised_and_arguments_of_the_tests_are_not() {
        let names = |args: &[&str]| names_package(&args.iter().map(OsString::from).collect::<Vec<_>>());
        assert!(names(&["-p", "domain"]) && names(&["reopen", "--package=domain"]) && names(&["-pdomain"]));
        assert!(!names(&["reopen"]) && !names(&["--no-fail-fast", "--", "-p"]));
    }
}
