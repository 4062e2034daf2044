//! Signals as a queue that the supervisor waits on.

use std::{
    io,
    ops::ControlFlow,
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

use nix::sys::signal::{SigSet, Signal};

/// How many signals may wait. They carry no content, so a few are as good as many.
const WAITING_MAX: usize = 16;

/// What a signal means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Somebody wants everything to stop.
    Stop,
    /// A child has ended.
    Child,
}

/// The queue.
#[derive(Debug)]
pub(super) struct Signals {
    inbox: mpsc::Receiver<Event>,
    told_to_stop: bool,
}

impl Signals {
    /// Takes over SIGINT, SIGTERM, SIGHUP and SIGCHLD. Call it before there is a second thread.
    pub(super) fn listen() -> io::Result<Self> {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCHLD]
            .into_iter()
            .collect();
        signals.thread_block()?;
        let (outbox, inbox) = mpsc::sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            while let Ok(signal) = signals.wait() {
                let event = if signal == Signal::SIGCHLD {
                    Event::Child
                } else {
                    Event::Stop
                };
                if outbox.send(event).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self {
            inbox,
            told_to_stop: false,
        })
    }

    /// The next event, or `None` when `limit` has passed without one.
    pub(super) fn next(&mut self, limit: Duration) -> Option<Event> {
        let event = match self.inbox.recv_timeout(limit) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            // Without its thread nobody could stop this any more.
            Err(RecvTimeoutError::Disconnected) => Some(Event::Stop),
        };
        self.told_to_stop |= event == Some(Event::Stop);
        event
    }

    /// Lets time pass, and breaks when told to stop meanwhile.
    pub(super) fn pass(&mut self, duration: Duration) -> ControlFlow<()> {
        match self.next(duration) {
            Some(Event::Stop) => ControlFlow::Break(()),
            Some(Event::Child) | None => ControlFlow::Continue(()),
        }
    }

    /// Whether somebody has wanted everything to stop.
    pub(super) fn told_to_stop(&self) -> bool {
        self.told_to_stop
    }
}
