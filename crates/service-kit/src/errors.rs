//! How errors are written to the log.

use std::error::Error;

/// An error and everything that caused it, in one line: `outermost: its cause: …`.
///
/// Each of our errors says only its own part, so that nothing stands here twice. For the one
/// place that handles the error; whoever hands it on does not log it.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot load the ticket")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_line_names_every_cause_once() {
        let error = Outer(io::Error::other("connection refused"));
        assert_eq!(chain(&error), "cannot load the ticket: connection refused");
    }
}
