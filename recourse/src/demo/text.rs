//! Subjects, descriptions and comments, put together from a language's words.

use domain::text::{Body, Label, Subject};

use super::dice::Dice;
use super::figures::SENTENCES;
use super::words::{Language, Words};

/// A subject's words, at least and at most.
const SUBJECT_WORDS_MIN: usize = 3;
const SUBJECT_WORDS_MAX: usize = 8;
/// Descriptions from this many sentences on have paragraphs.
const PARAGRAPHS_FROM: u64 = 5;
/// Error codes that occur again and again; others are seen once.
const COMMON_CODES: u64 = 60;

/// What a ticket is, as far as words go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matter {
    Fault,
    Query,
    Wish,
}

/// Writes one ticket's texts.
#[derive(Debug)]
pub(super) struct Writer {
    words: &'static Words,
    dice: Dice,
    /// What the ticket is about.
    thing: &'static str,
}

impl Writer {
    pub(super) fn new(language: Language, mut dice: Dice) -> Self {
        let words = language.words();
        let thing = dice.word(words.things);
        Self { words, dice, thing }
    }

    pub(super) fn words(&self) -> &'static Words {
        self.words
    }

    /// One line of three to eight words.
    pub(super) fn subject(&mut self, matter: Matter) -> Subject {
        let templates = match matter {
            Matter::Fault => self.words.faults,
            Matter::Query => self.words.queries,
            Matter::Wish => self.words.wishes,
        };
        let template = *self.dice.word(templates);
        let mut subject = template.replace("{thing}", self.thing);
        let circumstance = *self.dice.word(self.words.circumstances);
        let circumstance = self.filled(circumstance);
        let (long, more) = (count(&subject), count(&circumstance));
        let wanted = long < SUBJECT_WORDS_MIN || (matter == Matter::Fault && self.dice.chance(600));
        if wanted && long + more <= SUBJECT_WORDS_MAX {
            subject = format!("{subject} {circumstance}");
        }
        let mut characters = subject.chars();
        let subject: String = characters
            .next()
            .into_iter()
            .flat_map(char::to_uppercase)
            .chain(characters)
            .collect();
        Subject::parse(&subject).expect("subjects are short and not blank")
    }

    /// From one line to several paragraphs.
    pub(super) fn description(&mut self) -> Body {
        let sentences = self.dice.quantile(&SENTENCES);
        let mut text = String::new();
        let mut last = "";
        for _ in 0..sentences {
            let sentence = *self.dice.word(self.words.sentences);
            if sentence == last {
                continue;
            }
            last = sentence;
            if !text.is_empty() {
                let paragraph = sentences >= PARAGRAPHS_FROM && self.dice.chance(300);
                text.push_str(if paragraph { "\n\n" } else { " " });
            }
            text.push_str(&self.filled(sentence));
        }
        body(&text)
    }

    /// A phrase of the list, sometimes with a sentence more.
    pub(super) fn comment(&mut self, phrases: &'static [&'static str]) -> Body {
        let phrase = *self.dice.word(phrases);
        let mut text = self.filled(phrase);
        if self.dice.chance(250) {
            let more = *self.dice.word(self.words.sentences);
            text.push(' ');
            text.push_str(&self.filled(more));
        }
        body(&text)
    }

    /// A comment, or none in most cases.
    pub(super) fn perhaps(&mut self, phrases: &'static [&'static str], per_thousand: u64) -> Option<Body> {
        self.dice.chance(per_thousand).then(|| self.comment(phrases))
    }

    /// Where other people's work is tracked.
    pub(super) fn reference(&mut self) -> Label {
        label(&format!("DEV-{}", 100 + self.dice.below(9_900)))
    }

    /// A phrase with its places filled.
    fn filled(&mut self, phrase: &str) -> String {
        let mut text = String::with_capacity(phrase.len() + 16);
        let mut rest = phrase;
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            text.push_str(&self.fill(place));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    fn fill(&mut self, place: &str) -> String {
        let dice = &mut self.dice;
        match place {
            "thing" if dice.chance(500) => self.thing.to_owned(),
            "thing" => (*dice.word(self.words.things)).to_owned(),
            "code" if dice.chance(700) => format!("E-{}", 1_000 + dice.low(COMMON_CODES)),
            "code" => format!("E-{}", 10_000 + dice.below(90_000)),
            "host" => {
                let kind = *dice.word(&["app", "db", "web", "mq", "file", "gpu"]);
                format!("srv-{kind}-{:02}", 1 + dice.low(40))
            }
            "time" => format!("{:02}:{:02}", 7 + dice.below(13), 5 * dice.below(12)),
            _ => (2 + dice.low(97)).to_string(),
        }
    }
}

fn count(text: &str) -> usize {
    text.split_whitespace().count()
}

fn body(text: &str) -> Body {
    Body::parse(text).expect("made-up texts are short and not blank")
}

/// A label of our own making.
///
/// # Panics
/// If it is blank or too long, which none of ours is.
pub(super) fn label(text: &str) -> Label {
    Label::parse(text).expect("made-up labels are short and not blank")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::dice::Purpose;
    use super::*;

    fn writers(language: Language) -> impl Iterator<Item = Writer> {
        (0..3_000).map(move |index| Writer::new(language, Dice::new(1, Purpose::Words, index)))
    }

    #[test]
    fn subjects_have_three_to_eight_words() {
        for language in Language::ALL {
            for mut writer in writers(language) {
                for matter in [Matter::Fault, Matter::Query, Matter::Wish] {
                    let subject = writer.subject(matter);
                    let words = count(subject.as_str());
                    assert!((3..=8).contains(&words), "{}", subject.as_str());
                    assert!(!subject.as_str().contains(['{', '}']), "{}", subject.as_str());
                }
            }
        }
    }

    #[test]
    fn descriptions_range_from_a_line_to_several_paragraphs() {
        for language in Language::ALL {
            let texts: Vec<String> = writers(language)
                .map(|mut writer| writer.description().as_str().to_owned())
                .collect();
            let of = |sort: fn(&str) -> bool| texts.iter().filter(|text| sort(text)).count() * 100 / texts.len();
            assert!(of(|text| text.chars().count() < 60) > 15, "one line");
            assert!(of(|text| text.matches("\n\n").count() >= 2) > 5, "several paragraphs");
            assert!(texts.iter().all(|text| !text.contains(['{', '}'])));
        }
    }

    #[test]
    fn every_phrase_has_only_places_that_are_filled() {
        for language in Language::ALL {
            let words = language.words();
            let lists = [
                words.faults,
                words.queries,
                words.wishes,
                words.circumstances,
                words.sentences,
                words.questions,
                words.answers,
                words.solutions,
                words.notes,
                words.remarks,
                words.reminders,
                words.delays,
                words.objections,
                words.reasons,
                words.farewells,
            ];
            for phrase in lists.into_iter().flatten() {
                for place in phrase.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                    assert!(["thing", "code", "host", "time", "number"].contains(&place), "{phrase}");
                }
            }
        }
    }

    #[test]
    fn a_search_has_common_words_and_rare_ones() {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for mut writer in writers(Language::English) {
            let text = format!(
                "{} {}",
                writer.subject(Matter::Fault).as_str(),
                writer.description().as_str()
            );
            for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 3) {
                *counts.entry(word.to_lowercase()).or_default() += 1;
            }
        }
        let common = counts.values().filter(|count| **count > 500).count();
        let rare = counts.values().filter(|count| **count < 10).count();
        assert!(common >= 10 && rare >= 100, "{common} common words, {rare} rare ones");
    }
}
