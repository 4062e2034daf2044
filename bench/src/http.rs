//! A client as light as can be, because its processor time is taken from what it measures: HTTP/1.1 over one kept
//! connection, one request at a time, of the answer only what is needed.

use std::{net::SocketAddr, ops::Range};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Answers of single commands are far smaller.
const BUFFER_BYTES: usize = 64 * 1024;
/// The largest answer that has a length: a dashboard with its lists of a thousand has some hundreds of kilobytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A connection that stays open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// The beginning of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Where the body begins.
    pub(crate) length: usize,
    pub(crate) body: Framing,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer<'c> {
    pub(crate) status: u16,
    head: &'c [u8],
    pub(crate) body: &'c [u8],
}

impl Answer<'_> {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = std::str::from_utf8(self.head).ok()?.split("\r\n");
        let mut headers = lines.filter_map(|line| line.split_once(':'));
        let (_, value) = headers.find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }
}

/// How long the body is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: vec![0; BUFFER_BYTES],
        })
    }

    /// Sends a request and returns the body of its answer, which has to be a success.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        let answer = self.ask(request).await?;
        if !is_success(answer.status) {
            bail!("status {}: {}", answer.status, String::from_utf8_lossy(answer.body));
        }
        Ok(answer.body)
    }

    /// Sends a request and returns its answer, whatever it is.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let (head, body) = loop {
            if filled == self.buffer.len() && filled < ANSWER_BYTES_MAX {
                self.buffer.resize(filled * 2, 0);
            }
            let space = self.buffer.get_mut(filled..).unwrap_or_default();
            let read = self.stream.read(space).await?;
            anyhow::ensure!(
                read > 0,
                "the connection was closed in the middle of an answer, or the answer is too long"
            );
            filled += read;
            if let Some(found) = whole(self.buffer.get(..filled).unwrap_or_default())? {
                break found;
            }
        };
        Ok(Answer {
            status: head.status,
            head: self.buffer.get(..head.length).unwrap_or_default(),
            body: self.buffer.get(body).unwrap_or_default(),
        })
    }

    /// The connection itself, for those who read and write at the same time.
    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }
}

pub(crate) fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The head and the place of the body, once all of it is there.
fn whole(bytes: &[u8]) -> anyhow::Result<Option<(Head, Range<usize>)>> {
    let Some(head) = head(bytes)? else { return Ok(None) };
    let Framing::Length(length) = head.body else {
        bail!("the answer has no length")
    };
    let body = head.length..head.length + length;
    Ok((bytes.len() >= body.end).then_some((head, body)))
}

/// The head of an answer, once all of it is there.
pub(crate) fn head(bytes: &[u8]) -> anyhow::Result<Option<Head>> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(at) = bytes.windows(END.len()).position(|window| window == END) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(bytes.get(..at).unwrap_or_default()).context("the head is not text")?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .context("no status")?;
    let mut body = Framing::Length(0);
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            body = Framing::Length(value.trim().parse().context("a length that is none")?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            body = Framing::Chunked;
        }
    }
    Ok(Some(Head {
        status,
        length: at + END.len(),
        body,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let answer = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
        for length in 0..answer.len() {
            assert!(whole(&answer[..length]).unwrap().is_none());
        }
        let (head, body) = whole(answer).unwrap().unwrap();
        assert_eq!((head.status, &answer[body]), (201, &b"{}"[..]));
    }

    #[test]
    fn a_streamed_answer_is_known_by_its_head() {
        let found = head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n")
            .unwrap()
            .unwrap();
        assert_eq!(found.body, Framing::Chunked);
    }
}
