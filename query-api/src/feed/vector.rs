//! Where a reader of the feed stands.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::positions::Reached;

/// The last event of each partition that a reader has passed. A partition that is missing was not
/// begun.
///
/// Its text form is that of `Read-Position`, `0:12,1:7`: all events of these records. Between two
/// events of one record the place of the first is named too: `0:12:0,1:7`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Vector(BTreeMap<u16, Mark>);

/// An event of a partition, or the end of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) sequence: i64,
    /// `None`: after all of the record's events.
    pub(crate) place: Option<i32>,
}

impl Mark {
    /// Before the first event.
    pub(crate) const BEGINNING: Self = Self::whole(0);

    /// After all events of a record.
    pub(crate) const fn whole(sequence: i64) -> Self {
        Self { sequence, place: None }
    }
}

impl Vector {
    /// Every partition that was begun.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (u16, Mark)> {
        self.0.iter().map(|(partition, mark)| (*partition, *mark))
    }

    /// Passes an event.
    pub(crate) fn pass(&mut self, partition: u16, mark: Mark) {
        self.0.insert(partition, mark);
    }

    /// Passes all that a partition has up to a sequence. Whoever is beyond it stays there: positions
    /// never go back.
    pub(crate) fn pass_all(&mut self, partition: u16, sequence: i64) {
        let mark = self.0.entry(partition).or_insert(Mark::BEGINNING);
        if mark.sequence <= sequence {
            *mark = Mark::whole(sequence);
        }
    }

    /// Where it stands in a partition.
    pub(crate) fn mark(&self, partition: u16) -> Mark {
        self.0.get(&partition).copied().unwrap_or(Mark::BEGINNING)
    }

    /// Whether the read model holds something that lies further on.
    pub(crate) fn is_before(&self, reached: &Reached) -> bool {
        reached
            .sequences()
            .any(|(partition, sequence)| self.mark(partition).sequence < sequence)
    }

    /// A partition that the log does not have.
    pub(crate) fn stranger_to(&self, reached: &Reached) -> Option<u16> {
        self.0.keys().copied().find(|partition| !reached.knows(*partition))
    }
}

impl fmt::Display for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (partition, Mark { sequence, place })) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(f, "{separator}{partition}:{sequence}")?;
            if let Some(place) = place {
                write!(f, ":{place}")?;
            }
        }
        Ok(())
    }
}

/// The text is no list of positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be positions such as 0:12,1:7, as Read-Position and earlier answers give them, each partition once")]
pub(crate) struct VectorError;

impl FromStr for Vector {
    type Err = VectorError;

    fn from_str(text: &str) -> Result<Self, VectorError> {
        let mut vector = Self::default();
        if text.trim().is_empty() {
            return Ok(vector);
        }
        for position in text.split(',') {
            let (partition, mark) = position.trim().split_once(':').ok_or(VectorError)?;
            let (sequence, place) = match mark.split_once(':') {
                Some((sequence, place)) => (sequence, Some(number(place)?)),
                None => (mark, None),
            };
            let mark = Mark {
                sequence: number(sequence)?,
                place,
            };
            if vector.0.insert(number(partition)?, mark).is_some() {
                return Err(VectorError);
            }
        }
        Ok(vector)
    }
}

/// Digits alone: `parse` would take a sign too.
fn number<N: FromStr>(text: &str) -> Result<N, VectorError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).ok_or(VectorError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_written() {
        for text in ["", "0:0", "0:12,1:7", "0:12:0,3:9223372036854775807"] {
            assert_eq!(text.parse::<Vector>().unwrap().to_string(), text);
        }
        assert_eq!(" 1:7 , 0:12 ".parse::<Vector>().unwrap().to_string(), "0:12,1:7");
    }

    #[test]
    fn what_is_no_position_is_refused() {
        for text in [
            "7",
            ",",
            "0:1,",
            "0:-1",
            "0:+1",
            "0:1:",
            "0:1:2:3",
            "0:1,0:2",
            "65536:1",
            "0:9223372036854775808",
            "0:1:2147483648",
            "beginning",
        ] {
            assert_eq!(text.parse::<Vector>(), Err(VectorError), "{text}");
        }
    }

    #[test]
    fn positions_never_go_back() {
        let mut vector: Vector = "0:12:0,1:7".parse().unwrap();
        vector.pass_all(1, 6);
        vector.pass_all(0, 12);
        vector.pass_all(2, 0);
        assert_eq!(vector.to_string(), "0:12,1:7,2:0");
    }
}
