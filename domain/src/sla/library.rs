//! Every version of every policy and calendar, from which the policies in force are taken.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;

use super::book::{Book, Scope};
use super::policy::{Pin, SlaCalendar, SlaPolicy};
use super::stored::{Revised, Version};
use crate::calendar::{Calendar, stored};
use crate::contract::{Agreed, Agreements};
use crate::ids::{CalendarId, PolicyId};

/// Takes in what was written about policies and calendars, in any order of one to the other.
#[derive(Debug, Clone, Default)]
pub struct Library {
    policies: BTreeMap<PolicyId, Vec<Version>>,
    calendars: BTreeMap<CalendarId, Vec<Hours>>,
    /// Each version of each policy with each version of its calendar with which it makes one:
    /// whatever a clock can be pinned to.
    bound: BTreeMap<Pin, SlaPolicy>,
    agreements: Agreements,
}

/// One version of a calendar.
#[derive(Debug, Clone)]
struct Hours {
    /// `None`: no rule of today accepts it.
    calendar: Option<Calendar>,
    /// `None`: it is for all times.
    from: Option<Timestamp>,
}

/// The policies in force at an instant, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// They, and everything that was in force before.
    pub book: Book,
    /// When another version of some calendar comes into force, though nobody writes anything.
    pub until: Option<Timestamp>,
    /// Policies that no version of their calendar has enough hours for, so that they do not apply.
    pub unusable: BTreeSet<PolicyId>,
}

impl Library {
    /// The next version of a calendar.
    pub fn add_calendar(&mut self, id: CalendarId, version: &stored::Version) {
        let (calendar, from) = version
            .hours()
            .map_or((None, None), |(calendar, from)| (Some(calendar), from));
        let versions = self.calendars.entry(id).or_default();
        versions.push(Hours {
            calendar: calendar.clone(),
            from,
        });
        let Some(calendar) = calendar else { return };
        let hours = SlaCalendar::stored(id, number(versions.len()), calendar);
        for (policy, versions) in &self.policies {
            for (number, version) in (1..).zip(versions) {
                if version.calendar == Some(id) {
                    bind(&mut self.bound, *policy, number, version, hours.clone());
                }
            }
        }
    }

    /// The next version of a policy.
    pub fn add_policy(&mut self, revised: &Revised) {
        let Revised {
            policy,
            number,
            version,
            change: _,
        } = revised;
        for hours in self.hours_of(version) {
            bind(&mut self.bound, *policy, *number, version, hours);
        }
        self.policies.entry(*policy).or_default().push(version.clone());
    }

    /// The next version of what was agreed with the organisation or user of this id.
    pub fn add_agreed(&mut self, party: Uuid, agreed: &Agreed) {
        self.agreements.add(party, agreed);
    }

    /// The version of a calendar that is in force at `now`: the last one written that is for now.
    /// Where none is yet, the last one written.
    pub fn hours(&self, calendar: Option<CalendarId>, now: Timestamp) -> Option<SlaCalendar> {
        let Some(id) = calendar else {
            return Some(SlaCalendar::round_the_clock());
        };
        self.newest_first(id, now).into_iter().next()
    }

    /// The policies in force at `now`. The policy `usual` applies where no other is for all
    /// tickets.
    ///
    /// # Panics
    ///
    /// Never: what a book refuses cannot come together here.
    pub fn in_force(&self, usual: &SlaPolicy, now: Timestamp) -> InForce {
        let mut unusable = BTreeSet::new();
        let mut in_force: BTreeMap<Scope, SlaPolicy> = BTreeMap::new();
        for (id, versions) in &self.policies {
            let Some(last) = versions.last().filter(|version| version.in_force) else {
                continue;
            };
            match self.usable(*id, number(versions.len()), last, now) {
                Some(policy) => {
                    // Nobody can write two policies for the same tickets.
                    in_force.entry(last.scope.clone()).or_insert(policy);
                }
                None => {
                    unusable.insert(*id);
                }
            }
        }
        if !in_force.values().any(|policy| policy.spec().id == usual.spec().id) {
            in_force
                .entry(usual.spec().scope.clone())
                .or_insert_with(|| usual.clone());
        }
        let earlier = self.bound.values().cloned().chain([usual.clone()]);
        let book = Book::try_new(in_force.into_values().collect())
            .expect("there is one policy of each scope and id, since they are keys")
            .with_earlier(earlier)
            .with_agreements(self.agreements.clone());
        let changes = self.calendars.values().flatten().filter_map(|hours| hours.from);
        InForce {
            book,
            until: changes.filter(|from| *from > now).min(),
            unusable,
        }
    }

