//! Rules of the repository that no compiler checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// A file that is longer than this cannot be held in the head.
const LINES_MAX: usize = 600;

/// Who may depend on whom of us. Whoever stands lower knows nothing of who stands above.
const DIRECTION: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("wire", &["domain"]),
    ("service-kit", &["domain"]),
    ("event-log", &["domain", "wire", "service-kit"]),
    ("command-service", &["domain", "wire", "event-log", "service-kit"]),
    ("projector", &["domain", "wire", "event-log", "service-kit"]),
    ("sla-scheduler", &["domain", "wire", "event-log", "service-kit"]),
    ("query-api", &["domain", "service-kit"]),
    ("servers", &[]),
    ("test-harness", &["servers"]),
    ("xtask", &["servers"]),
    ("recourse", &SERVICES_AND_BELOW),
];

const SERVICES_AND_BELOW: [&str; 9] = [
    "domain",
    "wire",
    "event-log",
    "service-kit",
    "servers",
    "command-service",
    "projector",
    "query-api",
    "sla-scheduler",
];

/// They look at the whole from outside, and may know all of it.
const OUTSIDE: [&str; 2] = ["e2e", "bench"];

/// Dependencies that must not spread: each stands for something that only these crates know. Tests are meant too.
const KEPT: &[(&str, &[&str])] = &[
    ("async-nats", &["event-log", "e2e", "bench"]),
    ("postcard", &["wire"]),
    (
        "sqlx",
        &[
            "projector",
            "query-api",
            "sla-scheduler",
            "test-harness",
            "e2e",
            "bench",
        ],
    ),
];

/// All that the rules may use: time, errors, ids.
const DOMAIN_USES: [&str; 3] = ["jiff", "thiserror", "uuid"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is not the top")
        .to_owned()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo describes the workspace")
}

/// Names of a package's dependencies of one kind.
fn dependencies(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    package
        .dependencies
        .iter()
        .filter(|one| one.kind == kind)
        .map(|one| one.name.as_str())
        .collect()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    entries
        .map(|entry| entry.expect("directories can be read").path())
        .collect()
}

/// Every file of the repository with this extension, but for what is built.
fn files(extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut dirs = vec![root()];
    while let Some(dir) = dirs.pop() {
        for path in entries(&dir) {
            let name = path
                .file_name()
                .expect("an entry has a name")
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && !name.starts_with('.') && !["target", "recourse-data"].contains(&name.as_str()) {
                dirs.push(path);
            } else if path.extension().is_some_and(|one| one == extension) {
                found.push(path);
            }
        }
    }
    found
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn dependencies_point_from_the_edge_to_the_rules() {
    let metadata = metadata();
    let ours: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let direction: BTreeMap<_, _> = DIRECTION.iter().copied().collect();
    for package in &metadata.packages {
        let name = package.name.as_str();
        if OUTSIDE.contains(&name) {
            continue;
        }
        let allowed = direction
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no place in DIRECTION: give it one"));
        for used in dependencies(package, DependencyKind::Normal).intersection(&ours) {
            assert!(
                allowed.contains(used),
                "{name} depends on {used}: it may only depend on {allowed:?}"
            );
        }
    }
}

#[test]
fn what_one_crate_hides_no_other_uses() {
    for package in &metadata().packages {
        for (hidden, holders) in KEPT {
            let uses = package.dependencies.iter().any(|one| one.name == *hidden);
            let name = package.name.as_str();
            assert!(
                !uses || holders.contains(&name),
                "{name} depends on {hidden}, which belongs to {holders:?}"
            );
        }
    }
}

#[test]
fn the_rules_depend_on_time_errors_and_ids_alone() {
    let metadata = metadata();
    let domain = metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == "domain")
        .unwrap();
    for used in dependencies(domain, DependencyKind::Normal) {
        assert!(
            DOMAIN_USES.contains(&used),
            "domain depends on {used}: what needs that belongs outside the rules"
        );
    }
}

