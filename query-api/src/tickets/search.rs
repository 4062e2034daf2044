//! `q`: tickets by what is said in them.
//!
//! A ticket answers a question by its words, in any of the desk's languages; by a fragment of its subject; or
//! by its number. Words that only few tickets have are found by the indexes on `desk.ticket_texts`; for words
//! that many have, the list is walked in its own order, and each ticket looked at. Postgres knows how common a
//! word is, and chooses: which is why tickets and their texts are joined here, and not looked up one in another.
//!
//! `desk.ticket_texts` has the words of the present. Of a past moment it says which tickets may have answered;
//! whether one that has changed since did is seen from the words that it had then.

use domain::actor::{Actor, ActorKind};
use jiff_sqlx::ToSqlx as _;
use sqlx::postgres::PgPool;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::terms::Terms;
use crate::database::escaped;
use crate::moment::Moment;

/// Only so many matches are ranked, the newest: whoever asks for what thousands of tickets say looks at the
/// first page or asks again, and ranking reads every word of a ticket.
pub(crate) const RANKED_MAX: i64 = 1000;

/// If so many tickets or fewer may have answered a question about the past, they alone are looked at. If more
/// may, they are so common that a walk through the list meets a page of them soon.
const CANDIDATES_MAX: u16 = 5000;

/// Longer questions are texts.
pub(crate) const CHARACTERS_MAX: usize = 200;

/// A fragment has so many letters or digits, be there something between them or not: the index on subjects is by
/// three characters, and knows nothing of the others.
const FRAGMENT_MIN: usize = 3;

/// What a ticket gets on top of its words' rank, which is less than 1, if the question is its number, and if
/// it is a fragment of its number and subject. A rank is a whole number of millionths.
const RANK_OF_NUMBER: i32 = 4;
const RANK_OF_FRAGMENT: i32 = 2;

/// The words that the row `t` of the past had, as `projector/src/projections/tickets/texts.rs` makes those of the
/// present.
const WORDS_THEN: &str = "(SELECT head.public_words, recourse.joined(head.public_words, said.internal) AS all_words
    FROM (SELECT COALESCE(recourse.joined_all(setweight(recourse.words(recourse.said(l.details)), 'C') ORDER BY l.revision, l.place)
                     FILTER (WHERE l.visibility = 'public'), '') AS talk,
                 recourse.joined_all(setweight(recourse.words(recourse.said(l.details)), 'D') ORDER BY l.revision, l.place)
                     FILTER (WHERE l.visibility = 'internal') AS internal
          FROM desk.timeline l
          WHERE l.ticket_id = t.id AND l.revision <= t.revision AND recourse.said(l.details) <> '') AS said,
         LATERAL (SELECT recourse.joined(setweight(recourse.words(t.subject), 'A') || setweight(recourse.words(d.description), 'B'),
                             said.talk) AS public_words
                  FROM desk.descriptions d
                  WHERE d.ticket_id = t.id AND d.revision = t.description_revision OFFSET 0) AS head
    OFFSET 0) AS x";

/// Number and subject as the row `t` has them; `x.label` is that of the present, with an index.
const LABEL: &str = "('#' || t.number || ' ' || t.subject)";

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    terms: Terms,
    /// A pattern for part of a label.
    fragment: Option<String>,
    /// A pattern for the label of the ticket with that number.
    number: Option<String>,
    /// The only tickets that may have answered it at a past moment, if they are few.
    candidates: Option<Vec<Uuid>>,
}

