//! A running server process.

use std::{
    io,
    process::{Command, ExitStatus},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::wait::{self, Pause, Waited};

/// After the rude signal a process is waited for this long and then killed: Postgres needs a moment to stop its own.
const RUDE: Duration = Duration::from_secs(5);

/// The signals that end a server.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// Asks it to finish its work and end.
    pub polite: Signal,
    /// Makes it end now.
    pub rude: Signal,
}

/// A child process that ends with this value at the latest.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    manners: Manners,
    ended: Option<ExitStatus>,
}

impl Child {
    /// Starts `command`, which a [`Launcher`](crate::Launcher) has made.
    pub fn spawn(mut command: Command, manners: Manners) -> io::Result<Self> {
        Ok(Self {
            process: command.spawn()?,
            manners,
            ended: None,
        })
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// How the process ended, if it has.
    pub fn try_wait(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.process.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Asks the process to end and waits; if it takes longer than `grace`, or the wait is interrupted, makes it end.
    pub fn stop(&mut self, grace: Duration, pause: &mut Pause<'_>) {
        self.signal(self.manners.polite);
        if !matches!(wait::until(grace, pause, || self.try_wait()), Waited::Done(_)) {
            self.stop_now();
        }
    }

    /// Makes the process end, and waits until it has.
    pub fn stop_now(&mut self) {
        self.signal(self.manners.rude);
        if !matches!(wait::until(RUDE, &mut wait::sleep, || self.try_wait()), Waited::Done(_)) {
            self.kill();
        }
    }

    /// Ends the process in the middle of whatever it does, as a crash would.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.ended = self.process.wait().ok().or(self.ended);
    }

    fn signal(&mut self, signal: Signal) {
        if self.try_wait().is_none()
            && let Ok(id) = i32::try_from(self.id())
        {
            // It may have ended since; then there is nobody to tell.
            let _ = kill(Pid::from_raw(id), signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.try_wait().is_none() {
            self.stop_now();
        }
    }
}
