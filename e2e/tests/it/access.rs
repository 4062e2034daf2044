//! Who may do what: everybody × every route of the OpenAPI document × a ticket and entries of the directory.
//!
//! A cell is what an answer says of access alone: 401, 403, 404, or that the caller came through, whatever became of the
//! request after that.

use std::collections::BTreeSet;

use domain::policy::WaitPolicy;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::tokens::{Session, TokenGrant, TokenHash, Viewer};
use uuid::Uuid;

use crate::desk::Desk;
use crate::people::{
    ADMINISTRATOR, AGENT, CLIENT, CUSTOMER, FOLLOWER, GROUP, IMPORTER, LEAD, LEADER, PEER, Person, STRANGER,
};

/// The project that the ticket is in.
const PROJECT: Uuid = Uuid::from_u128(0x9207);
use crate::routes::{For, ROUTES};

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");

/// Somebody who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Without a token.
    Anonymous,
    /// With a token that nobody made.
    Unknown,
    /// With one that was taken back.
    Revoked,
    /// With one that is over.
    Expired,
    /// Whose account is disabled.
    Disabled,
    /// Who has to change their password first.
    Newcomer,
    /// With a good token.
    Known(Person),
    /// Staff who hold `administer` by a role.
    ByRole,
    /// Staff who hold `close_any` by a group.
    ByGroup,
    /// Staff who hold `view_as` by a role.
    ByEyes,
    /// One of them, who looks through the customer's eyes.
    Looking,
    /// Staff who see the tickets of their groups alone, and are in the one that works on the ticket.
    OfGroup,
    /// The same, and in another group.
    OfOtherGroup,
    /// A customer who is in the group that works on the ticket, and leads nowhere.
    Member,
    /// A customer who follows the project that the ticket is in.
    OfProject,
}

const EVERYBODY: [Who; 23] = [
    Who::Anonymous,
    Who::Unknown,
    Who::Revoked,
    Who::Expired,
    Who::Disabled,
    Who::Newcomer,
    Who::Known(CUSTOMER),
    Who::Known(PEER),
    Who::Known(FOLLOWER),
    Who::Known(LEADER),
    Who::Member,
    Who::OfProject,
    Who::Known(STRANGER),
    Who::Known(AGENT),
    Who::Known(LEAD),
    Who::Known(IMPORTER),
    Who::Known(ADMINISTRATOR),
    Who::ByRole,
    Who::ByGroup,
    Who::ByEyes,
    Who::Looking,
    Who::OfGroup,
    Who::OfOtherGroup,
];

/// What an answer says of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Unauthenticated,
    Forbidden,
    Absent,
    Through,
}

impl Who {
    fn staff(self) -> bool {
        match self {
            Self::Known(person) => person.staff,
            Self::ByRole | Self::ByGroup | Self::ByEyes | Self::OfGroup | Self::OfOtherGroup => true,
            Self::Anonymous
            | Self::Unknown
            | Self::Revoked
            | Self::Expired
            | Self::Disabled
            | Self::Newcomer
            | Self::Looking
            | Self::Member
            | Self::OfProject => false,
        }
    }

    fn administers(self) -> bool {
        matches!(self, Self::Known(ADMINISTRATOR) | Self::ByRole)
    }

    fn closes(self) -> bool {
        matches!(self, Self::Known(LEAD | IMPORTER) | Self::ByGroup)
    }

    fn requesters_side(self) -> bool {
        matches!(self, Self::Known(CUSTOMER | PEER))
    }

    fn sees_the_ticket(self) -> bool {
        let customer = self.requesters_side() || matches!(self, Self::Known(FOLLOWER | LEADER) | Self::OfProject);
        customer || (self.staff() && self != Self::OfOtherGroup)
    }

    fn sees_every_ticket(self) -> bool {
        self.staff() && !matches!(self, Self::OfGroup | Self::OfOtherGroup)
    }

