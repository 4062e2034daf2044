//! Whose an e-mail address is: one user's at a time, however it is written.

use crate::ids::{Revision, UserId};
use crate::text::Label;

/// An address as addresses are compared: small and capital letters are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

impl Address {
    /// The address that a profile has.
    pub fn new(written: &Label) -> Self {
        Self(written.as_str().trim().to_lowercase())
    }

    /// Its bytes, from which ids are made.
    pub const fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A wish about an address. It comes with a user's profile, and into the log together with it or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// The user wants it.
    Hold(UserId),
    /// The user has another one, or none.
    Release(UserId),
}

/// A fact about an address: whose it is from now on. `None`: nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// By whom.
    pub by: Option<UserId>,
}

/// The address is another user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address is another user's")]
pub struct Taken {
    /// Whose.
    pub by: UserId,
}

/// An address, as its facts make it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holding {
    by: Option<UserId>,
    facts: Revision,
}

impl Holding {
    /// Takes in a recorded fact.
    #[must_use]
    pub fn evolve(self, fact: Held) -> Self {
        Self {
            by: fact.by,
            facts: self.facts.next(),
        }
    }

    /// Whose it is.
    pub const fn by(self) -> Option<UserId> {
        self.by
    }

    /// How many facts there are.
    pub const fn revision(self) -> Revision {
        self.facts
    }
}

/// Returns the fact that is wanted; none if it holds already.
pub fn decide(holding: Holding, command: Command) -> Result<Option<Held>, Taken> {
    match (command, holding.by) {
        (Command::Hold(user), Some(by)) if by != user => Err(Taken { by }),
        (Command::Hold(user), None) => Ok(Some(Held { by: Some(user) })),
        (Command::Release(user), Some(by)) if by == user => Ok(Some(Held { by: None })),
        (Command::Hold(_), Some(_)) | (Command::Release(_), _) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);

    #[test]
    fn an_address_is_one_users_until_they_let_go_of_it() {
        let hold = |holding, user| decide(holding, Command::Hold(user));
        let release = |holding, user| decide(holding, Command::Release(user));
        let fact = hold(Holding::default(), ADA).unwrap().unwrap();
        let adas = Holding::default().evolve(fact);
        assert_eq!(hold(adas, ADA), Ok(None));
        assert_eq!(hold(adas, BOB), Err(Taken { by: ADA }));
        assert_eq!(release(adas, BOB), Ok(None));
        let nobodys = adas.evolve(release(adas, ADA).unwrap().unwrap());
        assert_eq!(release(nobodys, ADA), Ok(None));
        assert_eq!(hold(nobodys, BOB), Ok(Some(Held { by: Some(BOB) })));
        assert_eq!(nobodys.revision(), Revision(2));
    }

    #[test]
    fn capital_letters_make_no_other_address() {
        let address = |text| Address::new(&Label::parse(text).unwrap());
        assert_eq!(address("Ada@Example.org"), address(" ada@example.ORG"));
        assert_ne!(address("ada@example.org"), address("ada@example.com"));
    }
}
