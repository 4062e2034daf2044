//! Who sees which ticket, in SQL. The rule is `domain::access::may_see`; a test holds the two
//! against each other.

use std::collections::BTreeSet;

use domain::actor::{Actor, ActorKind};
use domain::ids::{GroupId, OrganisationId, ProjectId};
use service_kit::Problem;
use service_kit::problem::types::NOT_PERMITTED;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use crate::portal;

/// A ticket that is open, as the indexes of open tickets say it: 6 is the rank of `closed`.
pub(crate) const OPEN: &str = "t.status_rank <> 6";

/// A reason for which somebody sees a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    /// Every ticket is visible.
    Every,
    /// It is the user's own.
    Requester(Uuid),
    /// The user follows it.
    Follower(Uuid),
    /// It is of the user's organisation.
    Organisation(Uuid),
    /// It is of a project that the user or their organisation follows.
    Project(Vec<Uuid>),
    /// It is open, and of a group in which the user leads.
    Leading(Vec<Uuid>),
    /// It is of one of the groups.
    Group(Vec<Uuid>),
    /// The user works on it.
    Assignee(Uuid),
    /// There is none.
    None,
}

impl Way {
    /// All that `actor` has: a ticket that one of them leads to is visible.
    pub(crate) fn all(actor: &Actor) -> Vec<Self> {
        if actor.sees_everything() {
            return vec![Self::Every];
        }
        let user = actor.user.as_uuid();
        let shown = actor.portal.as_ref();
        let (own, projects) = shown.map_or((true, true), |portal| (portal.own, portal.projects));
        let mut ways = Vec::new();
        if own {
            ways.extend([Self::Requester(user), Self::Follower(user)]);
            match actor.kind {
                ActorKind::Customer => {
                    let organisation = actor.organisation.map(OrganisationId::as_uuid);
                    ways.extend(organisation.map(Self::Organisation));
                    ways.extend((!actor.leads.is_empty()).then(|| Self::Leading(leads(actor))));
                }
                ActorKind::Staff | ActorKind::System => {
                    ways.push(Self::Assignee(user));
                    ways.extend((!actor.groups.is_empty()).then(|| Self::Group(uuids(&actor.groups))));
                }
            }
        }
        if projects && !actor.projects.is_empty() {
            ways.push(Self::Project(self::projects(actor)));
        }
        if ways.is_empty() {
            ways.push(Self::None);
        }
        ways
    }

    /// Appends the condition that it leads to the ticket `t`.
    pub(crate) fn push(&self, sql: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Every => sql.push("TRUE"),
            Self::None => sql.push("FALSE"),
            Self::Requester(user) => sql.push("t.requester_id = ").push_bind(*user),
            Self::Follower(user) => sql.push("t.followers @> ARRAY[").push_bind(*user).push("]"),
            Self::Organisation(organisation) => sql.push("t.organisation_id = ").push_bind(*organisation),
            Self::Project(projects) => sql.push("t.project_id = ANY(").push_bind(projects.clone()).push(")"),
            Self::Leading(groups) => sql
                .push(format_args!("{OPEN} AND t.group_id = ANY("))
                .push_bind(groups.clone())
                .push(")"),
            Self::Group(groups) => sql.push("t.group_id = ANY(").push_bind(groups.clone()).push(")"),
            Self::Assignee(user) => sql.push("t.assignee_id = ").push_bind(*user),
        };
    }
}

/// Appends the condition that `actor` may see the ticket `t`. It, or one of the ways, stands in every query of
/// tickets.
pub(crate) fn push_visible(sql: &mut QueryBuilder<Postgres>, actor: &Actor) {
    push_type(sql, actor);
    sql.push("(");
    for (place, way) in Way::all(actor).iter().enumerate() {
        sql.push(if place == 0 { "(" } else { " OR (" });
        way.push(sql);
        sql.push(")");
    }
    sql.push(")");
}

/// Appends the condition that this one way leads `actor` to the ticket `t`.
pub(crate) fn push_led(sql: &mut QueryBuilder<Postgres>, actor: &Actor, way: &Way) {
    push_type(sql, actor);
    way.push(sql);
}

