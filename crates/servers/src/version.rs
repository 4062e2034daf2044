//! Versions as servers print them.

use std::fmt;

/// A version of a server: three numbers, ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The number before the first dot.
    pub major: u32,
    /// The number after it, or 0.
    pub minor: u32,
    /// The third number, or 0.
    pub patch: u32,
}

impl Version {
    /// A version from its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// The first version in what `--version` printed, such as `nats-server: v2.15.1` or
    /// `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`.
    pub fn find(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::parse)
    }

    fn parse(word: &str) -> Option<Self> {
        let mut numbers = word.strip_prefix('v').unwrap_or(word).split('.').map(leading_number);
        Some(Self {
            major: numbers.next()??,
            minor: numbers.next().flatten().unwrap_or(0),
            patch: numbers.next().flatten().unwrap_or(0),
        })
    }
}

/// `18beta1` is 18: a preview counts as the version it previews.
fn leading_number(text: &str) -> Option<u32> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..digits)?.parse().ok()
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch } = self;
        match (minor, patch) {
            (0, 0) => write!(f, "{major}"),
            (_, 0) => write!(f, "{major}.{minor}"),
            _ => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_each_server_prints() {
        assert_eq!(Version::find("nats-server: v2.15.1\n"), Some(Version::new(2, 15, 1)));
        assert_eq!(
            Version::find("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)"),
            Some(Version::new(15, 20, 0))
        );
        assert_eq!(
            Version::find("postgres (PostgreSQL) 18beta1"),
            Some(Version::new(18, 0, 0))
        );
        assert_eq!(Version::find("no such thing"), None);
    }

    #[test]
    fn versions_are_compared_by_number_and_not_by_letter() {
        assert!(Version::new(2, 9, 10) < Version::new(2, 15, 1));
    }

    #[test]
    fn a_version_is_written_without_needless_zeroes() {
        assert_eq!(Version::new(15, 0, 0).to_string(), "15");
        assert_eq!(Version::new(2, 15, 1).to_string(), "2.15.1");
    }
}
