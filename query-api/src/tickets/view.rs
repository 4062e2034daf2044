//! Views: the lists that everybody has a tab for.

use domain::actor::{Actor, ActorKind};
use domain::ids::OrganisationId;
use domain::portal::Property;
use service_kit::Problem;
use service_kit::problem::types::NOT_PERMITTED;
use sqlx::{Postgres, QueryBuilder};

use crate::access::{Way, leads, projects};

/// Which of the visible tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum View {
    Mine,
    Organisation,
    Group,
    Assigned,
    Unassigned,
    Followed,
    Projects,
    #[default]
    All,
}

impl View {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Mine,
        Self::Organisation,
        Self::Group,
        Self::Assigned,
        Self::Unassigned,
        Self::Followed,
        Self::Projects,
        Self::All,
    ];

    /// Its name in the query.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Organisation => "organisation",
            Self::Group => "group",
            Self::Assigned => "assigned",
            Self::Unassigned => "unassigned",
            Self::Followed => "followed",
            Self::Projects => "projects",
            Self::All => "all",
        }
    }

    /// The view of that name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        crate::params::one_of(&Self::ALL, Self::as_str)(text)
    }

    /// Whether `actor` has that tab.
    pub(crate) fn permitted(self, actor: &Actor) -> Result<(), Problem> {
        let by = match self {
            Self::Group => Some(Property::Group),
            Self::Assigned => Some(Property::Assignee),
            Self::Projects => Some(Property::Project),
            Self::Mine | Self::Organisation | Self::Unassigned | Self::Followed | Self::All => None,
        };
        if by.is_some_and(|property| !actor.is_shown(&property)) {
            return Err(refused("Your portal does not show what this view is about."));
        }
        match self {
            Self::Group if actor.leads.is_empty() => Err(refused(
                "The view group is for those who hold a leading role in a group.",
            )),
            Self::Unassigned if actor.kind == ActorKind::Customer => Err(refused("The view unassigned is for staff.")),
            Self::Mine
            | Self::Organisation
            | Self::Group
            | Self::Assigned
            | Self::Unassigned
            | Self::Followed
            | Self::Projects
            | Self::All => Ok(()),
        }
    }

    /// Whether it has somebody's tickets alone: a small part of all.
    pub(super) const fn is_somebodys(self) -> bool {
        match self {
            Self::Mine | Self::Organisation | Self::Assigned | Self::Followed => true,
            Self::Group | Self::Unassigned | Self::Projects | Self::All => false,
        }
    }

    /// Appends the view's condition.
    pub(crate) fn push(self, sql: &mut QueryBuilder<Postgres>, actor: &Actor) {
        let user = actor.user.as_uuid();
        match self {
            Self::Mine => {
                sql.push(" AND ");
                Way::Requester(user).push(sql);
            }
            // Whoever belongs to no organisation has no such tickets: nothing equals NULL.
            Self::Organisation => {
                sql.push(" AND t.organisation_id = ")
                    .push_bind(actor.organisation.map(OrganisationId::as_uuid));
            }
            Self::Group => {
                sql.push(" AND ");
                Way::Leading(leads(actor)).push(sql);
            }
            Self::Assigned => {
                sql.push(" AND t.assignee_id = ").push_bind(user);
            }
            Self::Unassigned => {
                sql.push(" AND t.assignee_id IS NULL");
            }
            Self::Followed => {
                sql.push(" AND ");
                Way::Follower(user).push(sql);
            }
            Self::Projects => {
                sql.push(" AND ");
                Way::Project(projects(actor)).push(sql);
            }
            Self::All => {}
        }
    }
}

fn refused(detail: &'static str) -> Problem {
    Problem::new(&NOT_PERMITTED).detail(detail)
}
