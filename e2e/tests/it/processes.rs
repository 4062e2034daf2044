//! The `recourse` binary, and the machine's processes.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::net::TcpListener;

use test_harness::{Process, recourse_bin, wait_until};

use crate::http::{Api, LIMIT};

/// Starts `recourse` with these words.
pub(crate) async fn recourse(words: &[&str], variables: &[(&str, &str)]) -> Process {
    Process::start(recourse_bin(), words.iter().map(ToString::to_string), variables).await
}

/// Runs `recourse` to its end; returns what it printed.
///
/// # Panics
///
/// If it fails.
pub(crate) async fn recourse_succeeds(words: &[&str]) -> String {
    let process = recourse(words, &[]).await;
    let status = wait_until("recourse to end", 2 * LIMIT, async || process.ended()).await;
    assert!(status.success(), "recourse {words:?}: {}", process.stderr());
    process.stdout()
}

/// An address that nobody listens on. Somebody may come to before it is used; nobody does so on purpose.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A service as a process, on an address that stays the same when it is started anew.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) api: Api,
    words: Vec<String>,
    pub(crate) process: Process,
}

impl Service {
    /// Starts a service; ready or not.
    pub(crate) async fn start(words: &[&str]) -> Self {
        let address = free_address();
        let words: Vec<String> = words
            .iter()
            .chain(&["--listen", &address])
            .map(ToString::to_string)
            .collect();
        let process = start(&words).await;
        Self {
            api: Api::new(format!("http://{address}")),
            words,
            process,
        }
    }

    pub(crate) async fn is_ready(&self) {
        wait_until(&self.words.join(" "), LIMIT, async || {
            assert_eq!(self.process.ended(), None, "{}", self.process.stderr());
            self.api.ready().await
        })
        .await;
    }

    /// Kills it with SIGKILL and starts it again.
    pub(crate) async fn crash(&mut self) {
        self.process.kill().await;
        self.process = start(&self.words).await;
    }
}

async fn start(words: &[String]) -> Process {
    Process::start(recourse_bin(), words.iter().cloned(), &[("RUST_LOG", "warn")]).await
}

/// A process that cannot be taken for another one that got its id later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) id: u32,
    started: String,
    pub(crate) name: String,
}

/// All that descend from a process, itself included.
pub(crate) fn tree(root: u32) -> BTreeSet<Identity> {
    let processes: HashMap<u32, (u32, Identity)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, look(id)?)))
        .collect();
    let mut tree = BTreeSet::new();
    let mut ids = vec![root];
    while let Some(id) = ids.pop() {
        ids.extend(
            processes
                .iter()
                .filter(|(_, (parent, _))| *parent == id)
                .map(|(id, _)| *id),
        );
        tree.extend(processes.get(&id).map(|(_, identity)| identity.clone()));
    }
    tree
}

/// The parent and the identity of a process that runs.
fn look(id: u32) -> Option<(u32, Identity)> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let (before, after) = stat.rsplit_once(") ")?;
    let name = before.split_once(" (")?.1.to_owned();
    let fields: Vec<&str> = after.split(' ').collect();
    let (state, parent, started) = (
        *fields.first()?,
        fields.get(1)?.parse().ok()?,
        (*fields.get(19)?).to_owned(),
    );
    (state != "Z").then_some((parent, Identity { id, started, name }))
}

/// Returns once none of these runs any more.
pub(crate) async fn gone(tree: &BTreeSet<Identity>) {
    wait_until("every process to be gone", LIMIT, async || {
        let left: Vec<_> = tree
            .iter()
            .filter(|one| look(one.id).is_some_and(|(_, now)| now == **one))
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    })
    .await;
}
