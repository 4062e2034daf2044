//! Identifiers of people and groups, made from the names that the source has for them.

use domain::actor::ActorKind;
use uuid::Uuid;

use super::line::{Named, Person};

/// The namespace of everything that comes from ServiceNow. It must never change: a second
/// import would no longer recognise the people of the first.
const SERVICENOW: Uuid = Uuid::from_u128(0x5c7e_9d1b_40f2_4a68_9b3d_2e86_a1c5_f704);

fn identifier(kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&SERVICENOW, format!("{kind}:{name}").as_bytes())
}

/// A member of staff who acts.
pub(crate) fn staff(name: &str) -> Person {
    Person {
        id: identifier("user", name),
        name: name.to_owned(),
        kind: ActorKind::Staff.as_str(),
    }
}

/// A caller who acts.
pub(crate) fn customer(name: &str) -> Person {
    Person {
        id: identifier("user", name),
        name: name.to_owned(),
        kind: ActorKind::Customer.as_str(),
    }
}

/// Somebody to whom a ticket is given.
pub(crate) fn user(name: &str) -> Named {
    Named {
        id: identifier("user", name),
        name: name.to_owned(),
    }
}

/// A group to which a ticket is given.
pub(crate) fn group(name: &str) -> Named {
    Named {
        id: identifier("group", name),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_person_in_every_role_and_on_every_day() {
        assert_eq!(staff("Resolver 1").id, user("Resolver 1").id);
        assert_eq!(
            staff("Resolver 1").id.to_string(),
            "b9cf2116-f8a8-5da5-bbd4-6f6f915f02a2"
        );
    }

    #[test]
    fn a_group_is_not_the_user_of_the_same_name() {
        assert_ne!(user("Support").id, group("Support").id);
    }
}