/// Appends that the ticket `t` is of a type which the actor's portal shows, if it does not show all; and "and".
fn push_type(sql: &mut QueryBuilder<Postgres>, actor: &Actor) {
    if let Some(codes) = portal::types(actor) {
        sql.push("t.ticket_type = ANY(").push_bind(codes).push(") AND ");
    }
}

/// Refuses customers; `detail` says what is not for them.
pub(crate) fn for_staff(actor: &Actor, detail: &'static str) -> Result<(), Problem> {
    match actor.kind {
        ActorKind::Staff | ActorKind::System => Ok(()),
        ActorKind::Customer => Err(Problem::new(&NOT_PERMITTED).detail(detail)),
    }
}

/// Refuses all who do not see every ticket; `detail` says what is not for them.
pub(crate) fn for_all_seeing(actor: &Actor, detail: &'static str) -> Result<(), Problem> {
    if actor.sees_everything() {
        Ok(())
    } else {
        Err(Problem::new(&NOT_PERMITTED).detail(detail))
    }
}

/// The groups in which `actor` leads, as Postgres takes them.
pub(crate) fn leads(actor: &Actor) -> Vec<Uuid> {
    uuids(&actor.leads)
}

fn uuids(groups: &BTreeSet<GroupId>) -> Vec<Uuid> {
    groups.iter().copied().map(GroupId::as_uuid).collect()
}

