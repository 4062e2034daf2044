//! The running children: restarted when they crash, stopped in the reverse of the order in which they started.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use servers::{Child, Launcher, Nats, Postgres, child::Manners, launch::Launch, wait::Pause};

use super::{Args, Connection, ready, signals::Event, signals::Signals};

/// The pause before the first restart, doubled at each further one.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// A child that crashes again and again is tried this often.
const BACKOFF_MAX: Duration = Duration::from_secs(10);
/// The children are looked at this often, whatever is heard of them: the end of one that comes while another
/// is being restarted is heard by that restart, which waits for something else.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A child that ran this long has recovered; its next crash is a first one.
const RECOVERED: Duration = Duration::from_mins(1);
/// How long a child may take to finish its work before it is made to end.
const GRACE: Duration = Duration::from_secs(20);

/// A process that can be started again.
pub(super) trait Member {
    /// The process.
    fn child(&mut self) -> &mut Child;
    /// Starts it again with the same data and the same address.
    fn restart(&mut self, pause: &mut Pause<'_>) -> anyhow::Result<()>;
}

impl Member for Nats {
    fn child(&mut self) -> &mut Child {
        self.child()
    }

    fn restart(&mut self, pause: &mut Pause<'_>) -> anyhow::Result<()> {
        Ok(self.restart(pause)?)
    }
}

impl Member for Postgres {
    fn child(&mut self) -> &mut Child {
        self.child()
    }

    fn restart(&mut self, pause: &mut Pause<'_>) -> anyhow::Result<()> {
        Ok(self.restart(pause)?)
    }
}

/// `recourse serve`: the four services.
#[derive(Debug)]
pub(super) struct Serve {
    launcher: Launcher,
    launch: Launch,
    environment: Vec<(&'static str, String)>,
    child: Child,
}

impl Serve {
    const MANNERS: Manners = Manners {
        polite: Signal::SIGTERM,
        rude: Signal::SIGKILL,
    };

    pub(super) fn start(launcher: Launcher, args: &Args, data: &Path, connection: &Connection) -> anyhow::Result<Self> {
        let mut words = vec!["serve".into(), "--data-dir".into(), data.into()];
        words.extend(["--listen".into(), args.listen.to_string().into()]);
        words.extend(["--policy".into(), args.policy.clone().into()]);
        words.extend(["--sync".into(), args.sync.to_string().into()]);
        if let Some(digest) = &args.digest {
            words.extend(["--digest".into(), digest.to_string().into()]);
        }
        if let Some(partitions) = args.partitions {
            words.extend(["--partitions".into(), partitions.to_string().into()]);
        }
        let launch = Launch {
            program: std::env::current_exe().context("cannot find this executable")?,
            args: words,
            user: None,
            on_parent_death: Self::MANNERS.polite,
            reach: None,
        };
        // Not as arguments, which every user of the machine can read.
        let mut environment = args.mail.environment();
        environment.extend(args.openid.environment());
        environment.extend([
            ("RECOURSE_NATS_URL", connection.nats.clone()),
            ("RECOURSE_DATABASE_URL", connection.database.clone()),
        ]);
        let child = Self::spawn(&launcher, &launch, &environment)?;
        Ok(Self {
            launcher,
            launch,
            environment,
            child,
        })
    }

    fn spawn(launcher: &Launcher, launch: &Launch, environment: &[(&str, String)]) -> anyhow::Result<Child> {
        let mut command = launcher.command(launch);
        command
            .stdin(Stdio::null())
            .envs(environment.iter().map(|(name, value)| (name, value)));
        Child::spawn(command, Self::MANNERS).context("cannot start the services")
    }
}

impl Member for Serve {
    fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    fn restart(&mut self, _: &mut Pause<'_>) -> anyhow::Result<()> {
        self.child = Self::spawn(&self.launcher, &self.launch, &self.environment)?;
        Ok(())
    }
}

struct Managed {
    name: &'static str,
    member: Box<dyn Member>,
    started: Instant,
    crashes: u32,
    restart_due: Option<Instant>,
}

/// The children, in the order in which they started.
pub(super) struct Tree {
    members: Vec<Managed>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Takes over a child that was just started.
    pub(super) fn add(&mut self, name: &'static str, member: impl Member + 'static) {
        let member = Box::new(member);
        self.members.push(Managed {
            name,
            member,
            started: Instant::now(),
            crashes: 0,
            restart_due: None,
        });
    }

    /// A child that has ended, and how.
    pub(super) fn ended(&mut self) -> Option<String> {
        self.members
            .iter_mut()
            .find_map(|one| Some(format!("{} ended ({})", one.name, one.member.child().try_wait()?)))
    }

    /// Restarts what crashes, until told to stop.
    pub(super) fn keep(&mut self, signals: &mut Signals) -> anyhow::Result<()> {
        loop {
            let now = Instant::now();
            let due = self.members.iter().filter_map(|one| one.restart_due).min();
            let pause = due.map_or(LOOK_EVERY, |due| due.saturating_duration_since(now).min(LOOK_EVERY));
            let event = signals.next(pause);
            if event == Some(Event::Stop) {
                return Ok(());
            }
            for one in &mut self.members {
                one.mend(signals);
            }
            if signals.told_to_stop() {
                return Ok(());
            }
        }
    }

    /// Stops every child, the last one first. A second signal meanwhile makes them end at once.
    pub(super) fn stop(&mut self, signals: &mut Signals) {
        while let Some(mut one) = self.members.pop() {
            one.member.child().stop(GRACE, &mut |duration| signals.pass(duration));
        }
    }
}

impl Managed {
    /// Notices a crash, and restarts when it is time to.
    fn mend(&mut self, signals: &mut Signals) {
        match self.restart_due {
            None => {
                if let Some(status) = self.member.child().try_wait() {
                    self.plan_restart(&format!("ended ({status})"));
                }
            }
            Some(due) if due <= Instant::now() => {
                let restarted = self.member.restart(&mut |duration| signals.pass(duration));
                self.started = Instant::now();
                self.restart_due = None;
                match restarted {
                    Ok(()) => ready::progress(&format!("{} runs again", self.name)),
                    Err(error) => self.plan_restart(&format!("did not start: {error:#}")),
                }
            }
            Some(_) => {}
        }
    }

    fn plan_restart(&mut self, what_happened: &str) {
        if self.started.elapsed() >= RECOVERED {
            self.crashes = 0;
        }
        let pause = backoff(self.crashes);
        self.crashes = self.crashes.saturating_add(1);
        self.restart_due = Some(Instant::now() + pause);
        ready::progress(&format!("{} {what_happened}; restarting in {pause:?}", self.name));
    }
}

fn backoff(crashes: u32) -> Duration {
    BACKOFF_FIRST
        .saturating_mul(2_u32.saturating_pow(crashes))
        .min(BACKOFF_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_come_at_growing_intervals_up_to_a_limit() {
        assert_eq!(backoff(0), Duration::from_millis(100));
        assert_eq!(backoff(3), Duration::from_millis(800));
        assert_eq!(backoff(u32::MAX), BACKOFF_MAX);
    }
}
