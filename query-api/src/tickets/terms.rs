//! The words of a question: `printer "paper jam" or plotter -toner`.
//!
//! Each word is asked for in all of the desk's languages on its own. Were the whole question asked in one
//! language or in another, what is left out in one would be found in the other, and a question in two languages
//! nowhere. Nothing of it reaches Postgres but words in quotation marks, so that no text is too odd to ask.

use sqlx::{Postgres, QueryBuilder};

/// A word, or some in a row, that is to be there or not to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    words: String,
    absent: bool,
}

/// Alternatives, each of terms that all have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Terms(Vec<Vec<Term>>);

impl Terms {
    /// Understands a question. `or` and a leading `-` count outside of quotation marks alone.
    pub(super) fn parse(text: &str) -> Self {
        let mut alternatives = vec![Vec::new()];
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let unsigned = rest.trim_start_matches('-');
            let absent = unsigned.len() < rest.len();
            let (words, quoted, after) = if let Some(inside) = unsigned.strip_prefix('"') {
                let (words, after) = inside.split_once('"').unwrap_or((inside, ""));
                (words, true, after)
            } else {
                let end = unsigned
                    .find(|character: char| character.is_whitespace() || character == '"')
                    .unwrap_or(unsigned.len());
                let (words, after) = unsigned.split_at(end);
                (words, false, after)
            };
            rest = after.trim_start();
            if !quoted && !absent && words.eq_ignore_ascii_case("or") {
                alternatives.push(Vec::new());
            } else if words.contains(char::is_alphanumeric)
                && let Some(alternative) = alternatives.last_mut()
            {
                let words = words.to_owned();
                alternative.push(Term { words, absent });
            }
        }
        alternatives.retain(|terms| !terms.is_empty());
        Self(alternatives)
    }

    /// Appends them as Postgres asks for words.
    pub(super) fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        sql.push("(''::tsquery");
        for terms in &self.0 {
            sql.push(" || (''::tsquery");
            for Term { words, absent } in terms {
                sql.push(if *absent { " && !! " } else { " && " })
                    .push("recourse.asked(")
                    .push_bind(format!("\"{words}\""))
                    .push(")");
            }
            sql.push(")");
        }
        sql.push(")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The terms as text: alternatives by `|`, each term in brackets.
    fn told(text: &str) -> String {
        let term = |Term { words, absent }: &Term| format!("{}[{words}]", if *absent { "-" } else { "" });
        let all = |terms: &Vec<Term>| terms.iter().map(term).collect::<String>();
        Terms::parse(text).0.iter().map(all).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn words_stand_alone_and_phrases_together() {
        assert_eq!(told("paper  jam"), "[paper][jam]");
        assert_eq!(told("\"paper jam\" again"), "[paper jam][again]");
        assert_eq!(told("a\"b c\"d"), "[a][b c][d]");
        assert_eq!(told("\"never closed"), "[never closed]");
        assert_eq!(told("E-504"), "[E-504]");
    }

    #[test]
    fn a_minus_leaves_out_and_or_is_another_way() {
        assert_eq!(told("printer -toner -\"paper jam\""), "[printer]-[toner]-[paper jam]");
        assert_eq!(told("printer toner OR plotter"), "[printer][toner]|[plotter]");
        assert_eq!(told("\"or\" order"), "[or][order]");
        assert_eq!(told("or printer or or"), "[printer]");
    }

    #[test]
    fn what_has_no_word_asks_for_nothing() {
        for text in ["", "-", "\"", "\"\"", "&|!():*", "or", "🎉"] {
            assert_eq!(told(text), "", "{text}");
        }
        assert_eq!(told(&"-".repeat(200)), "");
        assert_eq!(told("------a"), "-[a]");
    }
}
