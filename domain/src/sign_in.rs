//! Signing in: logins, passwords, and how long somebody who guesses has to wait.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// By what a user signs in. Two that differ in case or in white space around them are one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(String);

/// Why a text is no login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Nothing.
    #[error("must not be blank")]
    Blank,
    /// More characters than allowed.
    #[error("must have at most {} characters", Login::CHARACTERS_MAX)]
    TooLong,
    /// People could not tell two of these apart.
    #[error("must not contain white space, control characters or marks of writing direction")]
    Invisible,
}

impl Login {
    /// The most characters that it may have: an e-mail address has 254.
    pub const CHARACTERS_MAX: usize = 254;

    /// Reads a login as somebody typed it.
    pub fn parse(text: &str) -> Result<Self, LoginError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LoginError::Blank);
        }
        if text.chars().count() > Self::CHARACTERS_MAX {
            return Err(LoginError::TooLong);
        }
        if text.chars().any(is_invisible) {
            return Err(LoginError::Invisible);
        }
        Ok(Self(text.to_lowercase()))
    }

    /// The login in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// White space, control characters, and what Unicode's `Bidi_Control` and zero-width characters are.
fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A password that somebody chose. Whether it is right is a question of its hash; whether it may be chosen, of this.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(String);

/// A login of fewer characters than this may be part of a password: most texts contain it.
const CONTAINED_MIN: usize = 3;

/// Why a password cannot be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It could be guessed.
    #[error("must have at least {} characters", NewPassword::CHARACTERS_MIN)]
    TooShort,
    /// Hashing it would take long.
    #[error("must have at most {} characters", NewPassword::CHARACTERS_MAX)]
    TooLong,
    /// It is the first that is tried.
    #[error("must not be the login, or contain it")]
    IsLogin,
    /// It is the second that is tried.
    #[error("must not be the same character again and again")]
    Monotonous,
    /// It is among those that are tried after that.
    #[error(
        "must not be a common password, a single word, a row of keys or a date: make it longer, or of several words"
    )]
    Common,
}

impl NewPassword {
    /// NIST SP 800-63B-4 and OWASP ASVS 5 (6.2.1): no fewer.
    pub const CHARACTERS_MIN: usize = 8;
    /// OWASP ASVS 5 (6.2.9) asks for 64 at least.
    pub const CHARACTERS_MAX: usize = 256;

    /// Takes a password exactly as it was typed, or says why it cannot be chosen for this login. `is_common` knows what guessers
    /// try first.
    pub fn parse(text: &str, login: &Login, is_common: impl FnOnce(&str) -> bool) -> Result<Self, PasswordError> {
        let characters = text.chars().count();
        if characters < Self::CHARACTERS_MIN {
            return Err(PasswordError::TooShort);
        }
        if characters > Self::CHARACTERS_MAX {
            return Err(PasswordError::TooLong);
        }
        let lower = text.to_lowercase();
        let is_long = login.as_str().chars().count() >= CONTAINED_MIN;
        if lower == login.as_str() || (is_long && lower.contains(login.as_str())) {
            return Err(PasswordError::IsLogin);
        }
        let mut rest = text.chars();
        let first = rest.next();
        if rest.all(|character| Some(character) == first) {
            return Err(PasswordError::Monotonous);
        }
        if is_common(text) {
            return Err(PasswordError::Common);
        }
        Ok(Self(text.to_owned()))
    }

    /// The password.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password stays out of logs.
impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword")
    }
}

/// Sign-ins with one login that failed, one after the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// When the last of them was.
    pub last: Timestamp,
}

/// People mistype a password so often without having to wait.
const FREE: u32 = 4;
/// What the fifth costs. Each further one costs twice as much.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// What one costs at most: whoever guesses for others to be locked out locks them out for no longer.
const PAUSE_MAX: SignedDuration = SignedDuration::from_mins(15);
/// After so long without any they are forgotten.
pub const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);

impl Failures {
    /// For how long nobody may try this login; `None`: now is all right.
    pub fn pause(self, now: Timestamp) -> Option<SignedDuration> {
        let beyond = self.count.checked_sub(FREE + 1)?;
        let factor = 2_i32.checked_pow(beyond).unwrap_or(i32::MAX);
        let pause = FIRST_PAUSE.checked_mul(factor).unwrap_or(PAUSE_MAX).min(PAUSE_MAX);
        let left = pause - now.duration_since(self.last);
        // A clock that was set back does not lengthen it.
        (left > SignedDuration::ZERO).then_some(left.min(pause))
    }

    /// With one that fails now.
    #[must_use]
    pub fn and_one(self, now: Timestamp) -> Self {
        let old = now.duration_since(self.last) > FORGOTTEN_AFTER;
        Self {
            count: if old { 1 } else { self.count.saturating_add(1) },
            last: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(text: &str) -> Login {
        Login::parse(text).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_login_is_one_however_it_is_typed() {
        assert_eq!(login(" Ada@Example.org\n").as_str(), "ada@example.org");
        assert_eq!(login("ИВАНОВ"), login("иванов"));
        let long = "a".repeat(255);
        let refused = [
            ("", LoginError::Blank),
            (" \t", LoginError::Blank),
            (long.as_str(), LoginError::TooLong),
            ("ada lovelace", LoginError::Invisible),
            ("ada\u{202e}", LoginError::Invisible),
            ("a\u{200b}da", LoginError::Invisible),
            ("a\0da", LoginError::Invisible),
        ];
        for (text, error) in refused {
            assert_eq!(Login::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn what_is_tried_first_cannot_be_chosen() {
        let parse = |text: &str| NewPassword::parse(text, &login("ada"), |text| text == "password").map(|_| ());
        assert_eq!(parse("1234567"), Err(PasswordError::TooShort));
        assert_eq!(parse(&"xy".repeat(129)), Err(PasswordError::TooLong));
        assert_eq!(parse("my ADA 2026"), Err(PasswordError::IsLogin));
        let short = NewPassword::parse("correct horse", &login("a"), |_| false);
        assert!(short.is_ok(), "nearly every text contains it");
        assert_eq!(parse("жжжжжжжж"), Err(PasswordError::Monotonous));
        assert_eq!(parse("  spaces count  "), Ok(()));
        let kept = NewPassword::parse(" Пароль №1 ", &login("ada"), |_| false).unwrap();
        assert_eq!(
            (kept.as_str(), format!("{kept:?}").as_str()),
            (" Пароль №1 ", "NewPassword")
        );
    }

    #[test]
    fn each_failure_beyond_the_fourth_costs_twice_as_much() {
        let mut failures = Failures::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            failures = failures.and_one(at(100));
            pauses.push(failures.pause(at(100)).map_or(0, |pause| pause.as_secs()));
        }
        assert_eq!(pauses, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert_eq!(failures.pause(at(999)), Some(SignedDuration::from_secs(1)));
        assert_eq!(failures.pause(at(1000)), None);
        assert_eq!(failures.pause(at(0)), Some(PAUSE_MAX), "the clock was set back");
        let many = Failures {
            count: u32::MAX,
            ..failures
        };
        assert_eq!(many.and_one(at(100)).pause(at(100)), Some(PAUSE_MAX));
    }

    #[test]
    fn failures_are_forgotten_after_an_hour() {
        let failures = Failures { count: 9, last: at(0) };
        assert_eq!(failures.and_one(at(3600)).count, 10);
        assert_eq!(failures.and_one(at(3601)).count, 1);
    }
}