    /// What becomes of a request to such a route.
    fn expected(self, method: &str, route: For) -> Cell {
        let or = |yes: bool, otherwise: Cell| if yes { Cell::Through } else { otherwise };
        match self {
            _ if route == For::Public => Cell::Through,
            // Reading is as it is for the customer.
            Self::Looking if method == "GET" => Self::Known(CUSTOMER).expected(method, route),
            Self::Looking => Cell::Forbidden,
            Self::Anonymous | Self::Unknown | Self::Revoked | Self::Expired | Self::Disabled => Cell::Unauthenticated,
            Self::Newcomer => or(route == For::SignedIn, Cell::Forbidden),
            Self::Known(_)
            | Self::ByRole
            | Self::ByGroup
            | Self::ByEyes
            | Self::OfGroup
            | Self::OfOtherGroup
            | Self::Member
            | Self::OfProject => match route {
                For::Public | For::SignedIn | For::Callers => Cell::Through,
                For::AllSeeing => or(self.sees_every_ticket(), Cell::Forbidden),
                For::Administrators => or(self.administers(), Cell::Forbidden),
                For::Lookers => or(self == Self::ByEyes, Cell::Forbidden),
                For::StaffAndOrganisation => or(self.staff() || self.requesters_side(), Cell::Absent),
                For::StaffAndUser => or(self.staff() || self == Self::Known(CUSTOMER), Cell::Absent),
                For::Viewers => or(self.sees_the_ticket(), Cell::Absent),
                For::ViewingStaff | For::RequestersSide | For::RequestersSideAndStaff | For::Closing
                    if !self.sees_the_ticket() =>
                {
                    Cell::Absent
                }
                For::Staff | For::ViewingStaff => or(self.staff(), Cell::Forbidden),
                For::RequestersSide => or(self.requesters_side(), Cell::Forbidden),
                For::RequestersSideAndStaff => or(self.staff() || self.requesters_side(), Cell::Forbidden),
                For::Closing => or(self.closes() || self.requesters_side(), Cell::Forbidden),
            },
        }
    }

    fn token(self) -> String {
        match self {
            Self::Anonymous => String::new(),
            Self::Unknown => format!("rct_{}", "0".repeat(64)),
            Self::Known(person) => person.token(),
            Self::Revoked
            | Self::Expired
            | Self::Disabled
            | Self::Newcomer
            | Self::ByRole
            | Self::ByGroup
            | Self::ByEyes
            | Self::Looking
            | Self::OfGroup
            | Self::OfOtherGroup
            | Self::Member
            | Self::OfProject => format!("rct_{self:?}"),
        }
    }
}

/// What goes into the body of a request that changes something: acceptable where it would change what others see, and
/// otherwise not.
fn body(path: &str) -> Value {
    let text = "Words.";
    match path.strip_prefix("/v1/tickets/{id}/") {
        Some("comment") => json!({ "body": text, "visibility": "public" }),
        Some("request-info" | "provide-info" | "reopen") => json!({ "comment": text }),
        Some("propose-closure") => json!({ "solution": text }),
        Some("rate") => json!({ "score": 5 }),
        Some("classify") => json!({ "category": "Printers" }),
        Some("assign") => json!({ "assignee": AGENT.user }),
        Some("edit") => json!({ "subject": text }),
        Some("close") => json!({ "reason": text }),
        Some(_) => json!({}),
        None => json!({ "nonsense": true }),
    }
}

/// The path of a request: the ticket, a user, an organisation and a group are there, and of anything else there is none.
fn path(template: &str, ticket: &str) -> String {
    let id = match template.split('/').nth(2) {
        Some("tickets") => ticket.to_owned(),
        Some("users") => CUSTOMER.user.to_string(),
        Some("organisations") => CLIENT.to_string(),
        Some("groups") => GROUP.to_string(),
        _ => STRANGER.user.to_string(),
    };
    template
        .replace("{id}", &id)
        .replace("{name}", "supportal")
        .replace("{code}", "not-found")
}

