//! What routes ask of tokens that are not for everything.

use std::collections::BTreeSet;

use axum::http::Method;
use domain::token_scope::TokenScope;

/// What a route asks of a token that has scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needed {
    /// Nothing: it says who calls, or what anybody may know.
    Nothing,
    /// This scope.
    Scope(TokenScope),
    /// To have no scopes: it is about the user themselves, or gives others a way in.
    Everything,
}

impl Needed {
    /// What a route asks, by its method and its path as the router has it. `explain` reads, although it takes a body.
    pub(crate) fn by(method: &Method, route: &str) -> Self {
        let path = route.strip_prefix("/v1/").unwrap_or_default();
        let area = path.split('/').next().unwrap_or_default();
        // What of a single thing it is about: `{id}` stands between.
        let of_one = path.split('/').nth(2).unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        let reads = method.is_safe() || last == "explain";
        let scope = |read, write| Self::Scope(if reads { read } else { write });
        match area {
            "me" | "permissions" | "portal" if reads && of_one.is_empty() => Self::Nothing,
            "policies" if last == "rehearse" => Self::Scope(TokenScope::TicketsRead),
            "policies" if last == "re-evaluate" => Self::Scope(TokenScope::TicketsWrite),
            "tickets" | "commands" | "dashboard" | "events" | "digests" => {
                scope(TokenScope::TicketsRead, TokenScope::TicketsWrite)
            }
            // Whoever writes these could let in, or empower, whom they like.
            "users" | "groups" | "roles" | "permission-sets" if !reads && last != "contract" => Self::Everything,
            "users" if matches!(of_one, "login" | "invitation" | "sessions" | "tokens" | "view-as") => Self::Everything,
            "users" | "groups" | "organisations" | "roles" | "permission-sets" | "permissions" | "projects"
            | "portals" | "catalogue" => scope(TokenScope::DirectoryRead, TokenScope::DirectoryWrite),
            "calendars" | "policies" | "workflows" | "projections" => {
                scope(TokenScope::DeskRead, TokenScope::DeskWrite)
            }
            _ => Self::Everything,
        }
    }

    /// Whether a token of these scopes has what is asked. `None`: it is for everything.
    pub(crate) fn is_met_by(self, scopes: Option<&BTreeSet<TokenScope>>) -> bool {
        match (scopes, self) {
            (None, _) | (Some(_), Self::Nothing) => true,
            (Some(scopes), Self::Scope(scope)) => scopes.contains(&scope),
            (Some(_), Self::Everything) => false,
        }
    }
}
