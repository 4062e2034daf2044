//! The input of a bulk request, cut into lines.

use std::error::Error;
use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, stream};
use service_kit::problem::{Problem, types};

/// As the HTTP contract says.
pub(crate) const LINES_MAX: usize = 10_000;
/// As for the body of a single command.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// How much of the input beyond the last line is read and thrown away. Callers that read nothing
/// before they have sent everything would otherwise lose the results that they are owed; one that
/// sends still more is cut off.
const SURPLUS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Cuts the input into lines. Blank lines are passed over, and a line that is too long becomes a
/// refusal. So do one line too many and input that breaks off, after which there is nothing more.
pub(crate) fn lines<E: Error + Send + 'static>(
    input: impl Stream<Item = Result<Bytes, E>> + Send,
) -> impl Stream<Item = Result<Bytes, Problem>> + Send {
    let cut = Cut {
        input: Box::pin(input),
        rest: BytesMut::new(),
        searched: 0,
        lines: 0,
    };
    stream::unfold(Some(cut), async |cut| {
        let mut cut = cut?;
        match cut.next().await? {
            Piece::Line(line) => Some((Ok(line), Some(cut))),
            Piece::TooLong => Some((Err(too_long()), Some(cut))),
            Piece::TooMany => {
                cut.drain().await;
                Some((Err(too_many()), None))
            }
            Piece::BrokenOff => Some((Err(broken_off()), None)),
        }
    })
}

struct Cut<I> {
    input: Pin<Box<I>>,
    /// What was read and not given yet.
    rest: BytesMut,
    /// How much of it holds no line break.
    searched: usize,
    lines: usize,
}

enum Piece {
    Line(Bytes),
    TooLong,
    TooMany,
    BrokenOff,
}

/// How reading on went.
enum Read {
    More,
    End,
    BrokenOff,
}

impl<E: Error + Send + 'static, I: Stream<Item = Result<Bytes, E>> + Send> Cut<I> {
    /// The next piece that is not blank; `None` at the end.
    async fn next(&mut self) -> Option<Piece> {
        loop {
            let piece = self.piece().await?;
            if matches!(&piece, Piece::Line(line) if line.iter().all(u8::is_ascii_whitespace)) {
                continue;
            }
            self.lines = self.lines.saturating_add(1);
            return Some(if self.lines > LINES_MAX { Piece::TooMany } else { piece });
        }
    }

    async fn piece(&mut self) -> Option<Piece> {
        let mut too_long = false;
        loop {
            if let Some(line) = self.take_line() {
                let too_long = too_long || line.len() > LINE_BYTES_MAX;
                return Some(if too_long { Piece::TooLong } else { Piece::Line(line) });
            }
            if self.rest.len() > LINE_BYTES_MAX {
                // Its end is looked for, and the rest of it forgotten.
                too_long = true;
                self.rest.clear();
                self.searched = 0;
            }
            match self.read().await {
                Read::More => {}
                Read::BrokenOff => return Some(Piece::BrokenOff),
                Read::End if too_long => return Some(Piece::TooLong),
                Read::End if self.rest.is_empty() => return None,
                Read::End => return Some(Piece::Line(self.rest.split().freeze())),
            }
        }
    }

    /// The first line, with its break, if a whole one is there.
    fn take_line(&mut self) -> Option<Bytes> {
        let unsearched = self.rest.get(self.searched..)?;
        let Some(at) = unsearched.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.rest.len();
            return None;
        };
        let end = self.searched.saturating_add(at).saturating_add(1);
        self.searched = 0;
        Some(self.rest.split_to(end).freeze())
    }

    async fn read(&mut self) -> Read {
        match self.input.next().await {
            Some(Ok(bytes)) => {
                self.rest.extend_from_slice(&bytes);
                Read::More
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "the input of a bulk request broke off");
                Read::BrokenOff
            }
            None => Read::End,
        }
    }

    async fn drain(&mut self) {
        let mut surplus: usize = 0;
        while surplus <= SURPLUS_BYTES_MAX && matches!(self.read().await, Read::More) {
            surplus = surplus.saturating_add(self.rest.len());
            self.rest.clear();
        }
    }
}

fn too_long() -> Problem {
    Problem::new(&types::BODY_TOO_LARGE).detail(format!(
        "A line has at most {LINE_BYTES_MAX} bytes. This one has more and was not carried out; send less in it."
    ))
}

fn too_many() -> Problem {
    Problem::new(&types::BODY_TOO_LARGE).detail(format!(
        "A request takes at most {LINES_MAX} lines. This line and those after it were not carried out; send them in another."
    ))
}

fn broken_off() -> Problem {
    Problem::new(&types::MALFORMED_REQUEST)
        .detail("The input broke off. Lines without a result were not carried out; send them again.")
}
