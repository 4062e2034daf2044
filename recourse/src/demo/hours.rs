//! When people come and work: busy and quiet hours of the week.

use domain::Timestamp;
use domain::calendar::Calendar;
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::dice::Dice;
use super::figures::{ARRIVALS_BY_HOUR, UPDATES_BY_DAY};

const HOUR_SECONDS: u64 = 3_600;
/// Somebody who finds no busy hour within some weeks does it now.
const TRIES_MAX: u32 = 500;

/// The hours of a week by how much happens in them, as the wall clock of a place shows them.
#[derive(Debug, Clone)]
pub(super) struct Hours {
    place: TimeZone,
}

impl Hours {
    /// The hours of the desk whose calendar this is.
    pub(super) fn of(calendar: &Calendar) -> Self {
        // The calendar was checked, so that its zone is known.
        let place = TimeZone::get(&calendar.spec().time_zone).unwrap_or(TimeZone::UTC);
        Self { place }
    }

    /// How much happens at that time, in no unit.
    fn weight(&self, at: Timestamp) -> u64 {
        let local = self.place.to_datetime(at);
        let (day, hour) = (local.weekday().to_monday_zero_offset(), local.hour());
        let of = |table: &[u64], place: i8| usize::try_from(place).ok().and_then(|place| table.get(place).copied());
        let (day, hour) = (of(&UPDATES_BY_DAY, day), of(&ARRIVALS_BY_HOUR, hour));
        day.unwrap_or(0).saturating_mul(hour.unwrap_or(0))
    }

    /// A time between two others: likelier in a busy hour than in a quiet one.
    pub(super) fn arrival(&self, from: Timestamp, until: Timestamp, dice: &mut Dice) -> Timestamp {
        let span = u64::try_from(until.duration_since(from).as_millis()).unwrap_or(0);
        let mut at = until;
        for _ in 0..TRIES_MAX {
            at = later(from, dice.below(span));
            if dice.below(busiest()) < self.weight(at) {
                break;
            }
        }
        at
    }

    /// The first time from `at` on when somebody is there to do it. An hour half as busy as the busiest will do.
    pub(super) fn attended(&self, mut at: Timestamp, dice: &mut Dice) -> Timestamp {
        for _ in 0..TRIES_MAX {
            if dice.below(busiest() / 2) < self.weight(at) {
                break;
            }
            at = later(at, (HOUR_SECONDS / 2 + dice.below(HOUR_SECONDS)) * 1_000);
        }
        at
    }
}

fn busiest() -> u64 {
    let most = |table: &[u64]| table.iter().max().copied().unwrap_or(1);
    most(&UPDATES_BY_DAY) * most(&ARRIVALS_BY_HOUR)
}

/// So many milliseconds later; the end of time does not come that soon.
pub(super) fn later(at: Timestamp, milliseconds: u64) -> Timestamp {
    let by = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
    at.checked_add(by).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use domain::policy::WaitPolicy;
    use jiff::civil::Weekday;

    use super::super::dice::Purpose;
    use super::*;

    #[test]
    fn people_come_on_working_days_between_nine_and_six() {
        let hours = Hours::of(&WaitPolicy::supportal().calendar);
        let (from, until) = (
            Timestamp::constant(1_700_000_000, 0),
            Timestamp::constant(1_730_000_000, 0),
        );
        let mut dice = Dice::new(1, Purpose::Arrival, 0);
        let (mut weekend, mut night) = (0, 0);
        for _ in 0..2_000 {
            let at = hours.arrival(from, until, &mut dice);
            assert!(from <= at && at < until, "{at}");
            let local = hours.place.to_datetime(at);
            if matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday) {
                weekend += 1;
            }
            if !(8..18).contains(&local.hour()) {
                night += 1;
            }
        }
        // By the tables 5.6 and 14.3 in a hundred.
        assert!((60..180).contains(&weekend), "{weekend}");
        assert!((200..380).contains(&night), "{night}");
    }

    #[test]
    fn nobody_works_before_what_they_work_on() {
        let hours = Hours::of(&WaitPolicy::supportal().calendar);
        let mut dice = Dice::new(2, Purpose::Arrival, 0);
        // A Saturday, 23:00 in Moscow.
        let evening: Timestamp = "2026-03-07T20:00:00Z".parse().unwrap();
        for _ in 0..100 {
            let at = hours.attended(evening, &mut dice);
            assert!(at >= evening && at < later(evening, 3 * 24 * 3_600_000), "{at}");
        }
    }
}
