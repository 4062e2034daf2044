//! Who there is at the desk: requesters with their organisations, groups and agents. Their ids and names depend on the
//! seed and on nothing else, so that a larger demo with the same seed has the same people and more of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::actor::{Actor, ActorKind, Permission};
use domain::directory::EntryKind;
use domain::ids::{GroupId, OrganisationId, UserId};
use domain::text::Label;
use uuid::Uuid;

use super::dice::{Dice, Purpose};
use super::figures::{self, LANGUAGES};
use super::text::label;
use super::words::{self, Language};

/// The namespace of everything that a demo makes up. Changing it would make every demo's people and tickets new.
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0x0de0_5eed_7a1e_5c8e_9d01_0000_0000_0001);

/// A requester for so many tickets, an organisation for so many, and an agent for so many.
const TICKETS_OF_A_REQUESTER: u64 = 10;
const TICKETS_OF_AN_ORGANISATION: u64 = 100;
const TICKETS_OF_AN_AGENT: u64 = 20;
/// However small a demo is, there are some of each; however large, no more than a large desk serves.
const REQUESTERS: (u64, u64) = (5, 50_000);
const ORGANISATIONS: (u64, u64) = (2, 5_000);
const AGENTS: (u64, u64) = (10, 200);
const REQUESTERS_OF_AN_ORGANISATION: u64 = TICKETS_OF_AN_ORGANISATION / TICKETS_OF_A_REQUESTER;
/// Agents who may close tickets whose closure nobody proposed: every so many.
const LEADS_EVERY: u64 = 4;

/// Somebody whose wishes tickets are.
#[derive(Debug, Clone)]
pub(super) struct Requester {
    pub(super) actor: Arc<Actor>,
    pub(super) language: Language,
}

/// Everybody.
#[derive(Debug)]
pub(super) struct People {
    requesters: Vec<Requester>,
    agents: Vec<Arc<Actor>>,
    groups: Vec<GroupId>,
    /// Names of all of them.
    names: Vec<(EntryKind, Uuid, Label)>,
}

impl People {
    /// As many people as so many tickets need.
    pub(super) fn of(seed: u64, tickets: u64) -> Self {
        let number = |tickets_of_one: u64, (min, max): (u64, u64)| (tickets / tickets_of_one).clamp(min, max);
        let mut names = Vec::new();
        let groups: Vec<GroupId> = (0_u64..)
            .zip(figures::GROUPS)
            .map(|(index, _)| {
                let id = id(seed, "group", index);
                names.push((EntryKind::Group, id, group_name(index)));
                id.into()
            })
            .collect();
        let organisations: Vec<(OrganisationId, Language)> = (0..number(TICKETS_OF_AN_ORGANISATION, ORGANISATIONS))
            .map(|index| {
                let mut dice = Dice::new(seed, Purpose::Organisation, index);
                let (id, language) = (id(seed, "organisation", index), language(index, &mut dice));
                names.push((EntryKind::Organisation, id, organisation_name(language, &mut dice)));
                (id.into(), language)
            })
            .collect();
        let agents: Vec<_> = (0..number(TICKETS_OF_AN_AGENT, AGENTS))
            .map(|index| agent(seed, index, &groups, &mut names))
            .collect();
        let requesters = (0..number(TICKETS_OF_A_REQUESTER, REQUESTERS))
            .map(|index| requester(seed, index, &organisations, &mut names))
            .collect();
        Self {
            requesters,
            agents,
            groups,
            names,
        }
    }

    /// Who is to go by which name.
    pub(super) fn names(&self) -> &[(EntryKind, Uuid, Label)] {
        &self.names
    }

    /// A few people ask for most.
    pub(super) fn requester(&self, dice: &mut Dice) -> &Requester {
        let index = dice.low(u64::try_from(self.requesters.len()).unwrap_or(0));
        let requester = usize::try_from(index).ok().and_then(|index| self.requesters.get(index));
        requester.expect("there are requesters")
    }

    pub(super) fn agent(&self, dice: &mut Dice) -> Arc<Actor> {
        Arc::clone(dice.word(&self.agents))
    }

    /// An agent who may close tickets whose closure nobody proposed.
    pub(super) fn lead(&self) -> Arc<Actor> {
        let lead = self.agents.iter().find(|agent| agent.may(Permission::CloseAny));
        Arc::clone(lead.expect("the first agent is one"))
    }

    pub(super) fn group(&self, dice: &mut Dice) -> GroupId {
        let group = self.groups.get(dice.weighted(&figures::GROUPS)).copied();
        group.expect("a group for every weight")
    }
}

