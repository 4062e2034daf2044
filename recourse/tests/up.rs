//! What `recourse up` says when it cannot start: one line, with what to do. That it starts is for the end-to-end tests.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;

struct Up {
    command: Command,
    home: TempDir,
}

impl Up {
    /// `recourse up` in an empty directory, on a free port, where no server is to be found.
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_recourse"));
        command.arg("up").current_dir(home.path()).env_clear();
        command
            .env("PATH", home.path())
            .env("RECOURSE_RUNTIME_DIR", home.path());
        command
            .env("RECOURSE_DATA_DIR", "data")
            .env("RECOURSE_LISTEN", "127.0.0.1:0");
        Self { command, home }
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        self.command.env(variable, value);
        self
    }

    /// Runs it; it must fail with one line that has all these words in it.
    #[track_caller]
    fn fails_with(mut self, words: &[&str]) {
        let Output { status, stdout, stderr } = self.command.output().expect("recourse runs");
        let message = String::from_utf8(stderr).expect("messages are text");
        assert_eq!(status.code(), Some(1), "{message}");
        assert_eq!(String::from_utf8_lossy(&stdout), "");
        assert_eq!(message.trim().lines().count(), 1, "{message}");
        for word in words {
            assert!(message.contains(word), "{word:?} is missing in {message:?}");
        }
    }
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    Up::new()
        .with("RECOURSE_LISTEN", &address)
        .fails_with(&["another program listens on", &address, "--listen"]);
}

#[test]
fn a_directory_that_cannot_be_written_is_named_with_the_way_out() {
    let up = Up::new();
    // Nobody can make a directory inside a file, not even root.
    fs::write(up.home().join("file"), "").unwrap();
    up.with("RECOURSE_DATA_DIR", "file/data")
        .fails_with(&["cannot create", "file/data", "--data-dir"]);
}

#[test]
fn a_directory_of_somebody_elses_is_refused_and_left_as_it_is() {
    let up = Up::new();
    let data = up.home().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("letters.txt"), "Dear").unwrap();
    up.fails_with(&["not a data directory of recourse", "--data-dir"]);
}

#[test]
fn a_directory_in_use_is_refused_with_the_process_that_uses_it() {
    let up = Up::new();
    let data = up.home().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("recourse.json"), r#"{"format": 1}"#).unwrap();
    let holder = std::process::id().to_string();
    fs::write(data.join("lock"), &holder).unwrap();
    let lock = File::open(data.join("lock")).unwrap();
    lock.lock().unwrap();
    up.fails_with(&["is in use by process", &holder, "--data-dir"]);
}

#[test]
fn a_missing_server_is_named_with_how_to_get_it() {
    Up::new().fails_with(&["no nats-server found", "2.15.1", "--fetch-servers", "--nats-server"]);
}

#[test]
fn a_server_that_is_too_old_is_named_with_both_versions() {
    let up = Up::new();
    // Written by a process of its own: a file that this process has open for writing while another test forks cannot
    // be run.
    let script = r#"printf '#!/bin/sh\necho nats-server: v2.9.10\n' > "$0" && chmod 755 "$0""#;
    let written = Command::new("sh")
        .args(["-c", script])
        .arg(up.home().join("nats-server"))
        .status()
        .unwrap();
    assert!(written.success());
    up.fails_with(&["nats-server 2.9.10", "2.15.1", "--fetch-servers"]);
}

#[test]
fn a_policy_that_is_neither_known_nor_a_file_is_refused() {
    Up::new()
        .with("RECOURSE_POLICY", "suportal")
        .fails_with(&["suportal", "supportal", "cabinet"]);
}

#[test]
fn settings_of_mail_that_are_not_all_there_are_refused() {
    Up::new()
        .with("RECOURSE_SMTP", "smtps://desk:secret@localhost")
        .fails_with(&["--smtp", "--mail-from", "--public-url"]);
}
