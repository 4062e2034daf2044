//! The questions to working time, each asked of anything that can be walked: one calendar, or
//! one after another.

use std::convert::Infallible;
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};

use super::error::DueError;
use super::walk::{HORIZON, Segment, SegmentKind};

/// Stretches of time in order.
pub(super) trait Walk {
    /// Shows `visit` every stretch from `from` to `until` in order and without a gap, in
    /// microseconds since 1970, until it has seen enough.
    fn walk<B>(
        &self,
        from: i64,
        until: i64,
        visit: impl FnMut(i64, i64, SegmentKind) -> ControlFlow<B>,
    ) -> ControlFlow<B>;
}

/// See [`super::Calendar::due`].
pub(super) fn due(hours: &impl Walk, from: Timestamp, working: SignedDuration) -> Result<Timestamp, DueError> {
    if working.is_negative() {
        return Err(DueError::Negative);
    }
    let Ok(mut left) = i64::try_from(working.as_micros()) else {
        return Err(DueError::BeyondHorizon);
    };
    let from = from.as_microsecond();
    let until = from
        .saturating_add(micros(HORIZON))
        .min(Timestamp::MAX.as_microsecond());
    let found = hours.walk(from, until, |start, end, kind| {
        if kind != SegmentKind::Working {
            return ControlFlow::Continue(());
        }
        let length = end.saturating_sub(start);
        if left <= length {
            return ControlFlow::Break(start.saturating_add(left));
        }
        left = left.saturating_sub(length);
        ControlFlow::Continue(())
    });
    match found {
        ControlFlow::Break(due) => Ok(instant(due)),
        ControlFlow::Continue(()) => Err(DueError::BeyondHorizon),
    }
}

/// See [`super::Calendar::elapsed`].
pub(super) fn elapsed(hours: &impl Walk, from: Timestamp, to: Timestamp) -> SignedDuration {
    let mut sum: i64 = 0;
    let ControlFlow::Continue(()) = hours.walk(
        from.as_microsecond(),
        to.as_microsecond(),
        |start, end, kind| -> ControlFlow<Infallible> {
            if kind == SegmentKind::Working {
                sum = sum.saturating_add(end.saturating_sub(start));
            }
            ControlFlow::Continue(())
        },
    );
    SignedDuration::from_micros(sum)
}

/// See [`super::Calendar::segments`]. `None`: there are more than `most`.
pub(super) fn segments(hours: &impl Walk, from: Timestamp, to: Timestamp, most: usize) -> Option<Vec<Segment>> {
    let mut segments: Vec<Segment> = Vec::new();
    let walked = hours.walk(from.as_microsecond(), to.as_microsecond(), |start, end, kind| {
        let full = segments.len() >= most;
        match segments.last_mut() {
            Some(last) if last.kind == kind => last.to = instant(end),
            Some(_) | None if full => return ControlFlow::Break(()),
            Some(_) | None => segments.push(Segment {
                from: instant(start),
                to: instant(end),
                kind,
            }),
        }
        ControlFlow::Continue(())
    });
    walked.is_continue().then_some(segments)
}

fn micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// The instant so many microseconds after 1970; beyond the last there is, the last.
pub(super) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}