fn id(seed: u64, kind: &str, index: u64) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{seed}:{kind}:{index}").as_bytes())
}

fn agent(seed: u64, index: u64, groups: &[GroupId], names: &mut Vec<(EntryKind, Uuid, Label)>) -> Arc<Actor> {
    let mut dice = Dice::new(seed, Purpose::Agent, index);
    let (user, language) = (id(seed, "agent", index), language(index, &mut dice));
    let name = person_name(language, &mut dice);
    names.push((EntryKind::User, user, name.clone()));
    let is_lead = index.is_multiple_of(LEADS_EVERY);
    Arc::new(Actor {
        name: Some(name),
        groups: BTreeSet::from([*dice.word(groups)]),
        permissions: is_lead.then_some(Permission::CloseAny).into_iter().collect(),
        ..Actor::plain(UserId::from(user), ActorKind::Staff)
    })
}

fn requester(
    seed: u64,
    index: u64,
    organisations: &[(OrganisationId, Language)],
    names: &mut Vec<(EntryKind, Uuid, Label)>,
) -> Requester {
    let mut dice = Dice::new(seed, Purpose::Requester, index);
    let user = id(seed, "requester", index);
    // The first organisations are large. Only those are chosen from that every demo with this requester has.
    let organisation = dice.low((index / REQUESTERS_OF_AN_ORGANISATION).max(ORGANISATIONS.0));
    let organisation = usize::try_from(organisation)
        .ok()
        .and_then(|place| organisations.get(place));
    let (organisation, language) = *organisation.expect("an organisation for so many requesters");
    let name = person_name(language, &mut dice);
    names.push((EntryKind::User, user, name.clone()));
    let actor = Actor {
        name: Some(name),
        organisation: Some(organisation),
        ..Actor::plain(UserId::from(user), ActorKind::Customer)
    };
    Requester {
        actor: Arc::new(actor),
        language,
    }
}

/// By their shares; the first three have one each, so that the smallest demo has them all if it has three.
fn language(index: u64, dice: &mut Dice) -> Language {
    let drawn = dice.weighted(&LANGUAGES);
    let first = usize::try_from(index).unwrap_or(usize::MAX);
    let language = Language::ALL.get(first).or_else(|| Language::ALL.get(drawn));
    *language.unwrap_or(&Language::English)
}

fn person_name(language: Language, dice: &mut Dice) -> Label {
    let words = language.words();
    let (first, last) = (*dice.pick(words.first_names), *dice.pick(words.last_names));
    label(&format!("{first} {last}"))
}

fn organisation_name(language: Language, dice: &mut Dice) -> Label {
    let [sorts, firsts, seconds, places] = language.words().organisations;
    let (sort, first) = (*dice.pick(sorts), *dice.pick(firsts));
    let (second, place) = (*dice.pick(seconds), *dice.pick(places));
    label(&match language {
        Language::Russian => format!("{sort} «{first}-{second}», {place}"),
        Language::English | Language::Spanish => format!("{first}{second} {sort}, {place}"),
    })
}

/// The same teams once more elsewhere.
fn group_name(index: u64) -> Label {
    let teams = u64::try_from(words::GROUPS.len()).unwrap_or(1);
    let team = usize::try_from(index % teams)
        .ok()
        .and_then(|team| words::GROUPS.get(team));
    let (team, site) = (team.copied().unwrap_or("Support"), index / teams + 1);
    label(&if site == 1 {
        team.to_owned()
    } else {
        format!("{team}, site {site}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_people_as_the_tickets_need() {
        for (tickets, requesters, agents, organisations) in [
            (1, 5, 10, 2),
            (10_000, 1_000, 200, 100),
            (10_000_000, 50_000, 200, 5_000),
        ] {
            let people = People::of(1, tickets);
            assert_eq!((people.requesters.len(), people.agents.len()), (requesters, agents));
            assert_eq!(people.names().len(), requesters + agents + organisations + 50);
        }
    }

    #[test]
    fn a_larger_demo_has_the_same_people_and_more() {
        let (few, many) = (People::of(7, 3_000), People::of(7, 4_000));
        let known: BTreeSet<_> = many.names().iter().map(|(_, id, name)| (*id, name.as_str())).collect();
        for (_, id, name) in few.names() {
            assert!(known.contains(&(*id, name.as_str())), "{}", name.as_str());
        }
        let others = People::of(8, 3_000);
        assert!(
            others
                .names()
                .iter()
                .all(|(_, id, _)| !known.iter().any(|(known, _)| known == id))
        );
    }

    #[test]
    fn the_first_agent_may_close_any_ticket() {
        assert!(People::of(1, 1).lead().may(Permission::CloseAny));
    }
}
