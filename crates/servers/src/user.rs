//! The user that Postgres runs as, because it refuses to run as root.

use std::{os::unix::fs::MetadataExt as _, path::Path};

use nix::unistd::{Uid, User};

use crate::Error;

/// Tried in this order when the desk is started by root: its own user, Debian's for Postgres, and the last resort.
const CANDIDATES: [&str; 3] = ["recourse", "postgres", "nobody"];

/// Who Postgres is to run as; `None` is whoever runs this process, which is right for everybody but root.
///
/// A directory that has an owner already keeps it, so that a second start finds what the first one made.
pub fn for_postgres(dir: &Path) -> Result<Option<User>, Error> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let owner = std::fs::metadata(dir)
        .ok()
        .map(|metadata| Uid::from_raw(metadata.uid()))
        .filter(|uid| !uid.is_root());
    if let Some(user) = owner.and_then(|uid| User::from_uid(uid).ok().flatten()) {
        return Ok(Some(user));
    }
    let user = CANDIDATES.iter().find_map(|name| User::from_name(name).ok().flatten());
    user.map(Some).ok_or(Error::NoUser)
}