impl Question {
    /// Understands a question. Whatever is not too long is one.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > CHARACTERS_MAX || text.contains('\0') {
            return Err(format!("must have 1 to {CHARACTERS_MAX} characters and not be blank"));
        }
        let number: Option<u64> = text.strip_prefix('#').unwrap_or(text).parse().ok();
        let characters = text.chars().filter(|character| character.is_alphanumeric()).count();
        Ok(Self {
            terms: Terms::parse(text),
            fragment: (characters >= FRAGMENT_MIN).then(|| format!("%{}%", escaped(text))),
            number: number.map(|number| format!("#{number} %")),
            candidates: None,
        })
    }

    /// Appends the tickets' texts `x` to the tickets `t`, and those of the present `p` to those of the past.
    pub(crate) fn push_join(sql: &mut QueryBuilder<Postgres>, moment: Moment) {
        sql.push(" JOIN desk.ticket_texts x ON x.ticket_id = t.id");
        if let Moment::Past(_) = moment {
            sql.push(" JOIN desk.tickets p ON p.id = t.id");
        }
    }

    /// Finds out which tickets may have answered a question about the past: those that say all that is asked,
    /// whatever else they say by now, and those that may have been edited since.
    pub(crate) async fn look_ahead(&mut self, db: &PgPool, actor: &Actor, moment: Moment) -> Result<(), sqlx::Error> {
        let Moment::Past(at) = moment else { return Ok(()) };
        let limit = i64::from(CANDIDATES_MAX) + 1;
        let mut sql = QueryBuilder::new("(SELECT x.ticket_id FROM desk.ticket_texts x WHERE ");
        self.push_possible(&mut sql, actor);
        sql.push(" LIMIT ").push_bind(limit);
        sql.push(") UNION ALL (SELECT e.id FROM desk.tickets e WHERE e.edited AND e.recorded_at > ")
            .push_bind(at.to_sqlx());
        sql.push(" LIMIT ").push_bind(limit).push(")");
        let found: Vec<Uuid> = sql.build_query_scalar().fetch_all(db).await?;
        self.candidates = (found.len() <= CANDIDATES_MAX.into()).then_some(found);
        Ok(())
    }

    /// Appends the condition that `t` answers the question, by the words that `actor` may read.
    pub(crate) fn push(&self, sql: &mut QueryBuilder<Postgres>, actor: &Actor, moment: Moment) {
        sql.push(" AND ");
        match moment {
            Moment::Present(_) => self.push_match(sql, actor, "x.label"),
            Moment::Past(_) => self.push_match_then(sql, actor),
        }
    }

    /// A ticket that has not changed since says now what it said then. One whose subject and description have not,
    /// and that does not say all that is asked, has not said it then either. Of the others, the words are made again.
    fn push_match_then(&self, sql: &mut QueryBuilder<Postgres>, actor: &Actor) {
        if let Some(candidates) = &self.candidates {
            sql.push("t.id = ANY(").push_bind(candidates.clone()).push(") AND ");
        }
        sql.push("CASE WHEN t.valid_to = 'infinity' THEN ");
        self.push_match(sql, actor, "x.label");
        sql.push(" WHEN p.subject = t.subject AND p.description_revision = t.description_revision AND ");
        self.push_possible(sql, actor);
        // Tickets without internal comments have no words of theirs, which makes the answer unknown.
        sql.push(" IS NOT TRUE THEN FALSE ELSE (SELECT ");
        self.push_match(sql, actor, LABEL);
        sql.push(" FROM ").push(WORDS_THEN).push(") END");
    }

    /// Appends `(…)`: whether words `x` and a label answer the question. For whoever reads everything a word that
    /// is not to be there may be in either; the words of both decide, and each by itself only leads an index to them.
    fn push_match(&self, sql: &mut QueryBuilder<Postgres>, actor: &Actor, label: &str) {
        let answers = |sql: &mut QueryBuilder<Postgres>, words: &str| {
            sql.push(words).push(" @@ ");
            self.terms.push(sql);
        };
        sql.push("(");
        if reads_everything(actor) {
            sql.push("(");
            answers(sql, "x.public_words");
            sql.push(" OR ");
            answers(sql, "x.all_words");
            sql.push(") AND ");
            answers(sql, "COALESCE(x.all_words, x.public_words)");
        } else {
            answers(sql, "x.public_words");
        }
        self.push_labels(sql, label);
        sql.push(")");
    }

    /// Appends `(…)`: whether texts `x` have all the words that the question wants there. What it wants not to be
    /// there may have come later, and words that stood in a row may not any more. `T` is a question that wants
    /// nothing to be there.
    fn push_possible(&self, sql: &mut QueryBuilder<Postgres>, actor: &Actor) {
        let may = |sql: &mut QueryBuilder<Postgres>, words: &str| {
            sql.push("querytree(");
            self.terms.push(sql);
            sql.push(") = 'T' OR ")
                .push(words)
                .push(" @@ regexp_replace(querytree(");
            self.terms.push(sql);
            sql.push(r"), '<(-|\d+)>', '&', 'g')::tsquery");
        };
        sql.push("(");
        may(sql, "x.public_words");
        if reads_everything(actor) {
            sql.push(" OR ");
            may(sql, "x.all_words");
        }
        self.push_labels(sql, "x.label");
        sql.push(")");
    }

    /// Appends the other ways of being found: by a fragment of the label, and by the number.
    fn push_labels(&self, sql: &mut QueryBuilder<Postgres>, label: &str) {
        for pattern in self.fragment.iter().chain(&self.number) {
            sql.push(" OR ").push(label).push(" ILIKE ").push_bind(pattern.clone());
        }
    }

    /// Appends how well `t` answers the question, where `t` has the words of the present.
    pub(crate) fn push_rank(&self, sql: &mut QueryBuilder<Postgres>, actor: &Actor, moment: Moment) {
        let words = if reads_everything(actor) {
            "COALESCE(x.all_words, x.public_words)"
        } else {
            "x.public_words"
        };
        sql.push("floor(1000000 * (");
        for (pattern, rank) in [(&self.number, RANK_OF_NUMBER), (&self.fragment, RANK_OF_FRAGMENT)] {
            if let Some(pattern) = pattern {
                sql.push("CASE WHEN ")
                    .push(LABEL)
                    .push(" ILIKE ")
                    .push_bind(pattern.clone())
                    .push(format_args!(" THEN {rank} ELSE 0 END + "));
            }
        }
        sql.push("(SELECT ts_rank(").push(words).push(", ");
        self.terms.push(sql);
        sql.push(") FROM ");
        sql.push(match moment {
            Moment::Present(_) => "(SELECT t.public_words, t.all_words) AS x",
            Moment::Past(_) => WORDS_THEN,
        });
        sql.push(")))::bigint");
    }
}

