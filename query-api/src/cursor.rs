//! Where a page ends and the next begins. Opaque to callers, who get what they are given, and signed along with the path that
//! gave it: what they made themselves, or take elsewhere, is refused.

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::text::Label;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::Problem;
use service_kit::problem::types::MALFORMED_REQUEST;
use sha2::Sha256;
use sqlx::PgPool;

/// Longer cursors are not ours: a signature and JSON with an id and two labels, of whose characters some take six bytes there; a
/// third more in base64.
pub(crate) const LENGTH_MAX: usize = (SIGNATURE + 160 + 2 * 6 * Label::CHARACTERS_MAX) * 4 / 3;

/// Bytes of the signature. Half of what SHA-256 has is more than anybody guesses, and keeps cursors short.
const SIGNATURE: usize = 16;

/// Writes cursors, and knows them again. Clones share the keys.
#[derive(Clone)]
pub(crate) struct Cursors(Arc<RwLock<Keys>>);

/// No debugger shows a key.
impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cursors").finish_non_exhaustive()
    }
}

struct Keys {
    /// This process's own, for the time before it has seen the other.
    own: Vec<u8>,
    /// That of all that read the same database.
    shared: Option<Vec<u8>>,
}

impl Default for Cursors {
    fn default() -> Self {
        let keys = Keys {
            own: rand::random::<[u8; 32]>().to_vec(),
            shared: None,
        };
        Self(Arc::new(RwLock::new(keys)))
    }
}

impl Cursors {
    /// Learns the key that all share who read the database.
    pub(crate) async fn learn(&self, db: &PgPool) -> Result<(), sqlx::Error> {
        let key: Vec<u8> = sqlx::query_scalar("SELECT key FROM recourse.cursor_key")
            .fetch_one(db)
            .await?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).shared = Some(key);
        Ok(())
    }

    /// The cursor as text, for the path of this address.
    pub(crate) fn write(&self, uri: &Uri, cursor: &impl Serialize) -> String {
        let json = serde_json::to_vec(cursor).expect("a cursor holds numbers and strings alone, which are always JSON");
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let signature = signature(keys.shared.as_ref().unwrap_or(&keys.own), uri, &json);
        let signature = signature.finalize().into_bytes().into_iter().take(SIGNATURE);
        let signed: Vec<u8> = signature.chain(json).collect();
        URL_SAFE_NO_PAD.encode(signed)
    }

    /// The cursor that the text stands for, if the path of this address gave it.
    pub(crate) fn read<T: DeserializeOwned>(&self, uri: &Uri, text: &str) -> Result<T, Problem> {
        let bytes = (text.len() <= LENGTH_MAX)
            .then(|| URL_SAFE_NO_PAD.decode(text).ok())
            .flatten();
        let json = bytes.as_ref().and_then(|bytes| self.signed(uri, bytes));
        let cursor = json.and_then(|json| serde_json::from_slice(json).ok());
        cursor.ok_or_else(|| {
            refused("The cursor is not one that this path gave. Take next_cursor as it is, or leave it out.")
        })
    }

    /// What follows a signature, if it is one of ours.
    fn signed<'b>(&self, uri: &Uri, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let (claimed, json) = bytes.split_at_checked(SIGNATURE)?;
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = keys.shared.iter().chain([&keys.own]);
        known
            .any(|key| signature(key, uri, json).verify_truncated_left(claimed).is_ok())
            .then_some(json)
    }
}

fn signature(key: &[u8], uri: &Uri, json: &[u8]) -> Hmac<Sha256> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    // No path has a zero byte: where it ends is no question.
    mac.chain_update(uri.path()).chain_update([0]).chain_update(json)
}

/// A cursor that cannot be used here.
pub(crate) fn refused(detail: &'static str) -> Problem {
    Problem::new(&MALFORMED_REQUEST).detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Uri {
        Uri::from_static("/v1/tickets?limit=1")
    }

    #[test]
    fn a_cursor_is_known_again_until_a_single_bit_of_it_changes() {
        let cursors = Cursors::default();
        let text = cursors.write(&here(), &("Ada", 7));
        assert_eq!(
            cursors.read::<(String, u64)>(&here(), &text).unwrap(),
            ("Ada".to_owned(), 7)
        );
        let bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert!(cursors.read::<(String, u64)>(&here(), &changed).is_err(), "bit {bit}");
        }
        let elsewhere = Uri::from_static("/v1/ticket?s=1");
        assert!(
            cursors.read::<(String, u64)>(&elsewhere, &text).is_err(),
            "another path"
        );
        let next = Uri::from_static("/v1/tickets?limit=2");
        assert!(cursors.read::<(String, u64)>(&next, &text).is_ok(), "the same path");
        assert!(
            Cursors::default().read::<(String, u64)>(&here(), &text).is_err(),
            "another key"
        );
        for short in ["", "AA", &text[..20]] {
            assert!(cursors.read::<(String, u64)>(&here(), short).is_err());
        }
    }

    #[test]
    fn what_was_written_before_the_shared_key_was_known_stays_good() {
        let cursors = Cursors::default();
        let before = cursors.write(&here(), &1);
        cursors.0.write().unwrap().shared = Some(b"shared".to_vec());
        let after = cursors.write(&here(), &1);
        assert_ne!(before, after);
        for text in [before, after] {
            assert_eq!(cursors.read::<u64>(&here(), &text).unwrap(), 1);
        }
    }
}
