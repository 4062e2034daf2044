//! A whole partition at once: every ticket is kept in memory, and every row is written once.

use domain::ticket::Event;

use super::fold::{Additions, Changes, Fold};
use super::rows::{
    ClockRow, CounterRow, DayRow, DescriptionRow, MeasureCountRow, MeasureRow, RatingsRow, TicketRow, TimelineRow,
    TimerRow, VersionRow,
};
use super::store::Tickets;
use crate::lines::Lines;
use crate::projections::{Bulk, BulkFold, Poison, Positioned};

/// The fold of a partition from its first record on.
#[derive(Debug)]
pub(crate) struct TicketsFold<'c> {
    fold: Fold<'c>,
    lines: Lines,
}

impl Bulk for Tickets {
    type Fold<'p> = TicketsFold<'p>;

    fn bulk(&self, partition: u16) -> TicketsFold<'_> {
        let lines = Lines::default()
            .with::<TicketRow>()
            .with::<VersionRow>()
            .with::<DescriptionRow>()
            .with::<TimelineRow>()
            .with::<MeasureRow>()
            .with::<TimerRow>()
            .with::<ClockRow>()
            .with::<CounterRow>()
            .with::<DayRow>()
            .with::<RatingsRow>()
            .with::<MeasureCountRow>();
        TicketsFold {
            fold: Fold::from_nothing(partition, &self.calendar),
            lines,
        }
    }
}

impl BulkFold<Event> for TicketsFold<'_> {
    fn apply(&mut self, records: &[Positioned<Event>]) -> Result<(), Poison> {
        records.iter().try_for_each(|record| self.fold.apply(record))?;
        let Additions {
            timeline,
            versions,
            descriptions,
            measures,
        } = self.fold.take_additions();
        self.lines.push(&timeline);
        self.lines.push(&versions);
        self.lines.push(&descriptions);
        self.lines.push(&measures);
        Ok(())
    }

    fn lines(&mut self) -> &mut Lines {
        &mut self.lines
    }

    fn finish(mut self) -> Lines {
        let Changes {
            tickets,
            heads: _,
            timers,
            timers_ended: _,
            clocks,
            counters,
            days,
            ratings,
            measure_counts,
        } = self.fold.take_changes();
        self.lines.push(&tickets);
        self.lines.push(&timers);
        self.lines.push(&clocks);
        self.lines.push(&counters);
        self.lines.push(&days);
        self.lines.push(&ratings);
        self.lines.push(&measure_counts);
        self.lines
    }
}