/// Licences that let anybody use a library and ask for no more than to be named.
const LICENCES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The registry that all libraries come from, as `Cargo.lock` has it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn every_library_comes_from_the_registry_and_may_be_used_by_anybody() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .expect("Cargo.lock has all that the workspace needs");
    // Any of what stands before and after OR, all of what stands before and after AND.
    let allowed = |licence: &str| {
        licence.replace(['(', ')'], "").split(" AND ").all(|part| {
            let mut choices = part.split(" OR ").flat_map(|choice| choice.split('/'));
            choices.any(|choice| LICENCES.contains(&choice.trim()))
        })
    };
    let mut libraries = 0;
    for package in metadata.packages.iter().filter(|package| package.source.is_some()) {
        libraries += 1;
        let (name, source) = (&package.name, package.source.as_ref().expect("filtered"));
        assert_eq!(source.repr, REGISTRY, "{name}");
        let licence = package.license.as_deref().unwrap_or_default();
        assert!(allowed(licence), "{name}: {licence}");
    }
    assert!(libraries > 100, "{libraries}");
    let lock = read("Cargo.lock");
    let checksums = lock.matches("\nchecksum = \"").count();
    assert_eq!(checksums, lock.matches(REGISTRY).count());
}

#[test]
fn no_file_is_too_long() {
    for path in files("rs") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines: divide it", path.display());
    }
}

#[test]
fn every_path_that_the_architecture_names_exists() {
    let text = read("docs/ARCHITECTURE.md");
    let top: BTreeSet<_> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    for named in text.split('`').skip(1).step_by(2) {
        let is_pattern = named.contains(|c: char| c.is_whitespace() || "*<>{}…$:?=".contains(c));
        let first = named.split('/').next().unwrap_or_default();
        let looks_like_a_file = [".rs", ".md", ".toml", ".sql"].iter().any(|end| named.ends_with(end));
        let is_path = named.contains('/') && !named.starts_with('/');
        if is_pattern || !is_path || !(looks_like_a_file || top.contains(std::ffi::OsStr::new(first))) {
            continue;
        }
        assert!(
            root().join(named).exists(),
            "docs/ARCHITECTURE.md names {named}, which does not exist"
        );
    }
}

/// The first string after each of these begins is a metric's name.
const METRIC_MACROS: [&str; 3] = ["counter!(", "gauge!(", "histogram!("];

#[test]
fn every_metric_is_documented_and_every_documented_metric_exists() {
    let ours = files("rs")
        .into_iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "src"));
    let mut recorded: BTreeSet<String> = BTreeSet::new();
    for path in ours {
        let text = fs::read_to_string(&path).unwrap();
        for begin in METRIC_MACROS {
            let names = text
                .split(begin)
                .skip(1)
                .filter_map(|rest| rest.trim_start().strip_prefix('"'));
            recorded.extend(names.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    let table = read("docs/metrics.md");
    let documented: BTreeSet<String> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .map(str::to_owned)
        .collect();
    assert!(recorded.len() > 5, "the metrics are not where this test looks");
    assert_eq!(documented, recorded, "docs/metrics.md has one line for each metric");
}

#[test]
fn decisions_are_numbered_without_gaps_and_listed() {
    let mut names: Vec<String> = fs::read_dir(root().join("docs/adr"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    names.sort();
    let list = read("docs/adr/README.md");
    for (index, name) in names.iter().enumerate() {
        let number = format!("{:04}", index + 1);
        assert!(
            name.starts_with(&format!("{number}-")),
            "docs/adr/{name} is out of order: {number} comes next"
        );
        let text = read(&format!("docs/adr/{name}"));
        assert!(
            text.starts_with(&format!("# {number}: ")),
            "docs/adr/{name} does not begin with its number"
        );
        assert!(
            list.contains(&format!("({name})")),
            "docs/adr/README.md does not list {name}"
        );
    }
}
