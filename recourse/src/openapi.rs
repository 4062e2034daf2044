//! `recourse openapi`: the document of the whole desk's HTTP API, made from the code.

use std::io::{self, Write as _};

use anyhow::Context as _;
use service_kit::openapi::{document, operators};

/// Prints the document.
pub(crate) fn run() -> anyhow::Result<()> {
    let text = desk();
    io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write the document")
}

/// All routes of all services.
fn desk() -> String {
    document([command_service::openapi(), query_api::openapi(), operators()])
}

#[cfg(test)]
mod tests {
    use service_kit::openapi::COMMITTED;

    use super::*;

    #[test]
    fn the_committed_document_is_what_the_code_says() {
        let made = desk();
        let differs = made
            .lines()
            .zip(COMMITTED.lines())
            .position(|(made, committed)| made != committed);
        assert!(
            made == COMMITTED,
            "docs/openapi.json is not what the code says, first in line {:?}: run `cargo xtask openapi` and commit what it writes",
            differs.map(|line| line + 1)
        );
    }
}
