//! Passwords: hashed by argon2id, a few at a time, because each takes memory and time on purpose.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use domain::sign_in::{Login, NewPassword};
use service_kit::Problem;
use service_kit::problem::{FieldError, types};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, TryAcquireError};
use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::zxcvbn;

/// Each takes 19 MiB and some 20 ms of a core: whoever sends many must not keep commands waiting.
const AT_ONCE: usize = 2;
/// How many may wait for those: two seconds' worth.
const IN_HAND_MAX: usize = 128;

/// The hash of a password that nobody has: a login that does not exist takes as long as one that does. Made by the
/// same function, with the same parameters; a test holds the two together.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IQ$OumP4FpODWUKMFzvTCUUDbGkQ0Qmz7+sTI5xtPh8Yqw";

/// So many logins can be tried at the same time, more or less: those that share a place wait for each other.
const PLACES: usize = 256;

/// What guessers know by heart is shorter than this: a longer password is not looked at, because that would take the longer.
const KNOWN_CHARACTERS_MAX: usize = 40;

/// Takes a password that somebody chose for a login, from the field that it stands in.
pub(crate) fn chosen(text: &str, login: &Login, pointer: &'static str) -> Result<NewPassword, Problem> {
    NewPassword::parse(text, login, is_common).map_err(|error| {
        let error = FieldError::new(pointer, "invalid", error.to_string());
        Problem::new(&types::INVALID_FIELDS).field(error)
    })
}

/// Whether the best that a guesser can make of it is one thing that guessers have lists of: OWASP ASVS 5 (6.2.4) asks for the
/// 3000 most common passwords at least, and zxcvbn has 30,000, words and names.
fn is_common(password: &str) -> bool {
    let password = password.trim();
    if password.chars().count() > KNOWN_CHARACTERS_MAX {
        return false;
    }
    let typed: String = password.chars().map(on_latin_keys).collect();
    is_known(password) || (typed != password && is_known(&typed))
}

/// The keys of a Russian keyboard, and those of an English one in the same places.
const KEYS: (&str, &str) = ("йцукенгшщзхъфывапролджэячсмитьбю", "qwertyuiop[]asdfghjkl;'zxcvbnm,.");

/// What the key of this character types on an English keyboard.
fn on_latin_keys(character: char) -> char {
    let lower = character.to_lowercase().next().unwrap_or(character);
    let mut keys = KEYS.0.chars().zip(KEYS.1.chars());
    keys.find(|(russian, _)| *russian == lower)
        .map_or(character, |(_, latin)| latin)
}

fn is_known(password: &str) -> bool {
    match zxcvbn(password, &[]).sequence() {
        [whole] => match &whole.pattern {
            MatchPattern::Dictionary(_)
            | MatchPattern::Spatial(_)
            | MatchPattern::Sequence(_)
            | MatchPattern::Date(_) => true,
            MatchPattern::Repeat(repeat) => is_common(&repeat.base_token),
            MatchPattern::Regex(_) | MatchPattern::BruteForce => false,
        },
        _ => false,
    }
}

/// Hashes, and compares with hashes. Clones share their limits.
#[derive(Debug, Clone)]
pub(crate) struct Passwords {
    in_hand: Arc<Semaphore>,
    at_once: Arc<Semaphore>,
    places: Arc<[Arc<Mutex<()>>]>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            in_hand: Arc::new(Semaphore::new(IN_HAND_MAX)),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            places: (0..PLACES).map(|_| Arc::default()).collect(),
        }
    }
}

/// Somebody's turn to try a login. Until it is over nobody else here tries it, so that those who are right at the same time
/// are not taken for guessing.
#[derive(Debug)]
pub(crate) struct Turn {
    _in_hand: OwnedSemaphorePermit,
    _place: OwnedMutexGuard<()>,
}

