//! Lets everybody in who is in no other table, by the routes by which administrators do so.

use serde_json::{Value, json};
use service_kit::tokens::{TokenGrant, TokenHash, Viewer};
use uuid::Uuid;

use super::who::{EVERYBODY, Entry, OTHER_GROUP, Who};
use crate::desk::Desk;
use crate::people::{ADMINISTRATOR, CLIENT, CUSTOMER, GROUP};

/// The project that tickets are in.
pub(super) const PROJECT: Uuid = Uuid::from_u128(0x9207);

const ADMINISTRATION: Uuid = Uuid::from_u128(0x5e8);
const CLOSING: Uuid = Uuid::from_u128(0x5e7);
const LOOKING: Uuid = Uuid::from_u128(0x5e9);
const ADMINISTRATORS: Uuid = Uuid::from_u128(0x401e);
const TRAINERS: Uuid = Uuid::from_u128(0x401f);
const SHIFT_LEADERS: Uuid = Uuid::from_u128(0x4020);
/// The group that lets its members close.
const CLOSERS: Uuid = Uuid::from_u128(0x61);

/// What the profiles of users stand on.
fn entries() -> Vec<(String, Value)> {
    let set = |name: &str, permission: &str| json!({ "name": name, "permissions": [permission] });
    let giving = |name: &str, set: Uuid| json!({ "name": name, "permission_sets": [set] });
    let plain = |name: &str| json!({ "name": name });
    let follower = json!({ "name": "Migration", "followers": [Who::OfProject.user()] });
    vec![
        (
            format!("permission-sets/{ADMINISTRATION}"),
            set("Administration", "administer"),
        ),
        (format!("permission-sets/{CLOSING}"), set("Closing", "close_any")),
        (format!("permission-sets/{LOOKING}"), set("Looking", "view_as")),
        (
            format!("roles/{ADMINISTRATORS}"),
            giving("Administrator", ADMINISTRATION),
        ),
        (format!("roles/{TRAINERS}"), giving("Trainer", LOOKING)),
        (format!("roles/{SHIFT_LEADERS}"), giving("Shift leader", CLOSING)),
        (format!("groups/{CLOSERS}"), giving("Closers", CLOSING)),
        (format!("groups/{GROUP}"), plain("First line")),
        (format!("groups/{OTHER_GROUP}"), plain("Second line")),
        (format!("organisations/{CLIENT}"), plain("Engines")),
        (format!("projects/{PROJECT}"), follower),
    ]
}

/// The profile of somebody who has one.
fn profile(who: Who) -> Option<Value> {
    let own = who.traits();
    let mut profile = json!({
        "name": format!("{who:?}"),
        "kind": if own.staff { "staff" } else { "customer" },
        "organisation": own.organisation,
        "groups": own.group.as_slice(),
        "leading": own.leading,
        "scope": own.scoped.then_some("groups"),
        "permissions": own.permissions,
    });
    let differs = match who {
        Who::Known(CUSTOMER) => json!({ "name": "Customer" }),
        Who::Anonymous
        | Who::Unknown
        | Who::Revoked
        | Who::Expired
        | Who::SessionOver
        | Who::SignedOut
        | Who::Newcomer
        | Who::Looking
        | Who::Known(_) => return None,
        Who::Disabled | Who::DisabledCustomer => json!({ "enabled": false }),
        Who::ByRole => json!({ "permissions": [], "roles": [{ "role": ADMINISTRATORS }] }),
        Who::ByGroup => json!({ "permissions": [], "groups": [CLOSERS] }),
        Who::ByEyes => json!({ "permissions": [], "roles": [{ "role": TRAINERS }] }),
        Who::ClosingWithin | Who::ClosingElsewhere => json!({
            "groups": [GROUP, OTHER_GROUP],
            "roles": [{ "role": SHIFT_LEADERS, "group": own.closes_within }],
        }),
        _ => json!({}),
    };
    let members = profile.as_object_mut().unwrap();
    members.extend(differs.as_object().unwrap().clone());
    Some(profile)
}

/// Lets everybody in. Each is a user of their own.
pub(super) async fn admit(desk: &Desk) {
    let administrator = ADMINISTRATOR.token();
    for (path, profile) in entries() {
        let path = format!("/v1/{path}");
        desk.api.put(&administrator, &path, &profile).await.expect(200);
    }
    for who in EVERYBODY {
        if let Some(profile) = profile(who) {
            let path = format!("/v1/users/{}", who.user());
            desk.api.put(&administrator, &path, &profile).await.expect(200);
        }
        if !matches!(who, Who::Anonymous | Who::Unknown | Who::Known(_)) {
            grant(desk, who).await;
        }
    }
    desk.api
        .delete(&Who::SignedOut.token(), "/v1/sessions/current")
        .await
        .expect(204);
    desk.caught_up().await;
    // These come after those that are good for nothing: who is refused is not just unknown yet.
    for who in EVERYBODY {
        if matches!(who.entry(), Entry::Full | Entry::Looking) {
            desk.api.get(&who.token(), "/v1/tickets").await.expect(200);
        }
    }
}

/// Makes somebody's token.
async fn grant(desk: &Desk, who: Who) {
    let viewer = (who == Who::Looking).then(|| Viewer {
        user: Who::ByEyes.user(),
        token: TokenHash::of(&Who::ByEyes.token()),
    });
    let grant = TokenGrant { viewer, ..who.grant() };
    let hash = TokenHash::of(&who.token());
    desk.log.tokens().put(hash, &grant).await.unwrap();
}