/// The projects that `actor` or their organisation follows, as Postgres takes them.
pub(crate) fn projects(actor: &Actor) -> Vec<Uuid> {
    actor.projects.iter().copied().map(ProjectId::as_uuid).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::access::{Audience, may_see};
    use domain::actor::StaffScope;
    use domain::ids::UserId;
    use domain::portal::Showing;
    use domain::text::Code;
    use domain::ticket::Status;
    use sqlx::postgres::PgPool;
    use test_harness::postgres;

    use super::*;

    /// A ticket, as far as the rule looks at it.
    #[derive(Debug, Clone)]
    struct Ticket {
        id: Uuid,
        requester: UserId,
        organisation: Option<OrganisationId>,
        group: Option<GroupId>,
        assignee: Option<UserId>,
        project: Option<ProjectId>,
        of_type: &'static str,
        followers: BTreeSet<UserId>,
        open: bool,
    }

    /// All pairs.
    fn product<A: Clone, B: Clone>(left: &[A], right: &[B]) -> Vec<(A, B)> {
        left.iter()
            .flat_map(|a| right.iter().map(move |b| (a.clone(), b.clone())))
            .collect()
    }

    fn users() -> [UserId; 2] {
        [1, 2].map(|n| UserId::from(Uuid::from_u128(n)))
    }

    fn organisations() -> [Option<OrganisationId>; 3] {
        [None, Some(11), Some(12)].map(|n| n.map(|n| OrganisationId::from(Uuid::from_u128(n))))
    }

    fn group(n: u128) -> GroupId {
        GroupId::from(Uuid::from_u128(n))
    }

    fn project(n: u128) -> ProjectId {
        ProjectId::from(Uuid::from_u128(n))
    }

    fn tickets() -> Vec<Ticket> {
        let [ada, bob] = users();
        let followers = [BTreeSet::new(), BTreeSet::from([ada]), BTreeSet::from([ada, bob])];
        let groups = [None, Some(group(21)), Some(group(22))];
        let workers = [None, Some(ada), Some(bob)];
        let people = product(&product(&users(), &workers), &followers);
        let projects = [None, Some(project(31)), Some(project(32))];
        let kinds = product(&["defect", "consultation"], &[true, false]);
        let places = product(&product(&organisations(), &groups), &product(&projects, &kinds));
        let all = product(&people, &places).into_iter().zip(1..);
        all.map(
            |((((requester, assignee), followers), ((organisation, group), (project, (ticket_type, open)))), n)| {
                Ticket {
                    id: Uuid::from_u128(n),
                    requester,
                    organisation,
                    group,
                    assignee,
                    project,
                    of_type: ticket_type,
                    followers,
                    open,
                }
            },
        )
        .collect()
    }

    fn portals() -> Vec<Option<Arc<Showing>>> {
        let types = [None, Some(BTreeSet::from([Code::new("defect")]))];
        let shown = product(&product(&[true, false], &[true, false]), &types).into_iter();
        let shown = shown.map(|((own, projects), types)| Showing {
            own,
            projects,
            types,
            ..Showing::EVERYTHING
        });
        shown.map(Arc::new).map(Some).chain([None]).collect()
    }

    fn actors() -> Vec<Actor> {
        let groups = [
            BTreeSet::new(),
            BTreeSet::from([group(21)]),
            BTreeSet::from([group(21), group(22)]),
        ];
        let all = StaffScope::All;
        let kinds = [
            (ActorKind::Staff, all),
            (ActorKind::Staff, StaffScope::Groups),
            (ActorKind::Customer, all),
            (ActorKind::System, all),
        ];
        let who = product(&product(&users(), &kinds), &organisations());
        let projects = [BTreeSet::new(), BTreeSet::from([project(31)])];
        let roles = product(&product(&groups, &[true, false]), &product(&projects, &portals()));
        let all = product(&who, &roles).into_iter();
        all.map(
            |(((user, (kind, scope)), organisation), ((groups, leading), (projects, portal)))| Actor {
                scope,
                portal: portal.filter(|_| kind == ActorKind::Customer),
                organisation,
                leads: if leading {
                    groups.clone()
                } else {
                    BTreeSet::from([group(22)])
                },
                groups,
                projects,
                ..Actor::plain(user, kind)
            },
        )
        .collect()
    }

    async fn insert(db: &PgPool, ticket: &Ticket) {
        let status = if ticket.open { Status::Reopened } else { Status::Closed };
        sqlx::query(
            "INSERT INTO tickets_1.tickets (id, requester_id, organisation_id, group_id, assignee_id, project_id, followers, status, partition,
                 sequence, revision, number, subject, description_revision, edited, status_rank, ticket_type, priority,
                 priority_rank, custom_fields, waits, created_at, updated_at, recorded_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 1, 1, 1, 'x', 1, false, $9, $10, 'low', 0, '{}', 0, now(), now(), now())",
        )
        .bind(ticket.id)
        .bind(ticket.requester.as_uuid())
        .bind(ticket.organisation.map(OrganisationId::as_uuid))
        .bind(ticket.group.map(GroupId::as_uuid))
        .bind(ticket.assignee.map(UserId::as_uuid))
        .bind(ticket.project.map(ProjectId::as_uuid))
        .bind(ticket.followers.iter().map(|user| user.as_uuid()).collect::<Vec<_>>())
        .bind(status.as_str())
        .bind(i16::from(status.rank()))
        .bind(ticket.of_type)
        .execute(db)
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn the_sql_and_the_rule_agree_for_every_actor_and_every_ticket() {
        let url = postgres().await.database().await;
        let db = PgPool::connect(&url).await.unwrap();
        projector::testing::prepare(&db).await.unwrap();
        let tickets = tickets();
        for ticket in &tickets {
            insert(&db, ticket).await;
        }
        for actor in actors() {
            let mut sql = QueryBuilder::new("SELECT t.id FROM desk.tickets t WHERE ");
            push_visible(&mut sql, &actor);
            let seen: BTreeSet<Uuid> = sql
                .build_query_scalar::<Uuid>()
                .fetch_all(&db)
                .await
                .unwrap()
                .into_iter()
                .collect();
            for ticket in &tickets {
                let audience = Audience {
                    requester: ticket.requester,
                    organisation: ticket.organisation,
                    group: ticket.group,
                    assignee: ticket.assignee,
                    project: ticket.project,
                    ticket_type: ticket.of_type,
                    followers: &ticket.followers,
                    open: ticket.open,
                };
                let rule = may_see(&actor, audience);
                assert_eq!(seen.contains(&ticket.id), rule, "{actor:?} and {ticket:?}");
            }
        }
    }
}