    /// A policy with the newest version of its calendar that has enough hours for it.
    fn usable(&self, id: PolicyId, number: u32, version: &Version, now: Timestamp) -> Option<SlaPolicy> {
        let hours = match version.calendar {
            None => vec![SlaCalendar::round_the_clock()],
            Some(calendar) => self.newest_first(calendar, now),
        };
        let mut policies = hours
            .into_iter()
            .filter_map(|hours| version.with_hours(id, number, hours).ok());
        policies.next()
    }

    /// The versions of a calendar, the one in force first, then those before it, then those that
    /// are not in force yet.
    fn newest_first(&self, id: CalendarId, now: Timestamp) -> Vec<SlaCalendar> {
        let (current, future): (Vec<_>, Vec<_>) = (1..)
            .zip(self.calendars.get(&id).into_iter().flatten())
            .filter_map(|(number, hours)| {
                let calendar = SlaCalendar::stored(id, number, hours.calendar.clone()?);
                Some((hours.from, calendar))
            })
            .partition(|(from, _)| from.is_none_or(|from| from <= now));
        let newest_first = current.into_iter().rev().chain(future.into_iter().rev());
        newest_first.map(|(_, calendar)| calendar).collect()
    }

    /// Every version of the calendar of a policy.
    fn hours_of(&self, version: &Version) -> Vec<SlaCalendar> {
        match version.calendar {
            None => vec![SlaCalendar::round_the_clock()],
            Some(calendar) => self.newest_first(calendar, Timestamp::MAX),
        }
    }
}

