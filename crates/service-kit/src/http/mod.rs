//! What all HTTP services have in common.

mod caller;
mod finish;
mod json;
mod needed;
mod observe;
mod operations;
mod serve;

pub use caller::{Caller, SignedIn, token_hash, worthless_token};
pub use finish::{Limits, finish};
pub use json::{ApiJson, WholeBody, media_type};
pub use operations::operations;
pub use serve::{SHUTDOWN_GRACE, serve};

#[cfg(test)]
pub(crate) use operations::PROBLEMS_MARKDOWN;
