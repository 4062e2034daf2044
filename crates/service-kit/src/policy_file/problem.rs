//! What is wrong with a field of a policy file.

/// A field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Its path in the file, such as `calendar.week.mon`.
    pub field: String,
    /// What is wrong, and what is allowed.
    pub detail: String,
}

pub(super) fn listed(problems: &[FieldProblem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.field, problem.detail))
        .collect();
    lines.join("; ")
}

/// Collects what is wrong, so that people hear of everything at once.
#[derive(Default)]
pub(super) struct Problems(pub(super) Vec<FieldProblem>);

impl Problems {
    pub(super) fn add(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldProblem {
            field: field.into(),
            detail: detail.into(),
        });
    }
}
