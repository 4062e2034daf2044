//! Starting a child that cannot outlive its parent.
//!
//! What has to happen between fork and exec cannot be written without unsafe code, so it happens after an exec: the
//! child is this same executable, started as `recourse exec-server … -- PROGRAM ARGS…`, which prepares itself with
//! [`exec`] and then becomes the program. The process id stays the same all the way.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    str::FromStr as _,
};

use caps::{CapSet, Capability};
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{SigSet, Signal},
    },
    unistd::{self, Pid, Uid, User},
};

/// The hidden subcommand that leads to [`exec`].
pub const SUBCOMMAND: &str = "exec-server";

/// What lets a user pass through directories that are not his, the weakest first. The first is all that is needed,
/// but containers often withhold it and grant the second.
const WAYS_THROUGH: [Capability; 2] = [Capability::CAP_DAC_READ_SEARCH, Capability::CAP_DAC_OVERRIDE];

/// How children are started.
#[derive(Debug, Clone)]
pub enum Launcher {
    /// Through an executable of ours that has the subcommand [`SUBCOMMAND`].
    Ours(PathBuf),
    /// Through `setpriv` of util-linux, for tests, whose executables have no subcommands.
    Setpriv,
}

/// A program to start, and how it is to end.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Who it runs as; `None` is whoever runs this process.
    pub user: Option<User>,
    /// What it is sent when the parent dies.
    pub on_parent_death: Signal,
    /// A directory that it must be able to enter even where a directory above belongs to somebody else.
    pub reach: Option<PathBuf>,
}

impl Launcher {
    /// Children start through the running executable.
    pub fn this_executable() -> io::Result<Self> {
        std::env::current_exe().map(Self::Ours)
    }

    /// The command that starts `launch`, in a process group of its own: Ctrl-C in a terminal then reaches the
    /// supervisor alone, which stops its children in the right order.
    ///
    /// The child lives no longer than the *thread* that spawns this.
    pub fn command(&self, launch: &Launch) -> Command {
        let mut command = match self {
            Self::Ours(executable) => ours(executable, launch),
            Self::Setpriv => setpriv(launch),
        };
        command
            .arg("--")
            .arg(&launch.program)
            .args(&launch.args)
            .process_group(0);
        command
    }
}

fn ours(executable: &Path, launch: &Launch) -> Command {
    let mut command = Command::new(executable);
    command.arg(SUBCOMMAND);
    command.arg("--parent").arg(std::process::id().to_string());
    command.arg("--signal").arg(launch.on_parent_death.as_str());
    if let Some(user) = &launch.user {
        command.arg("--as-user").arg(&user.name);
    }
    if let Some(reach) = &launch.reach {
        command.arg("--reach").arg(reach);
    }
    command
}

fn setpriv(launch: &Launch) -> Command {
    let mut command = Command::new("setpriv");
    command
        .arg("--pdeathsig")
        .arg(launch.on_parent_death.as_str().trim_start_matches("SIG"));
    if let Some(user) = &launch.user {
        command.args(["--reuid", &user.name, "--regid", &user.gid.to_string(), "--init-groups"]);
    }
    command
}

