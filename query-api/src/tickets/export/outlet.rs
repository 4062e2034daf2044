//! From an encoder, which writes when it has something, to a caller, who reads as it likes.
//!
//! A file that broke off must not look like one that is whole. So its end is said: a body whose
//! encoder disappeared without saying it is an error, and breaks the connection.

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures::{Stream, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Bytes that go to the caller at once: as much as the way there takes well.
const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks that wait for the caller. One more is being filled; the rest waits in the database.
const CHUNKS_MAX: usize = 4;

/// What goes through the channel.
#[derive(Debug)]
enum Piece {
    Bytes(Bytes),
    End,
}

/// Why nothing more can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Gone {
    #[error("the caller has closed the connection")]
    Left,
    #[error("the caller has read nothing for too long")]
    Stalled,
    #[error("the export was told to end")]
    Cut,
}

/// Where encoders write. Blocks while the caller has not read: not for asynchronous tasks.
#[derive(Debug)]
pub(super) struct Outlet {
    pieces: mpsc::Sender<Piece>,
    buffer: BytesMut,
    runtime: Handle,
    patience: Duration,
    cut: CancellationToken,
    gone: Arc<OnceLock<Gone>>,
}

/// Why an outlet ended, for those who did not see the error because an encoder wrapped it.
#[derive(Debug, Clone)]
pub(super) struct WhyGone(Arc<OnceLock<Gone>>);

impl WhyGone {
    pub(super) fn get(&self) -> Option<Gone> {
        self.0.get().copied()
    }
}

impl Outlet {
    /// An outlet, and the body on its other side. It ends when `cut` is cancelled, or when the
    /// caller has taken nothing for as long as `patience` lasts.
    pub(super) fn open(patience: Duration, cut: CancellationToken) -> (Self, WhyGone, Body) {
        let (pieces, received) = mpsc::channel(CHUNKS_MAX);
        let gone = Arc::default();
        let outlet = Self {
            pieces,
            buffer: BytesMut::new(),
            runtime: Handle::current(),
            patience,
            cut,
            gone: Arc::clone(&gone),
        };
        (outlet, WhyGone(gone), Body::from_stream(chunks(received)))
    }

    /// Sends what is left, and says that it was all.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.send_buffer()?;
        self.send(Piece::End)
    }

    fn send_buffer(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = self.buffer.split().freeze();
        self.send(Piece::Bytes(chunk))
    }

    fn send(&self, piece: Piece) -> io::Result<()> {
        let sending = async {
            tokio::select! {
                sent = tokio::time::timeout(self.patience, self.pieces.send(piece)) => match sent {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(_)) => Err(Gone::Left),
                    Err(_) => Err(Gone::Stalled),
                },
                () = self.cut.cancelled() => Err(Gone::Cut),
            }
        };
        self.runtime.block_on(sending).map_err(|gone| {
            // The first reason is the reason.
            let _ = self.gone.set(gone);
            io::Error::new(io::ErrorKind::BrokenPipe, gone)
        })
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES.saturating_sub(self.buffer.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= CHUNK_BYTES {
            self.send_buffer()?;
        }
        Ok(taken.len())
    }

    /// Does nothing: encoders flush whenever they like, and the caller gets whole chunks.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn chunks(received: mpsc::Receiver<Piece>) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(Some(received), |received| async {
        let mut received = received?;
        match received.recv().await {
            Some(Piece::Bytes(chunk)) => Some((Ok(chunk), Some(received))),
            Some(Piece::End) => None,
            None => Some((Err(io::Error::other("the export broke off")), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use tokio::task::spawn_blocking;

    use super::*;

    /// Longer than any test.
    const FOREVER: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn what_was_written_arrives_in_order() {
        let (mut outlet, _, body) = Outlet::open(FOREVER, CancellationToken::new());
        let written: Vec<u8> = (0..CHUNK_BYTES * 10 + 7).map(|n| n.to_le_bytes()[0]).collect();
        let expected = written.clone();
        let writing = spawn_blocking(move || {
            outlet.write_all(&written).unwrap();
            outlet.finish().unwrap();
        });
        let arrived = to_bytes(body, usize::MAX).await.unwrap();
        writing.await.unwrap();
        assert!(arrived == expected, "{} bytes of {}", arrived.len(), expected.len());
    }

    #[tokio::test]
    async fn a_file_without_its_end_is_an_error() {
        let (mut outlet, _, body) = Outlet::open(FOREVER, CancellationToken::new());
        spawn_blocking(move || outlet.write_all(b"half of it").unwrap())
            .await
            .unwrap();
        to_bytes(body, usize::MAX).await.unwrap_err();
    }

    #[tokio::test]
    async fn a_caller_that_left_is_noticed() {
        let (mut outlet, gone, body) = Outlet::open(FOREVER, CancellationToken::new());
        drop(body);
        let writing = spawn_blocking(move || outlet.write_all(&vec![0; CHUNK_BYTES]));
        writing.await.unwrap().unwrap_err();
        assert_eq!(gone.get(), Some(Gone::Left));
    }

    #[tokio::test]
    async fn a_caller_that_reads_nothing_is_given_up_with_a_bounded_amount_in_hand() {
        let (mut outlet, gone, body) = Outlet::open(Duration::from_millis(20), CancellationToken::new());
        let writing = spawn_blocking(move || {
            let chunk = vec![0; CHUNK_BYTES];
            (0..1000).take_while(|_| outlet.write_all(&chunk).is_ok()).count()
        });
        assert_eq!(writing.await.unwrap(), CHUNKS_MAX);
        assert_eq!(gone.get(), Some(Gone::Stalled));
        to_bytes(body, usize::MAX).await.unwrap_err();
    }

    #[tokio::test]
    async fn an_export_that_is_told_to_end_does_not_wait_for_its_caller() {
        let cut = CancellationToken::new();
        let (mut outlet, gone, _body) = Outlet::open(FOREVER, cut.clone());
        let writing = spawn_blocking(move || outlet.write_all(&vec![0; CHUNK_BYTES * (CHUNKS_MAX + 1)]));
        cut.cancel();
        writing.await.unwrap().unwrap_err();
        assert_eq!(gone.get(), Some(Gone::Cut));
    }
}
