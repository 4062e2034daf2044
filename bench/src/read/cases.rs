//! The questions, enumerated from what `docs/API.md` says can be asked.

use std::fmt::Write as _;

use super::values::{Filter, Moments, Values};

/// A question with several variants, which are asked in turns.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// Whole requests.
    pub(crate) requests: Vec<String>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: &'static str,
    pub(crate) token: String,
}

/// Every order but that of relevance, which needs a question.
const SORTS: [&str; 12] = [
    "-created_at",
    "created_at",
    "-updated_at",
    "updated_at",
    "-number",
    "number",
    "-priority",
    "priority",
    "-status",
    "status",
    "-due_at",
    "due_at",
];
/// The orders in which the past is asked.
const SORTS_THEN: [&str; 4] = ["-created_at", "-updated_at", "number", "-priority"];
/// Filters of which three are combined: those that people combine.
const COMBINED: [(&str, &str); 11] = [
    ("status", "any"),
    ("type", "any"),
    ("priority", "any"),
    ("category", "any"),
    ("system", "any"),
    ("organisation", "any"),
    ("assignee", "any"),
    ("assignee", "none"),
    ("group", "any"),
    ("created_from", "any"),
    ("overdue", "true"),
];
/// The most variants that a case needs.
const VARIANTS: usize = 20;

impl Caller {
    fn case(&self, name: &str, path: &str, queries: impl IntoIterator<Item = String>) -> Case {
        let token = &self.token;
        let request = |query: String| {
            format!("GET {path}?{query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n")
        };
        Case {
            name: format!("{}: {name}", self.name),
            requests: queries.into_iter().take(VARIANTS).map(request).collect(),
        }
    }

    fn list(&self, name: &str, queries: impl IntoIterator<Item = String>) -> Case {
        self.case(name, "/v1/tickets", queries)
    }
}

impl Filter {
    fn label(&self) -> String {
        format!("{}={}", self.name, self.which)
    }

    fn queries(&self) -> impl Iterator<Item = String> {
        self.values
            .iter()
            .map(|value| format!("{}={}", self.name, encoded(value)))
    }
}

/// Every single filter with every sort, and every sort alone.
pub(crate) fn lists(values: &Values, callers: &[Caller]) -> Vec<Case> {
    let mut cases = Vec::new();
    for caller in callers {
        for sort in SORTS {
            let order = format!("sort={sort}");
            cases.push(caller.list(&order, [order.clone()]));
            for filter in &values.filters {
                let name = format!("{} {order}", filter.label());
                cases.push(caller.list(&name, filter.queries().map(|query| format!("{query}&{order}"))));
            }
        }
    }
    cases
}

/// Every three of the filters that people combine, each with one of the sorts in turns.
pub(crate) fn combined(values: &Values, callers: &[Caller]) -> Vec<Case> {
    let filters: Vec<&Filter> = COMBINED
        .iter()
        .filter_map(|(name, which)| values.filters.iter().find(|it| it.name == *name && it.which == *which))
        .collect();
    let mut cases = Vec::new();
    let mut sorts = SORTS.iter().cycle();
    for (at, first) in filters.iter().enumerate() {
        for (between, second) in filters.iter().enumerate().skip(at + 1) {
            for third in filters.iter().skip(between + 1) {
                // The same filter twice is "any of" and not "and".
                if first.name == second.name || second.name == third.name {
                    continue;
                }
                for caller in callers {
                    let sort = sorts.next().copied().unwrap_or_default();
                    let name = format!("{} {} {} sort={sort}", first.label(), second.label(), third.label());
                    let queries = (0..VARIANTS).map(|variant| {
                        let of = |filter: &Filter, step: usize| {
                            let value = filter
                                .values
                                .iter()
                                .cycle()
                                .nth(variant * step)
                                .map_or("", String::as_str);
                            format!("{}={}", filter.name, encoded(value))
                        };
                        // At different paces, so that values meet that do not belong to one ticket.
                        format!("{}&{}&{}&sort={sort}", of(first, 1), of(second, 3), of(third, 7))
                    });
                    cases.push(caller.list(&name, queries));
                }
            }
        }
    }
    cases
}

/// The dashboard, now and then, as a whole and in groups.
pub(crate) fn dashboards(callers: &[Caller], moments: &Moments) -> Vec<Case> {
    let Moments {
        recent: from, earlier, ..
    } = moments;
    let mut questions = vec![
        ("plain".to_owned(), String::new()),
        ("the last 30 days".to_owned(), format!("from={from}")),
        (
            "30 days ago, the 30 days before".to_owned(),
            format!("as_of={from}&from={earlier}"),
        ),
    ];
    for group in ["day", "week", "month"] {
        questions.push((format!("by {group}"), format!("group_by={group}")));
    }
    for group in ["status", "type", "priority", "group", "assignee", "organisation"] {
        questions.push((
            format!("by {group}, the last 30 days"),
            format!("group_by={group}&from={from}"),
        ));
    }
    let cases = callers.iter().flat_map(|caller| {
        let case = |(name, query): &(String, String)| caller.case(name, "/v1/dashboard", [query.clone()]);
        questions.iter().map(case).collect::<Vec<_>>()
    });
    cases.collect()
}

