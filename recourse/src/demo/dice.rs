//! Chance that is the same on every machine and in every release: whole numbers alone, and a generator that is
//! written down here.

/// A generator of random numbers (`SplitMix64`), one for each thing that is made up, so that what is drawn for one
/// changes nothing for another.
#[derive(Debug, Clone)]
pub(crate) struct Dice {
    state: u64,
}

/// The golden ratio as a fraction of 2⁶⁴, by which the state steps.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// The dice for one of many things, such as ticket 17 of seed 1.
    pub(crate) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut dice = Self { state: seed };
        for part in [purpose as u64, index] {
            dice.state = dice.next() ^ part.wrapping_mul(STEP);
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(end);
        u64::try_from(product >> 64).unwrap_or(0)
    }

    /// The same, the smaller the likelier: of a thousand callers a few call all the time.
    pub(crate) fn low(&mut self, end: u64) -> u64 {
        let end = self.below(end).saturating_add(1);
        self.below(end)
    }

    /// Whether something happens that happens so many times in a thousand.
    pub(crate) fn chance(&mut self, per_thousand: u64) -> bool {
        self.below(1000) < per_thousand
    }

    /// One of a list.
    ///
    /// # Panics
    /// If the list is empty; the lists are constants.
    pub(crate) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        let index = self.below(size(list));
        at(list, index)
    }

    /// One of a list, the first often and the last hardly ever, as words are used.
    pub(crate) fn word<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        let end = self.below(size(list)).saturating_add(1);
        let index = self.low(end);
        at(list, index)
    }

    /// A place in a table of weights.
    pub(crate) fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            match left.checked_sub(*weight) {
                Some(less) => left = less,
                None => return index,
            }
        }
        0
    }

    /// A value by a table of quantiles at equal distances: every stretch between two of them is equally likely.
    pub(crate) fn quantile(&mut self, table: &[u64]) -> u64 {
        let stretch = self.below(size(table).saturating_sub(1));
        let low = *at(table, stretch);
        let high = *at(table, stretch.saturating_add(1));
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }
}

/// What dice are for. The numbers must not change: with them every demo would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Arrival = 1,
    Requester = 2,
    Organisation = 3,
    Agent = 4,
    Life = 5,
    Words = 6,
}

fn size<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or(0)
}

fn at<T>(list: &[T], index: u64) -> &T {
    let index = usize::try_from(index).unwrap_or(0);
    list.get(index).expect("a place within the list")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 20_000;

    #[test]
    fn the_numbers_never_change() {
        let mut dice = Dice::new(1, Purpose::Life, 17);
        let drawn: Vec<u64> = (0..4).map(|_| dice.below(1000)).collect();
        assert_eq!(drawn, FOREVER);
    }

    /// What the first release drew.
    const FOREVER: [u64; 4] = [222, 585, 673, 866];

    #[test]
    fn neighbours_have_nothing_in_common() {
        let draw = |seed, purpose, index| Dice::new(seed, purpose, index).next();
        let drawn = [
            draw(1, Purpose::Life, 1),
            draw(1, Purpose::Life, 2),
            draw(2, Purpose::Life, 1),
            draw(1, Purpose::Words, 1),
        ];
        let distinct: std::collections::BTreeSet<_> = drawn.into_iter().collect();
        assert_eq!(distinct.len(), drawn.len());
    }

    #[test]
    fn weights_are_kept() {
        let mut dice = Dice::new(3, Purpose::Life, 0);
        let mut counts = [0_usize; 3];
        for _ in 0..DRAWS {
            counts[dice.weighted(&[1, 0, 3])] += 1;
        }
        assert_eq!(counts[1], 0);
        let share = counts[0] * 100 / DRAWS;
        assert!((23..=27).contains(&share), "{share} %");
    }

    #[test]
    fn quantiles_are_kept() {
        let mut dice = Dice::new(4, Purpose::Life, 0);
        let table = [0, 10, 1000];
        let drawn: Vec<u64> = (0..DRAWS).map(|_| dice.quantile(&table)).collect();
        assert!(drawn.iter().all(|value| *value <= 1000));
        let below_the_median = drawn.iter().filter(|value| **value < 10).count() * 100 / DRAWS;
        assert!((45..=50).contains(&below_the_median), "{below_the_median} %");
    }

    #[test]
    fn first_words_are_common_and_last_words_are_rare() {
        let mut dice = Dice::new(5, Purpose::Words, 0);
        let words: Vec<usize> = (0..40).collect();
        let mut counts = [0_usize; 40];
        for _ in 0..DRAWS {
            counts[*dice.word(&words)] += 1;
        }
        assert!(counts[0] > DRAWS / 10, "{counts:?}");
        assert!(counts[39] < DRAWS / 1000, "{counts:?}");
        assert!(counts.iter().filter(|count| **count > 0).count() > 30, "{counts:?}");
    }
}