impl Passwords {
    /// Waits for the turn to try a login. Who is turned away has tried nothing.
    pub(crate) async fn turn(&self, login: &Login) -> Result<Turn, Problem> {
        let in_hand = self.enter()?;
        let mut hasher = DefaultHasher::new();
        login.hash(&mut hasher);
        let place = usize::try_from(hasher.finish()).unwrap_or_default() % PLACES;
        let place = self.places.get(place).ok_or_else(Problem::internal)?;
        Ok(Turn {
            _in_hand: in_hand,
            _place: Arc::clone(place).lock_owned().await,
        })
    }

    /// What is kept of a password: a PHC string, with a salt of its own.
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<String, Problem> {
        let _in_hand = self.enter()?;
        let hashed = self.work(move || {
            Argon2::default()
                .hash_password(password.as_str().as_bytes())
                .map(|it| it.to_string())
        });
        hashed.await?.map_err(|error| {
            tracing::error!("a password cannot be hashed: {error}");
            Problem::internal()
        })
    }

    /// Whether a password is the one that a hash was made of. Without a hash it is not, which takes as long to find out.
    pub(crate) async fn is_right(&self, _: &Turn, password: String, hash: Option<String>) -> Result<bool, Problem> {
        let kept = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODYS.to_owned());
        let matches = self.work(move || {
            let hash = PasswordHash::new(&hash).inspect_err(|error| tracing::error!("a kept hash is damaged: {error}"));
            hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
        });
        Ok(matches.await? && kept)
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.in_hand)
            .try_acquire_owned()
            .map_err(|error| match error {
                TryAcquireError::NoPermits => Problem::new(&types::TOO_MANY_REQUESTS)
                    .detail("Too many are signing in at present. Try again in a moment.")
                    .retry_after(1),
                TryAcquireError::Closed => Problem::internal(),
            })
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let turn = Arc::clone(&self.at_once).acquire_owned().await;
        let turn = turn.map_err(|_| Problem::internal())?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            // Whoever called may be gone; the work is not.
            drop(turn);
            done
        });
        done.await.map_err(|_| Problem::internal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_right_for_its_own_hash_alone() {
        let passwords = Passwords::default();
        let login = Login::parse("ada").unwrap();
        let chosen = || chosen("correct horse", &login, "/password").unwrap();
        let hash = passwords.hash(chosen()).await.unwrap();
        let again = passwords.hash(chosen()).await.unwrap();
        assert_ne!(hash, again, "each has a salt of its own");
        let turn = passwords.turn(&login).await.unwrap();
        let is_right = async |text: &str, hash: Option<&String>| {
            passwords.is_right(&turn, text.to_owned(), hash.cloned()).await.unwrap()
        };
        assert!(is_right("correct horse", Some(&hash)).await);
        assert!(is_right("correct horse", Some(&again)).await);
        assert!(!is_right("correct horse ", Some(&hash)).await);
        assert!(!is_right("", None).await);
        assert!(!is_right("correct horse", Some(&"damaged".to_owned())).await);
    }

    #[test]
    fn what_guessers_have_lists_of_is_common() {
        for common in [
            "password",
            "12345678",
            "password1",
            "P@ssw0rd",
            "drowssap",
            "qwertyuiop",
            "abcdefgh",
            "football",
            "19.08.1987",
            "Elizabeth",
            "letmeinletmein",
            " password ",
            "йцукенгш",
        ] {
            assert!(is_common(common), "{common}");
        }
        for rare in [
            "correct horse",
            "for the first time",
            "kX3-vve0-2q",
            "Пароль №1 длинный",
            &"known".repeat(20),
        ] {
            assert!(!is_common(rare), "{rare}");
        }
    }

    #[test]
    fn nobodys_hash_costs_what_all_others_cost() {
        let made = Argon2::default().hash_password(b"correct horse").unwrap().to_string();
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cost(NOBODYS), cost(&made));
        let nobodys = PasswordHash::new(NOBODYS).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &nobodys).is_err());
    }
}
