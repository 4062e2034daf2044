//! What subcommands read and print.

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};

/// As many bytes as a desk takes in a body; a larger file is refused there too, but less clearly.
const BYTES_MAX: u64 = 1024 * 1024;

/// The bytes of a file that is to be sent to a desk. `advice` says what to do about one that is too large.
pub(crate) fn read(path: &Path, advice: &str) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let size = std::fs::metadata(path)
        .with_context(|| format!("cannot open {shown}"))?
        .len();
    if size > BYTES_MAX {
        bail!("{shown} has {size} bytes; a desk takes at most {BYTES_MAX}: {advice}");
    }
    std::fs::read(path).with_context(|| format!("cannot read {shown}"))
}

/// Prints what a subcommand has to say. Whoever closed standard output does not want it.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("cannot print the report"),
        _ => Ok(()),
    }
}