/// Why [`exec`] did not become the program.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The arguments are not those that [`Launcher`] writes.
    #[error(
        "{SUBCOMMAND} is for recourse itself; its arguments are --parent PID --signal NAME [--as-user NAME] [--reach DIR] -- PROGRAM ARGS"
    )]
    Arguments,
    /// The user does not exist.
    #[error("there is no user {0}")]
    NoUser(String),
    /// The parent died before its child was ready to notice.
    #[error("the parent process is gone")]
    ParentGone,
    /// The system refused a step.
    #[error("cannot {step}")]
    Refused {
        /// The step.
        step: &'static str,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Becomes the program named by `args` (all that follows the subcommand). Returns only if that failed.
///
/// Call it first thing in `main`, before there is a second thread.
pub fn exec(args: impl IntoIterator<Item = OsString>) -> ExecError {
    match try_exec(args) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn try_exec(args: impl IntoIterator<Item = OsString>) -> Result<std::convert::Infallible, ExecError> {
    let Plan {
        parent,
        signal,
        user,
        reach,
        program,
        args,
    } = Plan::parse(args).ok_or(ExecError::Arguments)?;
    if let Some(name) = user {
        let user = User::from_name(&name).ok().flatten().ok_or(ExecError::NoUser(name))?;
        become_user(&user)?;
        pass_through([Some(program.as_path()), reach.as_deref()].into_iter().flatten());
    }
    // Changing the user clears this, hence after it.
    prctl::set_pdeathsig(signal).map_err(refused("ask for a signal at the parent's death"))?;
    if unistd::getppid() != parent {
        return Err(ExecError::ParentGone);
    }
    // The supervisor blocks the signals that it waits for, and a child inherits that.
    SigSet::empty().thread_set_mask().map_err(refused("unblock signals"))?;
    let source = Command::new(&program).args(args).exec();
    Err(ExecError::Refused {
        step: "run the program",
        source,
    })
}

fn refused(step: &'static str) -> impl FnOnce(Errno) -> ExecError {
    move |errno| ExecError::Refused {
        step,
        source: errno.into(),
    }
}

fn become_user(user: &User) -> Result<(), ExecError> {
    if Uid::effective() == user.uid {
        return Ok(());
    }
    // Without this, leaving root drops everything at once, and `pass_through` has nothing to choose from.
    prctl::set_keepcaps(true).map_err(refused("keep capabilities"))?;
    unistd::setgroups(&[user.gid]).map_err(refused("set the groups"))?;
    unistd::setgid(user.gid).map_err(refused("set the group"))?;
    unistd::setuid(user.uid).map_err(refused("set the user"))
}

/// Keeps, of all that root may do, only what it takes to reach `paths`, and nothing where they can be reached anyway.
///
/// A data directory inside a private directory of root's (such as `mktemp -d` makes) would otherwise be out of reach.
/// Where it cannot be arranged the program starts without, and says itself what it cannot open.
fn pass_through<'p>(paths: impl Iterator<Item = &'p Path>) {
    let blocked: Vec<&Path> = paths.filter(|path| is_denied(path)).collect();
    let way = WAYS_THROUGH.into_iter().find(|way| {
        !blocked.is_empty()
            && caps::raise(None, CapSet::Effective, *way).is_ok()
            && blocked.iter().all(|path| !is_denied(path))
    });
    let kept = way.into_iter().collect();
    let keep = || -> Result<(), caps::errors::CapsError> {
        caps::set(None, CapSet::Effective, &kept)?;
        caps::set(None, CapSet::Permitted, &kept)?;
        caps::set(None, CapSet::Inheritable, &kept)?;
        caps::set(None, CapSet::Ambient, &kept)
    };
    if keep().is_err() {
        // Whatever is not ambient is gone at exec.
        let _ = caps::clear(None, CapSet::Ambient);
    }
}

fn is_denied(path: &Path) -> bool {
    std::fs::metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

/// The arguments of the hidden subcommand.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    parent: Pid,
    signal: Signal,
    user: Option<String>,
    reach: Option<PathBuf>,
    program: PathBuf,
    args: Vec<OsString>,
}

impl Plan {
    fn parse(args: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut args = args.into_iter();
        let (mut parent, mut signal, mut user, mut reach) = (None, None, None, None);
        loop {
            let flag = args.next()?;
            if flag == "--" {
                break;
            }
            let value = args.next()?;
            match flag.to_str()? {
                "--parent" => parent = Some(Pid::from_raw(text(&value)?.parse().ok()?)),
                "--signal" => signal = Some(Signal::from_str(text(&value)?).ok()?),
                "--as-user" => user = Some(text(&value)?.to_owned()),
                "--reach" => reach = Some(PathBuf::from(value)),
                _ => return None,
            }
        }
        let program = args.next()?.into();
        Some(Self {
            parent: parent?,
            signal: signal?,
            user,
            reach,
            program,
            args: args.collect(),
        })
    }
}

fn text(value: &OsStr) -> Option<&str> {
    value.to_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        Launch {
            program: "/bin/true".into(),
            args: vec!["--parent".into(), "x".into()],
            user: None,
            on_parent_death: Signal::SIGINT,
            reach: Some("/data".into()),
        }
    }

    #[test]
    fn what_the_launcher_writes_is_what_exec_reads() {
        let command = Launcher::Ours("recourse".into()).command(&launch());
        let mut args = command.get_args().map(OsStr::to_owned);
        assert_eq!(args.next(), Some(SUBCOMMAND.into()));
        let expected = Plan {
            parent: Pid::this(),
            signal: Signal::SIGINT,
            user: None,
            reach: Some("/data".into()),
            program: "/bin/true".into(),
            args: vec!["--parent".into(), "x".into()],
        };
        assert_eq!(Plan::parse(args), Some(expected));
    }

    #[test]
    fn arguments_of_somebody_else_are_refused() {
        for args in [
            &["--parent", "1"][..],
            &["--signal", "SIGTERM", "--", "/bin/true"],
            &["--what", "1", "--", "x"],
        ] {
            assert_eq!(Plan::parse(args.iter().map(OsString::from)), None, "{args:?}");
        }
    }

    #[test]
    fn a_child_of_another_parent_does_not_start() {
        // No process is its own parent.
        let own = std::process::id().to_string();
        let args = ["--parent", &own, "--signal", "SIGTERM", "--", "/bin/true"];
        assert!(matches!(exec(args.iter().map(OsString::from)), ExecError::ParentGone));
    }
}
