//! The first administrator: a profile, and a token that is kept in the data directory, both made at the first start.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use domain::actor::{Actor, ActorKind, Permission};
use domain::ids::{CommandId, UserId};
use domain::people::{Profile, Rejection, User, UserKind};
use domain::text::Label;
use event_log::{EventLog, ProfileError, Request};
use service_kit::Clock;
use service_kit::tokens::{GrantKind, TokenGrant, TokenHash, generate, is_token};
use uuid::Uuid;

/// The file in the data directory, as the HTTP contract names it.
const FILE: &str = "admin-token";

/// The administrator is the same person whatever becomes of the token.
const ADMINISTRATOR: UserId = UserId::from_bytes(*b"recourse---admin");
const NAME: &str = "Administrator";

/// Sees to it that the file exists and that its token is granted. In place of one that was revoked another is made:
/// whoever can start the desk can make tokens anyway, and one that opens nothing would only be printed.
///
/// The file comes first and whole: a crash before the grant leaves a token that the next start
/// grants, and one before the file leaves nothing. What people have made of the profile stays.
pub(super) async fn ensure(data_dir: &Path, log: &EventLog, clock: &dyn Clock) -> anyhow::Result<()> {
    let path = data_dir.join(FILE);
    let token = match read(&path)? {
        Some(token) => token,
        None => write(&path).with_context(|| format!("cannot write {}", path.display()))?,
    };
    let tokens = log.tokens();
    let hash = match tokens.get(TokenHash::of(&token)).await? {
        Some(grant) if grant.revoked_at.is_none() => return Ok(()),
        Some(_) => TokenHash::of(&write(&path).with_context(|| format!("cannot write {}", path.display()))?),
        None => TokenHash::of(&token),
    };
    introduce(log).await?;
    let grant = TokenGrant {
        user: ADMINISTRATOR.as_uuid(),
        name: NAME.to_owned(),
        kind: GrantKind::Staff,
        organisation: None,
        groups: Vec::new(),
        leading: true,
        permissions: Permission::ALL
            .map(|permission| permission.as_str().to_owned())
            .to_vec(),
        created_at: clock.now(),
        revoked_at: None,
        expires_at: None,
        session: None,
        viewer: None,
        scopes: None,
        purpose: None,
    };
    tokens.put(hash, &grant).await?;
    tracing::info!("the administrator's token is in {}", path.display());
    Ok(())
}

/// Writes the administrator's profile, unless there is one.
async fn introduce(log: &EventLog) -> anyhow::Result<()> {
    let user = User {
        permissions: BTreeSet::from(Permission::ALL),
        ..User::plain(Label::parse(NAME)?, UserKind::Staff)
    };
    // Nobody else is there who could have written it.
    let administrator = Actor {
        name: Some(user.name.clone()),
        permissions: user.permissions.clone(),
        ..Actor::plain(ADMINISTRATOR, ActorKind::Staff)
    };
    let request = Request::new(CommandId::from(Uuid::new_v4()), [0; 32], Arc::new(administrator));
    let profile = Profile::User(user);
    match log
        .directory()
        .create(ADMINISTRATOR.as_uuid(), &profile, &request)
        .await
    {
        Ok(_) | Err(ProfileError::Rejected(Rejection::AlreadyThere)) => Ok(()),
        Err(error) => Err(error).context("cannot write the administrator's profile"),
    }
}

fn read(path: &Path) -> anyhow::Result<Option<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| {
                let path = path.display();
                format!("cannot read {path}: if it is damaged, delete it, and the next start makes a new one")
            });
        }
    };
    let token = text.trim();
    let path = path.display();
    ensure!(
        is_token(token),
        "{path} does not hold a whole token: delete it, and the next start makes a new one"
    );
    Ok(Some(token.to_owned()))
}

fn write(path: &Path) -> io::Result<String> {
    let (token, _) = generate();
    let unfinished = path.with_extension("new");
    // A leftover may have another mode.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)?;
    writeln!(file, "{token}")?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // Without this a power cut may take the name away again, after the token was shown.
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use domain::Timestamp;
    use event_log::LogConfig;
    use service_kit::ManualClock;
    use test_harness::Nats;

    use super::*;

    async fn log(nats: &Nats, clock: &ManualClock) -> EventLog {
        let config = LogConfig {
            url: nats.url().to_owned(),
            partitions: Some(1),
            replicas: 1,
        };
        EventLog::connect(&config, Arc::new(clock.clone())).await.unwrap()
    }

    #[tokio::test]
    async fn the_token_is_made_once_granted_again_if_need_be_and_replaced_when_revoked() {
        let (nats, home) = (Nats::start().await, tempfile::tempdir().unwrap());
        let clock = ManualClock::new(Timestamp::UNIX_EPOCH);
        let (log, path) = (log(&nats, &clock).await, home.path().join(FILE));

        // As a crash between the two steps leaves it.
        let token = write(&path).unwrap();
        let hash = TokenHash::of(&token);
        assert_eq!(log.tokens().get(hash).await.unwrap(), None);

        ensure(home.path(), &log, &clock).await.unwrap();
        let mut grant = log.tokens().get(hash).await.unwrap().unwrap();
        assert!(
            Permission::ALL
                .into_iter()
                .all(|permission| grant.actor().may(permission))
        );
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), token);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        grant.revoked_at = Some(Timestamp::UNIX_EPOCH);
        log.tokens().put(hash, &grant).await.unwrap();
        ensure(home.path(), &log, &clock).await.unwrap();
        assert_eq!(
            log.tokens().get(hash).await.unwrap(),
            Some(grant),
            "only people grant it again"
        );
        let another = TokenHash::of(fs::read_to_string(&path).unwrap().trim());
        let grant = log.tokens().get(another).await.unwrap().unwrap();
        assert_eq!((another == hash, grant.revoked_at), (false, None));
    }

    #[test]
    fn a_file_that_holds_something_else_is_answered_with_what_to_do() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(FILE);
        fs::write(&path, "").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("delete it"));
    }
}
