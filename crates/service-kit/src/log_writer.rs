//! Where log lines go: to standard error, those about requests some at a time.
//!
//! A line for each request, written by itself, is a system call for each request, which is as
//! much work as finding out what to answer. So these lines wait for a moment and go together.
//! Everything else, and every warning, goes at once and takes along what waits, so that the
//! order of lines stays that of events.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// The target of lines about requests.
pub(crate) const REQUESTS: &str = "http";

/// How long a line may wait: nobody who watches a log notices, and under load hundreds of lines
/// come together meanwhile. It is also what a process that is killed may leave unwritten.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// No more than this waits. Whoever comes next writes it all, so that a slow reader of the log
/// slows the service down and does not fill its memory.
const WAITING_BYTES_MAX: usize = 256 * 1024;

static WAITING: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static WRITER: OnceLock<Option<Thread>> = OnceLock::new();

/// Writes the lines that wait. For those who end a process.
pub(crate) fn flush() {
    write_out(&mut waiting());
}

fn waiting() -> MutexGuard<'static, Vec<u8>> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_out(waiting: &mut Vec<u8>) {
    // There is nowhere to say that the log cannot be written.
    let _ = io::stderr().write_all(waiting);
    waiting.clear();
}

/// The thread that writes what has waited. Without one, lines go at once.
fn writer() -> Option<&'static Thread> {
    let start = || {
        let started = thread::Builder::new().name("log".to_owned()).spawn(|| {
            loop {
                // Woken by the first line that waits.
                thread::park();
                thread::park_timeout(WAIT_MAX);
                flush();
            }
        });
        started.ok().map(|handle| handle.thread().clone())
    };
    WRITER.get_or_init(start).as_ref()
}

/// Makes the writers of lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogWriter;

/// Writes one line.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Line {
    Now,
    Soon,
}

impl<'w> MakeWriter<'w> for LogWriter {
    type Writer = Line;

    fn make_writer(&'w self) -> Line {
        Line::Now
    }

    fn make_writer_for(&'w self, meta: &Metadata<'_>) -> Line {
        let is_ordinary = *meta.level() >= Level::INFO;
        if is_ordinary && meta.target() == REQUESTS {
            Line::Soon
        } else {
            Line::Now
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = waiting();
        let is_first = waiting.is_empty();
        waiting.extend_from_slice(bytes);
        match (self, writer()) {
            (Self::Soon, Some(writer)) if waiting.len() <= WAITING_BYTES_MAX => {
                drop(waiting);
                if is_first {
                    writer.unpark();
                }
            }
            (Self::Soon | Self::Now, _) => write_out(&mut waiting),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        flush();
        Ok(())
    }
}
