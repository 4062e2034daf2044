//! Lines out of a body that comes in chunks.

/// Takes the chunks apart and counts the lines in them, and those among them that say `201`.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    state: State,
    line: Vec<u8>,
    /// Lines that came to their end.
    pub(crate) count: u64,
    /// The first line that is no success.
    pub(crate) failure: Option<String>,
}

#[derive(Debug)]
enum State {
    /// In the line that says how long the next chunk is; as far as it was read.
    Size { size: usize, digits: bool },
    /// In a chunk, with so many bytes to come.
    Data(usize),
    /// In the line end after a chunk.
    After,
    /// After the last chunk.
    End,
}

impl Default for State {
    fn default() -> Self {
        Self::Size { size: 0, digits: true }
    }
}

/// What a line of a creation that was carried out contains.
const SUCCESS: &[u8] = b"\"status\":201";

impl Lines {
    /// Takes what was read; says whether the body has ended.
    pub(crate) fn take(&mut self, mut bytes: &[u8]) -> bool {
        while let Some((first, rest)) = bytes.split_first() {
            match &mut self.state {
                State::Data(left) => {
                    let (data, after) = bytes.split_at((*left).min(bytes.len()));
                    *left -= data.len();
                    if *left == 0 {
                        self.state = State::After;
                    }
                    self.data(data);
                    bytes = after;
                    continue;
                }
                State::After => {
                    if *first == b'\n' {
                        self.state = State::default();
                    }
                }
                State::Size { size, digits } => match (char::from(*first).to_digit(16), *first) {
                    (_, b'\n') => self.state = if *size == 0 { State::End } else { State::Data(*size) },
                    (Some(digit), _) if *digits => *size = *size * 16 + digit as usize,
                    _ => *digits = false,
                },
                State::End => return true,
            }
            bytes = rest;
        }
        matches!(self.state, State::End)
    }

    fn data(&mut self, mut data: &[u8]) {
        while let Some(at) = data.iter().position(|byte| *byte == b'\n') {
            let (end, rest) = data.split_at(at + 1);
            if self.line.is_empty() {
                self.line_ended(end);
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(end);
                self.line_ended(&line);
                line.clear();
                self.line = line;
            }
            data = rest;
        }
        self.line.extend_from_slice(data);
    }

    fn line_ended(&mut self, line: &[u8]) {
        self.count += 1;
        if self.failure.is_none() && !line.windows(SUCCESS.len()).any(|window| window == SUCCESS) {
            self.failure = Some(String::from_utf8_lossy(line).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"c\r\n{\"status\":20\r\n4;x=1\r\n1}\n{\r\nE\r\n\"status\":409}\n\r\n0\r\n\r\n";

    #[test]
    fn lines_are_counted_however_the_body_is_cut() {
        for cut in 0..BODY.len() {
            let mut lines = Lines::default();
            lines.take(&BODY[..cut]);
            assert!(lines.take(&BODY[cut..]), "cut at {cut}");
            assert_eq!(lines.count, 2);
            assert_eq!(lines.failure.as_deref(), Some("{\"status\":409}\n"));
        }
    }
}