/// Lists of the present, each with the same of the past.
pub(crate) fn as_of(values: &Values, callers: &[Caller], moments: &Moments) -> Vec<(Case, Case)> {
    let mut cases = Vec::new();
    for caller in callers {
        for sort in SORTS_THEN {
            let order = format!("sort={sort}");
            let mut questions = vec![(order.clone(), vec![order.clone()])];
            for filter in &values.filters {
                let queries = filter.queries().map(|query| format!("{query}&{order}"));
                questions.push((format!("{} {order}", filter.label()), queries.collect()));
            }
            for (name, queries) in questions {
                for (ago, then) in [("30 days ago", &moments.recent), ("182 days ago", &moments.long_ago)] {
                    let past = queries.iter().map(|query| format!("{query}&as_of={then}"));
                    cases.push((
                        caller.list(&name, queries.clone()),
                        caller.list(&format!("{name} {ago}"), past),
                    ));
                }
            }
        }
    }
    cases
}

/// Words, phrases, fragments and numbers, with filters and sorts.
pub(crate) fn searches(values: &Values, callers: &[Caller]) -> Vec<Case> {
    let words = |from: usize, count: usize| {
        let taken = values.subjects.iter().map(move |subject| {
            let words: Vec<&str> = subject.split_whitespace().skip(from).take(count).collect();
            words.join(" ")
        });
        taken.filter(|text| !text.is_empty()).collect::<Vec<_>>()
    };
    let cut = |text: &String| text.chars().skip(1).take(5).collect::<String>();
    let longest = |subject: &String| {
        let longest = subject.split_whitespace().max_by_key(|word| word.chars().count());
        longest.unwrap_or_default().to_owned()
    };
    let questions: Vec<(&str, Vec<String>)> = vec![
        ("first word", words(0, 1)),
        ("longest word", values.subjects.iter().map(longest).collect()),
        ("two words", words(1, 2)),
        ("phrase", words(0, 2).iter().map(|text| format!("\"{text}\"")).collect()),
        (
            "fragment",
            words(0, 1)
                .iter()
                .map(cut)
                .filter(|text| text.chars().count() > 3)
                .collect(),
        ),
        ("whole subject", values.subjects.clone()),
        ("number", values.numbers.clone()),
    ];
    let with = |name: &str, which: &str| {
        let filter = values.filters.iter().find(|it| it.name == name && it.which == which);
        let value = filter.and_then(|filter| filter.values.iter().rev().nth(2).or_else(|| filter.values.last()));
        value.map(|value| (format!(" {name}={which}"), format!("&{name}={}", encoded(value))))
    };
    let filters: Vec<(String, String)> = [
        Some((String::new(), String::new())),
        with("status", "commonest"),
        with("organisation", "any"),
        with("created_from", "any"),
        with("priority", "any"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut cases = Vec::new();
    for caller in callers {
        for (kind, questions) in &questions {
            for (filter_name, filter) in &filters {
                for sort in ["relevance", "-created_at", "-updated_at"] {
                    let name = format!("q={kind}{filter_name} sort={sort}");
                    let queries = questions
                        .iter()
                        .map(|text| format!("q={}{filter}&sort={sort}", encoded(text)));
                    cases.push(caller.list(&name, queries));
                }
            }
        }
    }
    cases.retain(|case| !case.requests.is_empty());
    cases
}

/// A value as it stands in a query.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn values() -> Values {
        let filter = |name, which, values: &[&str]| Filter {
            name,
            which,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        Values {
            filters: vec![
                filter("status", "any", &["new", "closed"]),
                filter("priority", "any", &["low"]),
                filter("group", "any", &["g"]),
                filter("assignee", "none", &["none"]),
            ],
            subjects: vec!["Printer smokes again".to_owned()],
            numbers: vec!["7".to_owned()],
            customer: Uuid::nil(),
            organisation: None,
        }
    }

    fn caller() -> Caller {
        Caller {
            name: "staff",
            token: "t".to_owned(),
        }
    }

    #[test]
    fn every_filter_meets_every_sort() {
        let cases = lists(&values(), &[caller()]);
        assert_eq!(cases.len(), SORTS.len() * 5);
        let both = |case: &&Case| case.name == "staff: status=any sort=-due_at";
        let case = cases.iter().find(both).unwrap();
        assert_eq!(case.requests.len(), 2);
        assert!(case.requests[0].starts_with("GET /v1/tickets?status=new&sort=-due_at HTTP/1.1\r\n"));
    }

    #[test]
    fn three_filters_are_three_different_ones() {
        assert_eq!(combined(&values(), &[caller()]).len(), 4);
    }

    #[test]
    fn what_is_asked_survives_in_a_query() {
        assert_eq!(encoded("two \"words\" é"), "two%20%22words%22%20%C3%A9");
    }
}