/// Lets in those who are in no other table. Each is a user of their own.
async fn admit(desk: &Desk) {
    let administrator = ADMINISTRATOR.token();
    let put = async |path: String, profile: Value| {
        desk.api.put(&administrator, &path, &profile).await.expect(200);
    };
    let [role, group, elsewhere, closing, administration, looking, eyes] =
        [0x401e, 0x61, 0x62, 0x5e7, 0x5e8, 0x5e9, 0x401f].map(Uuid::from_u128);
    let set = |name: &str, permission: &str| json!({ "name": name, "permissions": [permission] });
    let role_of = |name: &str, set: Uuid| json!({ "name": name, "permission_sets": [set] });
    for (path, profile) in [
        (
            format!("/v1/permission-sets/{administration}"),
            set("Administration", "administer"),
        ),
        (format!("/v1/permission-sets/{closing}"), set("Closing", "close_any")),
        (format!("/v1/permission-sets/{looking}"), set("Looking", "view_as")),
        (format!("/v1/roles/{role}"), role_of("Administrator", administration)),
        (format!("/v1/roles/{eyes}"), role_of("Trainer", looking)),
        (format!("/v1/groups/{group}"), role_of("Closers", closing)),
    ] {
        put(path, profile).await;
    }
    admit_with_tokens(desk).await;
    let profiles = [
        (
            Who::Disabled,
            json!({ "name": "Disabled", "kind": "staff", "enabled": false }),
        ),
        (
            Who::ByRole,
            json!({ "name": "By role", "kind": "staff", "roles": [{ "role": role }] }),
        ),
        (
            Who::ByGroup,
            json!({ "name": "By group", "kind": "staff", "groups": [group] }),
        ),
        (
            Who::ByEyes,
            json!({ "name": "By eyes", "kind": "staff", "roles": [{ "role": eyes }] }),
        ),
        (
            Who::OfGroup,
            json!({ "name": "Of the group", "kind": "staff", "groups": [GROUP], "scope": "groups" }),
        ),
        (
            Who::OfOtherGroup,
            json!({ "name": "Of another", "kind": "staff", "groups": [elsewhere], "scope": "groups" }),
        ),
        (
            Who::Member,
            json!({ "name": "Member", "kind": "customer", "groups": [GROUP] }),
        ),
        (Who::OfProject, json!({ "name": "Of the project", "kind": "customer" })),
    ];
    for (n, (who, profile)) in (0x100_u128..).zip(profiles) {
        let user = Uuid::from_u128(n);
        put(format!("/v1/users/{user}"), profile).await;
        grant(desk, who, |grant| grant.user = user).await;
        if who == Who::OfProject {
            let project = json!({ "name": "Migration", "followers": [user] });
            put(format!("/v1/projects/{PROJECT}"), project).await;
        }
    }
    put(format!("/v1/groups/{GROUP}"), json!({ "name": "First line" })).await;
    put(format!("/v1/organisations/{CLIENT}"), json!({ "name": "Engines" })).await;
    let customer = json!({ "name": "Customer", "kind": "customer", "organisation": CLIENT });
    put(format!("/v1/users/{}", CUSTOMER.user), customer).await;
    grant(desk, Who::Looking, |grant| {
        grant.user = CUSTOMER.user;
        grant.viewer = Some(Viewer {
            user: AGENT.user,
            token: TokenHash::of(&Who::ByEyes.token()),
        });
    })
    .await;
    desk.caught_up().await;
    // These come after those that are good for nothing: who is refused is not just unknown yet.
    let known = [
        Who::ByRole,
        Who::ByGroup,
        Who::ByEyes,
        Who::Looking,
        Who::OfGroup,
        Who::OfOtherGroup,
        Who::Member,
        Who::OfProject,
    ];
    for who in known {
        desk.api.get(&who.token(), "/v1/tickets").await.expect(200);
    }
}