/// Whether `actor` reads internal comments.
fn reads_everything(actor: &Actor) -> bool {
    match actor.kind {
        ActorKind::Staff | ActorKind::System => true,
        ActorKind::Customer => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fragment_stands_for_itself() {
        assert_eq!(
            Question::parse(r"100%_\o/").unwrap().fragment.as_deref(),
            Some(r"%100\%\_\\o/%")
        );
    }

    #[test]
    fn what_has_fewer_than_three_letters_is_no_fragment() {
        for text in ["ab", "a b", "%%%", "#12", "🎉🎉🎉🎉"] {
            assert_eq!(Question::parse(text).unwrap().fragment, None, "{text}");
        }
        for text in ["abc", "#123", "где", "a b c"] {
            assert!(Question::parse(text).unwrap().fragment.is_some(), "{text}");
        }
    }

    #[test]
    fn a_number_may_have_its_sign() {
        for text in ["#7", "7", " 007 "] {
            assert_eq!(Question::parse(text).unwrap().number.as_deref(), Some("#7 %"), "{text}");
        }
        assert_eq!(Question::parse("7th").unwrap().number, None);
    }

    #[test]
    fn a_question_is_neither_blank_nor_a_text() {
        assert!(Question::parse(&"ж".repeat(200)).is_ok());
        for text in [String::new(), "  ".to_owned(), "a".repeat(201), "a\0b".to_owned()] {
            assert!(Question::parse(&text).is_err(), "{text}");
        }
    }
}
