//! Where tests find the programs they start.

use std::{env, path::PathBuf, sync::OnceLock};

use servers::{Search, locate, pinned};

/// The `recourse` binary: named by `RECOURSE_BIN`, or else built beside the test.
///
/// # Panics
///
/// If there is none.
pub fn recourse_bin() -> PathBuf {
    let named = env::var_os("RECOURSE_BIN").map(PathBuf::from);
    named
        .or_else(beside_the_test)
        .filter(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!(
                "there is no recourse binary: run `cargo xtask test`, or `cargo build -p recourse` before `cargo test`"
            )
        })
}

/// Test executables are in `target/<profile>/deps`.
fn beside_the_test() -> Option<PathBuf> {
    Some(env::current_exe().ok()?.parent()?.parent()?.join("recourse"))
}

fn search(variable: &str) -> Search {
    let runtime_dir = env::var_os("RECOURSE_RUNTIME_DIR").map_or_else(pinned::default_runtime_dir, PathBuf::from);
    Search {
        explicit: env::var_os(variable).map(PathBuf::from),
        runtime_dir,
    }
}

pub(crate) fn nats_server() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND
        .get_or_init(|| match locate::nats(&search("RECOURSE_NATS_SERVER")) {
            Ok(found) => found.program,
            Err(error) => panic!("{error}: run `cargo xtask test`, which fetches it"),
        })
        .clone()
}

pub(crate) fn postgres_bin() -> locate::PostgresBin {
    match locate::postgres(&search("RECOURSE_POSTGRES_BIN"), None) {
        Ok(found) => found,
        Err(error) => panic!("{error}: run `cargo xtask test`, which fetches it"),
    }
}