fn bind(bound: &mut BTreeMap<Pin, SlaPolicy>, id: PolicyId, number: u32, version: &Version, hours: SlaCalendar) {
    if let Ok(policy) = version.with_hours(id, number, hours) {
        bound.insert(policy.pin().clone(), policy);
    }
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::book::Matter;
    use super::super::policy::{Edition, Target, TargetKind};
    use super::super::stored::Change;
    use super::*;
    use crate::calendar::{CalendarSpec, Interval, Week};
    use crate::policy::WaitLength;
    use crate::text::{Code, Label};

    const OFFICE: CalendarId = CalendarId::from_bytes([1; 16]);
    const GOLD: PolicyId = PolicyId::from_bytes([2; 16]);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn hours(end: u32, from: Option<&str>) -> stored::Version {
        let week = Week::daily(&[Interval::hours(9, end)]);
        stored::Version {
            spec: CalendarSpec::weekly("Office", "UTC", week),
            effective_from: from.map(|date| date.parse().unwrap()),
        }
    }

    fn revised(number: u32, within: i64) -> Revised {
        let within = WaitLength::Working(SignedDuration::from_hours(within));
        Revised {
            change: Change::Changed,
            policy: GOLD,
            number,
            version: Version {
                calendar: Some(OFFICE),
                targets: [(TargetKind::Resolution, Target::new(within))].into(),
                ..Version::new(Label::parse("Gold").unwrap())
            },
        }
    }

    /// The editions of policy and calendar that a new ticket gets.
    fn applied(library: &Library, now: &str) -> (String, String) {
        let InForce { book, .. } = library.in_force(&SlaPolicy::cabinet(), at(now));
        let (kind, priority) = (Code::new("outage"), Code::new("high"));
        let matter = Matter {
            organisation: None,
            service: None,
            ticket_type: &kind,
            priority: &priority,
        };
        let pin = book.in_force(&matter).unwrap().pin();
        let short = |edition: &Edition| {
            let id = edition.id.as_str();
            format!("{}/{}", id.get(..8).unwrap_or(id), edition.version)
        };
        (short(&pin.policy), short(&pin.calendar))
    }

    fn is(applied: &(String, String), policy: &str, calendar: &str) {
        assert_eq!((applied.0.as_str(), applied.1.as_str()), (policy, calendar));
    }

    const NOW: &str = "2026-06-15T12:00:00Z";

    #[test]
    fn without_any_policy_the_usual_one_applies_and_one_for_all_tickets_takes_its_place() {
        let mut library = Library::default();
        is(&applied(&library, NOW), "cabinet/1", "round_th/1");
        library.add_calendar(OFFICE, &hours(17, None));
        library.add_policy(&revised(1, 8));
        is(&applied(&library, NOW), "02020202/1", "01010101/1");
        let InForce { book, .. } = library.in_force(&SlaPolicy::cabinet(), at(NOW));
        assert!(book.pinned(SlaPolicy::cabinet().pin()).is_ok());
    }

    #[test]
    fn a_calendars_version_comes_into_force_on_its_date() {
        let mut library = Library::default();
        library.add_calendar(OFFICE, &hours(17, None));
        library.add_policy(&revised(1, 8));
        library.add_calendar(OFFICE, &hours(16, Some("2026-07-01")));
        is(&applied(&library, NOW), "02020202/1", "01010101/1");
        let until = library.in_force(&SlaPolicy::cabinet(), at(NOW)).until;
        assert_eq!(until, Some(at("2026-07-01T00:00:00Z")));
        is(&applied(&library, "2026-07-01T00:00:00Z"), "02020202/1", "01010101/2");
        assert_eq!(
            library
                .in_force(&SlaPolicy::cabinet(), at("2026-07-01T00:00:00Z"))
                .until,
            None
        );
    }

    #[test]
    fn whatever_was_in_force_once_is_found_by_its_pin() {
        let mut library = Library::default();
        let mut pins = BTreeSet::new();
        let in_force = |library: &Library| library.in_force(&SlaPolicy::cabinet(), at(NOW)).book;
        let (kind, priority) = (Code::new("outage"), Code::new("high"));
        let matter = Matter {
            organisation: None,
            service: None,
            ticket_type: &kind,
            priority: &priority,
        };
        for step in 1..=4 {
            library.add_calendar(OFFICE, &hours(12 + step, None));
            pins.insert(in_force(&library).in_force(&matter).unwrap().pin().clone());
            library.add_policy(&revised(step, i64::from(step)));
            pins.insert(in_force(&library).in_force(&matter).unwrap().pin().clone());
        }
        assert_eq!(pins.len(), 8);
        let book = in_force(&library);
        assert!(pins.iter().all(|pin| book.pinned(pin).is_ok()));
    }

    #[test]
    fn a_calendar_that_became_too_short_keeps_its_last_version_that_is_not() {
        let mut library = Library::default();
        library.add_calendar(OFFICE, &hours(17, None));
        library.add_policy(&revised(1, 9_000));
        let week = Week::default().with(jiff::civil::Weekday::Sunday, vec![Interval::hours(2, 3)]);
        let sundays = stored::Version {
            spec: CalendarSpec::weekly("Sundays", "UTC", week),
            effective_from: None,
        };
        library.add_calendar(OFFICE, &sundays);
        is(&applied(&library, NOW), "02020202/1", "01010101/1");
    }

    #[test]
    fn a_policy_that_nothing_is_enough_for_does_not_apply_and_is_told() {
        let mut library = Library::default();
        library.add_policy(&revised(1, 8));
        is(&applied(&library, NOW), "cabinet/1", "round_th/1");
        let unusable = library.in_force(&SlaPolicy::cabinet(), at(NOW)).unusable;
        assert_eq!(unusable, [GOLD].into());
    }

    #[test]
    fn out_of_force_it_leaves_its_tickets_to_the_usual_one() {
        let mut library = Library::default();
        library.add_calendar(OFFICE, &hours(17, None));
        library.add_policy(&revised(1, 8));
        let mut retired = revised(2, 8);
        retired.version.in_force = false;
        library.add_policy(&retired);
        is(&applied(&library, NOW), "cabinet/1", "round_th/1");
    }
}
