//! One Postgres for all tests of a process, and a database for each test.

use std::{
    env, fs,
    path::{Path, PathBuf},
    str::FromStr as _,
};

use servers::{
    Launcher,
    postgres::{Durability, Options, Postgres as Server},
    wait,
};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::OnceCell;

use crate::{places, spawner};

/// Directories of test servers are named by the process that uses them.
const DIR_PREFIX: &str = "recourse-test-postgres-";

/// The Postgres of this test process, or of the whole run of `cargo xtask test`.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    /// Its own one lives as long as the process, which is what takes it down.
    _server: Option<Server>,
}

/// The server, started by whoever asks first.
pub async fn postgres() -> &'static Postgres {
    static SHARED: OnceCell<Postgres> = OnceCell::const_new();
    SHARED.get_or_init(Postgres::start).await
}

impl Postgres {
    async fn start() -> Self {
        if let Some(url) = env::var_os("RECOURSE_TEST_DATABASE_URL") {
            return Self {
                url: url.to_string_lossy().into_owned(),
                _server: None,
            };
        }
        let server = spawner::run(|| {
            remove_leftovers();
            let home = env::temp_dir().join(format!("{DIR_PREFIX}{}", std::process::id()));
            fs::create_dir_all(&home).unwrap_or_else(|error| panic!("cannot create {}: {error}", home.display()));
            let options = Options {
                bin: places::postgres_bin(),
                dir: home.join("postgres"),
                log: home.join("postgres.log"),
                durability: Durability::Scratch,
            };
            Server::start(options, Launcher::Setpriv, &mut wait::sleep).unwrap_or_else(|error| panic!("{error}"))
        })
        .await;
        Self {
            url: server.url(),
            _server: Some(server),
        }
    }

    /// The server's own database, for tests that create and drop databases themselves.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A new empty database; returns its URL. It goes with the server.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub async fn database(&self) -> String {
        let name = format!("test_{}", uuid::Uuid::new_v4().simple());
        let options = PgConnectOptions::from_str(&self.url).expect("the URL of the test server is well-formed");
        let mut connection: PgConnection = options.connect().await.expect("the test server takes connections");
        // STRATEGY file_copy would wait for a checkpoint; the default writes a few megabytes and is done.
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("the test server makes databases");
        // Nothing depends on a clean goodbye.
        let _ = connection.close().await;
        with_database(&self.url, &name)
    }
}

/// The same URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url
        .split_once('?')
        .map_or((url, String::new()), |(a, q)| (a, format!("?{q}")));
    let (server, _) = address.rsplit_once('/').expect("the URL names a database");
    format!("{server}/{name}{query}")
}

/// A test process has no moment at which to remove the directory of its own server; the next one does it.
fn remove_leftovers() {
    let Ok(entries) = fs::read_dir(env::temp_dir()) else {
        return;
    };
    let ended = |path: &PathBuf| {
        let process = path.file_name()?.to_str()?.strip_prefix(DIR_PREFIX)?;
        (!Path::new("/proc").join(process).exists()).then_some(())
    };
    for path in entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| ended(path).is_some())
    {
        // Another process may be doing the same.
        let _ = fs::remove_dir_all(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_keeps_the_socket() {
        assert_eq!(
            with_database("postgres://r:p@localhost/recourse?host=/tmp/s", "test_1"),
            "postgres://r:p@localhost/test_1?host=/tmp/s"
        );
        assert_eq!(
            with_database("postgres://r:p@db:5432/recourse", "t"),
            "postgres://r:p@db:5432/t"
        );
    }
}
