//! Bounded texts. A value of one of these types has been checked; nothing checks it again.

use std::fmt;
use std::sync::Arc;

/// Why a text is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be blank")]
    Blank,
    /// More characters than allowed.
    #[error("must have at most {max} characters, has {actual}")]
    TooLong {
        /// The most that is allowed.
        max: usize,
        /// How many there are.
        actual: usize,
    },
    /// A NUL character, which no database and few programs can keep.
    #[error("must not contain the NUL character (U+0000)")]
    Nul,
}

fn check(text: &str, max: usize) -> Result<(), TextError> {
    if text.contains('\0') {
        return Err(TextError::Nul);
    }
    if text.trim().is_empty() {
        return Err(TextError::Blank);
    }
    // Bytes bound characters from above, so most texts need no count.
    if text.len() > max {
        let actual = text.chars().count();
        if actual > max {
            return Err(TextError::TooLong { max, actual });
        }
    }
    Ok(())
}

macro_rules! bounded_text {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The most characters (Unicode scalar values) that it may have.
            pub const CHARACTERS_MAX: usize = $max;

            /// Checks a text and keeps it as it is.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                check(text, Self::CHARACTERS_MAX)?;
                Ok(Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        // Texts are people's words: they stay out of logs.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} characters)"), self.0.chars().count())
            }
        }
    };
}

bounded_text! {
    /// A ticket's one-line subject.
    Subject, 200
}
bounded_text! {
    /// Many lines of a person's words: a description, a comment, a solution.
    Body, 65_536
}
bounded_text! {
    /// A short label: a system, an environment, a version, a category, a reference, a name.
    Label, 200
}

/// The text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a code such as feature_request: small Latin letters, digits and underscores, a letter first, at most {} characters",
    Code::CHARACTERS_MAX
)]
pub struct CodeError;

/// A code of the catalogue: `snake_case`, compared as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(Arc<str>);

impl Code {
    /// The most characters that one may have which people write.
    pub const CHARACTERS_MAX: usize = 50;

    /// A code as the catalogue or the log wrote it.
    pub fn new(code: &str) -> Self {
        Self(code.into())
    }

    /// Checks a code that people write.
    pub fn parse(code: &str) -> Result<Self, CodeError> {
        let may_follow = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let well_formed = code.starts_with(|c: char| c.is_ascii_lowercase()) && code.chars().all(may_follow);
        if well_formed && code.len() <= Self::CHARACTERS_MAX {
            Ok(Self::new(code))
        } else {
            Err(CodeError)
        }
    }

    /// The code's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_text_is_refused() {
        assert_eq!(Subject::parse(" \n"), Err(TextError::Blank));
    }

    #[test]
    fn length_counts_characters_and_not_bytes() {
        assert!(Subject::parse(&"ы".repeat(200)).is_ok());
        assert_eq!(
            Subject::parse(&"ы".repeat(201)),
            Err(TextError::TooLong { max: 200, actual: 201 })
        );
    }

    #[test]
    fn a_code_is_of_small_letters_digits_and_underscores() {
        assert!(Code::parse("feature_request_2").is_ok());
        for wrong in [
            "",
            "Outage",
            "1st",
            "_a",
            "a-b",
            "ошибка",
            "a b",
            "a\0",
            &"a".repeat(51),
        ] {
            assert_eq!(Code::parse(wrong), Err(CodeError), "{wrong}");
        }
    }

    #[test]
    fn nul_is_refused() {
        assert_eq!(Body::parse("a\0b"), Err(TextError::Nul));
    }

    #[test]
    fn debug_output_keeps_peoples_words_to_itself() {
        let subject = Subject::parse("my password is 123").unwrap();
        assert_eq!(format!("{subject:?}"), "Subject(18 characters)");
    }
}
