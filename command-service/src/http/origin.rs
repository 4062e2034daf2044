//! Where a request came from.

use std::convert::Infallible;
use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderName;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use event_log::Origin;
use service_kit::tokens::AGENT_CHARACTERS_MAX;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request came from, as far as it says and its connection shows.
#[derive(Debug, Clone)]
pub(super) struct From(pub(super) Origin);

impl<S: Sync> FromRequestParts<S> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(origin(parts)))
    }
}

/// Where this request came from.
pub(super) fn origin(parts: &Parts) -> Origin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let header = |name: HeaderName| {
        let text = parts.headers.get(name)?.to_str().ok()?;
        // The longest that is of use to people.
        Some(text.chars().take(AGENT_CHARACTERS_MAX).collect())
    };
    Origin {
        address: peer.map(|ConnectInfo(address)| address.ip().to_string()),
        forwarded_for: header(FORWARDED_FOR),
        agent: header(USER_AGENT),
    }
}