/// Makes the tokens of those who need no profile.
async fn admit_with_tokens(desk: &Desk) {
    grant(desk, Who::Revoked, |grant| {
        grant.revoked_at = Some(Timestamp::UNIX_EPOCH);
    })
    .await;
    grant(desk, Who::Expired, |grant| {
        grant.expires_at = Some(Timestamp::UNIX_EPOCH);
    })
    .await;
    grant(desk, Who::Newcomer, |grant| {
        grant.session = Some(Session {
            id: Uuid::from_u128(0x5e55),
            agent: None,
            change_password: true,
            address: None,
        });
    })
    .await;
}

/// Makes the token of `who`: that of an administrator, but for what `differs`.
async fn grant(desk: &Desk, who: Who, differs: impl FnOnce(&mut TokenGrant)) {
    let mut grant = ADMINISTRATOR.grant();
    differs(&mut grant);
    let hash = TokenHash::of(&who.token());
    desk.log.tokens().put(hash, &grant).await.unwrap();
}

/// A new ticket of the customer, which the group works on and the follower follows, in a project.
async fn ticket(desk: &Desk) -> String {
    let body = json!({ "subject": "Export fails", "description": "It says 500.", "type": "defect" });
    let created = desk.api.post(&CUSTOMER.token(), "/v1/tickets", &body).await.expect(201);
    for (command, body) in [
        ("assign", json!({ "group": GROUP })),
        ("follow", json!({ "user": FOLLOWER.user })),
        ("classify", json!({ "project": PROJECT })),
    ] {
        let path = format!("/v1/tickets/{}/{command}", created.id());
        desk.api.post(&AGENT.token(), &path, &body).await.expect(200);
    }
    desk.caught_up().await;
    created.id()
}

/// What becomes of a request.
async fn ask(desk: &Desk, who: Who, (method, template, route): (&str, &str, For), ticket: &str) -> Cell {
    let method: Method = method.parse().unwrap();
    let path = path(template, ticket);
    let mut request = desk.api.anonymous(method.clone(), &path);
    if who != Who::Anonymous {
        request = request.bearer_auth(who.token());
    }
    if method == Method::POST || method == Method::PUT {
        request = request.json(&body(template));
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    assert!(status < 500, "{who:?} {method} {path}: {text}");
    // Of other things there are none.
    let is_there =
        template.starts_with("/v1/tickets/{id}") || matches!(route, For::StaffAndOrganisation | For::StaffAndUser);
    match status {
        401 => Cell::Unauthenticated,
        // Who has no password has nothing to change.
        403 if template != "/v1/password" || [Who::Newcomer, Who::Looking].contains(&who) => Cell::Forbidden,
        404 if is_there => Cell::Absent,
        _ => Cell::Through,
    }
}

/// The cells of somebody's row that are not as expected.
async fn wrong(desk: &Desk, who: Who) -> Vec<String> {
    let ticket = ticket(desk).await;
    let mut wrong = Vec::new();
    for cell in ROUTES {
        let (method, path, route) = cell;
        let (found, expected) = (ask(desk, who, cell, &ticket).await, who.expected(method, route));
        if found != expected {
            wrong.push(format!("{who:?} {method} {path}: {found:?}, and not {expected:?}"));
        }
    }
    wrong
}

/// What a path has in an OpenAPI document besides methods.
const NO_METHODS: [&str; 5] = ["summary", "description", "servers", "parameters", "$ref"];

#[test]
fn every_route_is_for_somebody() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let documented: BTreeSet<(String, &str)> = paths
        .flat_map(|(path, operations)| {
            let names = operations.as_object().unwrap().keys();
            let methods = names.filter(|name| !NO_METHODS.contains(&name.as_str()));
            let methods = methods.map(|name| name.to_uppercase());
            methods.map(|method| (method, path.as_str()))
        })
        .collect();
    let listed: BTreeSet<(String, &str)> = ROUTES
        .iter()
        .map(|(method, path, _)| ((*method).to_owned(), *path))
        .collect();
    assert_eq!(listed, documented);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_on_every_route_what_it_is_for_and_nothing_else() {
    let desk = Desk::open(WaitPolicy::supportal()).await;
    admit(&desk).await;
    let rows = EVERYBODY.map(|who| wrong(&desk, who));
    let wrong = futures::future::join_all(rows).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
