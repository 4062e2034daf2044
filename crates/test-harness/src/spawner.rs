//! The one thread that starts child processes.
//!
//! Linux ends such a child when the thread that started it ends. Threads of a test come and go; this one stays until
//! the process ends, however it ends, and then takes the children with it.

use std::sync::{LazyLock, Mutex, mpsc};

type Job = Box<dyn FnOnce() + Send>;

static JOBS: LazyLock<Mutex<mpsc::Sender<Job>>> = LazyLock::new(|| {
    let (jobs, inbox) = mpsc::channel::<Job>();
    std::thread::Builder::new()
        .name("test-servers".to_owned())
        .spawn(move || inbox.into_iter().for_each(|job| job()))
        .expect("a test can start a thread");
    Mutex::new(jobs)
});

/// Runs `job` on that thread and waits for what it returns.
pub(crate) async fn run<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> T {
    let (answer, answered) = tokio::sync::oneshot::channel();
    let job: Job = Box::new(move || {
        // A test that has given up waiting needs no answer.
        let _ = answer.send(job());
    });
    JOBS.lock()
        .expect("no job runs under the lock")
        .send(job)
        .expect("the thread ends with the process");
    answered
        .await
        .expect("a test server could not be started; the reason is above")
}
