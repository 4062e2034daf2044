//! Content lines: unfolded, and taken apart into name, parameters and value.

use super::unreadable::Unreadable;

/// A line of a file, once it is put together again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    /// In capitals.
    pub(super) name: String,
    /// Names in capitals, values without their quotes.
    parameters: Vec<(String, String)>,
    /// As it stands there, with its escapes.
    pub(super) value: String,
}

impl Property {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of a text, without its escapes.
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut characters = self.value.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(escaped) => text.push(escaped),
                    None => text.push('\\'),
                },
                plain => text.push(plain),
            }
        }
        text
    }
}

/// Every property of a file in order, with the reasons for lines that are none.
pub(super) fn properties(file: &str) -> (Vec<Property>, Vec<Unreadable>) {
    let (mut properties, mut unreadable) = (Vec::new(), Vec::new());
    for (line, text) in unfolded(file.strip_prefix('\u{feff}').unwrap_or(file)) {
        match property(line, &text) {
            Some(property) => properties.push(property),
            None => unreadable.push(Unreadable::new(
                line,
                "is not an iCalendar line: NAME, parameters after semicolons, a colon, and the value",
            )),
        }
    }
    (properties, unreadable)
}

/// A line that begins with white space goes on with the one before it. Empty lines say nothing.
fn unfolded(file: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(file.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ if line.is_empty() => {}
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

fn property(line: usize, text: &str) -> Option<Property> {
    let (head, value) = split_outside_quotes(text, ':')?;
    let mut parts = Vec::new();
    let mut rest = head;
    while let Some((part, tail)) = split_outside_quotes(rest, ';') {
        parts.push(part);
        rest = tail;
    }
    parts.push(rest);
    let mut parts = parts.into_iter();
    let name = parts.next().filter(|name| is_name(name))?.to_ascii_uppercase();
    let parameters = parts
        .map(|part| {
            let (name, value) = part.split_once('=')?;
            let value = value
                .strip_prefix('"')
                .and_then(|it| it.strip_suffix('"'))
                .unwrap_or(value);
            is_name(name).then(|| (name.to_ascii_uppercase(), value.to_owned()))
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Property {
        line,
        name,
        parameters,
        value: value.to_owned(),
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn split_outside_quotes(text: &str, at: char) -> Option<(&str, &str)> {
    let mut quoted = false;
    let found = text.char_indices().find(|(_, character)| {
        quoted ^= *character == '"';
        !quoted && *character == at
    });
    let (index, _) = found?;
    let (before, after) = text.split_at_checked(index)?;
    Some((before, after.strip_prefix(at)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_lines_are_one_and_quotes_hide_what_separates() {
        let file = "\u{feff}SUMMARY;LANGUAGE=en;X-A=\"a:b;c\":New\\, Year\\; \r\n and\\nmore\r\n\r\nDTSTART:20260101\n";
        let (properties, unreadable) = properties(file);
        assert_eq!(unreadable, []);
        let [summary, start] = &properties[..] else {
            panic!("{properties:?}")
        };
        assert_eq!(summary.text(), "New, Year; and\nmore");
        assert_eq!(summary.parameter("X-A"), Some("a:b;c"));
        assert_eq!((start.line, start.name.as_str()), (4, "DTSTART"));
    }

    #[test]
    fn what_is_no_line_is_told_by_its_number() {
        let (_, unreadable) = properties("A:1\nnonsense\n:x\n");
        let lines: Vec<usize> = unreadable.iter().map(|it| it.line).collect();
        assert_eq!(lines, [2, 3]);
    }
}
