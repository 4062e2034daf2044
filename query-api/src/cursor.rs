//! Where a page ends and the next begins. Opaque to callers, who get what they are given.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_kit::Problem;
use service_kit::problem::types::MALFORMED_REQUEST;

/// Longer cursors are not ours.
pub(crate) const LENGTH_MAX: usize = 1024;

/// NUL, as JSON writes it.
const NUL: &[u8] = b"\\u0000";

/// The cursor as text.
pub(crate) fn write(cursor: &impl Serialize) -> String {
    let json = serde_json::to_vec(cursor).expect("a cursor holds numbers and strings alone, which are always JSON");
    URL_SAFE_NO_PAD.encode(json)
}

/// The cursor that the text stands for.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let cursor = (text.len() <= LENGTH_MAX)
        .then(|| URL_SAFE_NO_PAD.decode(text).ok())
        .flatten()
        // Postgres has no text with NUL in it, and no cursor has.
        .filter(|json| !json.windows(NUL.len()).any(|part| part == NUL))
        .and_then(|json| serde_json::from_slice(&json).ok());
    cursor.ok_or_else(|| {
        refused("The cursor is not one that this path gave. Take next_cursor as it is, or leave it out.")
    })
}

/// A cursor that cannot be used here.
pub(crate) fn refused(detail: &'static str) -> Problem {
    Problem::new(&MALFORMED_REQUEST).detail(detail)
}
