//! A program that a test starts, such as `recourse command-service`.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use nix::sys::signal::Signal;
use servers::{Child, Launcher, child::Manners, launch::Launch, wait};
use tempfile::TempDir;

use crate::spawner;

/// How long a program may take to finish its work when it is asked to end.
const GRACE: Duration = Duration::from_secs(30);

/// A program of a test's own. It ends with this value, or with the test's process.
#[derive(Debug)]
pub struct Process {
    // Fields are dropped in order: the program before the files that it writes.
    child: Arc<Mutex<Child>>,
    id: u32,
    output: TempDir,
}

impl Process {
    /// Starts a program with these arguments, and these variables beside those of the test.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub async fn start<A: Into<OsString>>(
        program: PathBuf,
        args: impl IntoIterator<Item = A>,
        variables: &[(&str, &str)],
    ) -> Self {
        let output = tempfile::Builder::new()
            .prefix("recourse-test-output-")
            .tempdir()
            .expect("a temporary directory");
        let file = |name| File::create(output.path().join(name)).expect("a temporary file");
        let launch = Launch {
            program,
            args: args.into_iter().map(Into::into).collect(),
            user: None,
            on_parent_death: Signal::SIGKILL,
            reach: None,
        };
        let manners = Manners {
            polite: Signal::SIGTERM,
            rude: Signal::SIGKILL,
        };
        let mut command = Launcher::Setpriv.command(&launch);
        command
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        let child = spawner::run(move || Child::spawn(command, manners)).await;
        let child = child.unwrap_or_else(|error| panic!("cannot start {}: {error}", launch.program.display()));
        Self {
            id: child.id(),
            child: Arc::new(Mutex::new(child)),
            output,
        }
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What it has written to its standard output so far.
    pub fn stdout(&self) -> String {
        self.written("stdout")
    }

    /// What it has written to its standard error so far.
    pub fn stderr(&self) -> String {
        self.written("stderr")
    }

    fn written(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.output.path().join(name)).unwrap_or_default()).into_owned()
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<ExitStatus> {
        self.lock().try_wait()
    }

    /// Kills it as a crash would (SIGKILL), and waits until it is gone.
    pub async fn kill(&self) {
        self.elsewhere(Child::kill).await;
    }

    /// Asks it to end (SIGTERM), and waits until it has.
    pub async fn terminate(&self) -> Option<ExitStatus> {
        self.elsewhere(|child| {
            child.stop(GRACE, &mut wait::sleep);
            child.try_wait()
        })
        .await
    }

    /// Waiting for a process blocks.
    async fn elsewhere<T: Send + 'static>(&self, job: impl FnOnce(&mut Child) -> T + Send + 'static) -> T {
        let child = Arc::clone(&self.child);
        let done = tokio::task::spawn_blocking(move || job(&mut child.lock().expect("no test panics under the lock")));
        done.await.expect("waiting for a process does not panic")
    }

    fn lock(&self) -> MutexGuard<'_, Child> {
        self.child.lock().expect("no test panics under the lock")
    }
}
