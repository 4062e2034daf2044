//! Stable numbers for the kinds of a ticket's events. Append only; never reuse.

use domain::ticket::{Change, Event};

use super::clock;
use super::created::{AssignedV1, ClassifiedV1, ClassifiedV2, CreatedV1, CreatedV2, EditedV1};
use super::life::{AskedV1, ClosedV1, InformationWaitExpiredV1, RatedV1};
use super::talk::{CommentedV1, SaidV1, WorkResumedV1};
use super::work::{AwaitedV1, ProjectV1, UserV1};
use crate::envelope::DecodeError;
use crate::payload::{KindVersion, Payload, exact};

pub(super) const fn v1(kind: u16) -> KindVersion {
    KindVersion { kind, version: 1 }
}

const fn v2(kind: u16) -> KindVersion {
    KindVersion { kind, version: 2 }
}

const CREATED: KindVersion = v1(1);
const CREATED_2: KindVersion = v2(1);
const ACCEPTED: KindVersion = v1(2);
const INFORMATION_REQUESTED: KindVersion = v1(3);
const INFORMATION_PROVIDED: KindVersion = v1(4);
const FIX_AWAITED: KindVersion = v1(5);
const IMPLEMENTATION_AWAITED: KindVersion = v1(6);
const WORK_RESUMED: KindVersion = v1(7);
const CLOSURE_PROPOSED: KindVersion = v1(8);
const CLOSURE_DECLINED: KindVersion = v1(9);
const CLOSED: KindVersion = v1(10);
const REOPENED: KindVersion = v1(11);
const RATED: KindVersion = v1(12);
const COMMENTED: KindVersion = v1(13);
const CLASSIFIED: KindVersion = v1(14);
const CLASSIFIED_2: KindVersion = v2(14);
const ASSIGNED: KindVersion = v1(15);
const EDITED: KindVersion = v1(16);
const FOLLOWED: KindVersion = v1(17);
const UNFOLLOWED: KindVersion = v1(18);
const INFORMATION_WAIT_EXPIRED: KindVersion = v1(19);
const CLOSURE_WAIT_EXPIRED: KindVersion = v1(20);
// From 21 to 29: see `clock`.
const PROJECT_CHANGED: KindVersion = v1(30);

impl Payload for Event {
    fn kind(&self) -> KindVersion {
        match self {
            // Where no product is named, what older readers know.
            Self::Created(created) if created.product.is_some() => CREATED_2,
            Self::Created(_) => CREATED,
            Self::Accepted { .. } => ACCEPTED,
            Self::InformationRequested { .. } => INFORMATION_REQUESTED,
            Self::InformationProvided { .. } => INFORMATION_PROVIDED,
            Self::FixAwaited { .. } => FIX_AWAITED,
            Self::ImplementationAwaited { .. } => IMPLEMENTATION_AWAITED,
            Self::WorkResumed { .. } => WORK_RESUMED,
            Self::ClosureProposed { .. } => CLOSURE_PROPOSED,
            Self::ClosureDeclined { .. } => CLOSURE_DECLINED,
            Self::Closed { .. } => CLOSED,
            Self::Reopened { .. } => REOPENED,
            Self::Rated { .. } => RATED,
            Self::Commented { .. } => COMMENTED,
            Self::Classified(classified) if classified.product != Change::Keep => CLASSIFIED_2,
            Self::Classified(_) => CLASSIFIED,
            Self::Assigned(_) => ASSIGNED,
            Self::Edited(_) => EDITED,
            Self::Followed { .. } => FOLLOWED,
            Self::Unfollowed { .. } => UNFOLLOWED,
            Self::InformationWaitExpired { .. } => INFORMATION_WAIT_EXPIRED,
            Self::ClosureWaitExpired => CLOSURE_WAIT_EXPIRED,
            Self::ProjectChanged { .. } => PROJECT_CHANGED,
            Self::Sla(event) => clock::kind(event),
        }
    }

    fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
        match self {
            Self::Created(created) => match &created.product {
                Some(product) => postcard::to_stdvec(&CreatedV2::of(created, product)),
                None => postcard::to_stdvec(&CreatedV1::of(created)),
            },
            Self::Accepted { assignee: user } | Self::Followed { user } | Self::Unfollowed { user } => {
                postcard::to_stdvec(&UserV1::of(*user))
            }
            Self::InformationRequested { comment: body, wait } | Self::ClosureProposed { solution: body, wait } => {
                postcard::to_stdvec(&AskedV1::of(body, wait.as_ref()))
            }
            Self::InformationProvided { comment } | Self::ClosureDeclined { comment } | Self::Reopened { comment } => {
                postcard::to_stdvec(&SaidV1::of(comment))
            }
            Self::FixAwaited { comment, reference } | Self::ImplementationAwaited { comment, reference } => {
                postcard::to_stdvec(&AwaitedV1::of(comment.as_ref(), reference.as_ref()))
            }
            Self::WorkResumed { comment } => postcard::to_stdvec(&WorkResumedV1::of(comment.as_ref())),
            Self::Closed { comment, reason } => postcard::to_stdvec(&ClosedV1::of(comment.as_ref(), reason.as_ref())),
            Self::Rated { score, comment } => postcard::to_stdvec(&RatedV1::of(*score, comment.as_ref())),
            Self::Commented { body, visibility } => postcard::to_stdvec(&CommentedV1::of(body, *visibility)),
            Self::Classified(classified) => match &classified.product {
                Change::Set(product) => postcard::to_stdvec(&ClassifiedV2::of(classified, product.as_ref())),
                Change::Keep => postcard::to_stdvec(&ClassifiedV1::of(classified)),
            },
            Self::Assigned(assigned) => postcard::to_stdvec(&AssignedV1::of(assigned)),
            Self::Edited(edited) => postcard::to_stdvec(&EditedV1::of(edited)),
            Self::InformationWaitExpired { wait } => postcard::to_stdvec(&InformationWaitExpiredV1::of(wait.as_ref())),
            Self::ClosureWaitExpired => Ok(Vec::new()),
            Self::ProjectChanged { project } => postcard::to_stdvec(&ProjectV1::of(*project)),
            Self::Sla(event) => clock::encode(event),
        }
    }

    fn decode(kind: KindVersion, bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(match kind {
            CREATED => Self::Created(Box::new(exact::<CreatedV1<'_>>(bytes)?.read()?)),
            CREATED_2 => Self::Created(Box::new(exact::<CreatedV2<'_>>(bytes)?.read()?)),
            ACCEPTED => Self::Accepted {
                assignee: exact::<UserV1>(bytes)?.read(),
            },
            INFORMATION_REQUESTED => {
                let (comment, wait) = exact::<AskedV1<'_>>(bytes)?.read()?;
                Self::InformationRequested { comment, wait }
            }
            INFORMATION_PROVIDED => Self::InformationProvided {
                comment: exact::<SaidV1<'_>>(bytes)?.read()?,
            },
            FIX_AWAITED => {
                let (comment, reference) = exact::<AwaitedV1<'_>>(bytes)?.read()?;
                Self::FixAwaited { comment, reference }
            }
            IMPLEMENTATION_AWAITED => {
                let (comment, reference) = exact::<AwaitedV1<'_>>(bytes)?.read()?;
                Self::ImplementationAwaited { comment, reference }
            }
            WORK_RESUMED => exact::<WorkResumedV1<'_>>(bytes)?.read()?,
            CLOSURE_PROPOSED => {
                let (solution, wait) = exact::<AskedV1<'_>>(bytes)?.read()?;
                Self::ClosureProposed { solution, wait }
            }
            CLOSURE_DECLINED => Self::ClosureDeclined {
                comment: exact::<SaidV1<'_>>(bytes)?.read()?,
            },
            CLOSED => exact::<ClosedV1<'_>>(bytes)?.read()?,
            REOPENED => Self::Reopened {
                comment: exact::<SaidV1<'_>>(bytes)?.read()?,
            },
            RATED => exact::<RatedV1<'_>>(bytes)?.read()?,
            COMMENTED => exact::<CommentedV1<'_>>(bytes)?.read()?,
            CLASSIFIED => Self::Classified(Box::new(exact::<ClassifiedV1<'_>>(bytes)?.read()?)),
            CLASSIFIED_2 => Self::Classified(Box::new(exact::<ClassifiedV2<'_>>(bytes)?.read()?)),
            ASSIGNED => Self::Assigned(exact::<AssignedV1>(bytes)?.read()),
            EDITED => Self::Edited(Box::new(exact::<EditedV1<'_>>(bytes)?.read()?)),
            FOLLOWED => Self::Followed {
                user: exact::<UserV1>(bytes)?.read(),
            },
            UNFOLLOWED => Self::Unfollowed {
                user: exact::<UserV1>(bytes)?.read(),
            },
            INFORMATION_WAIT_EXPIRED => exact::<InformationWaitExpiredV1<'_>>(bytes)?.read()?,
            CLOSURE_WAIT_EXPIRED => {
                exact::<()>(bytes)?;
                Self::ClosureWaitExpired
            }
            PROJECT_CHANGED => Self::ProjectChanged {
                project: exact::<ProjectV1>(bytes)?.read(),
            },
            other => match clock::decode(other, bytes) {
                Some(event) => Self::Sla(Box::new(event?)),
                None => return Err(DecodeError::UnknownKind(other)),
            },
        })
    }

    fn registry() -> &'static [(KindVersion, &'static str)] {
        &[
            (CREATED, "created"),
            (CREATED_2, "created"),
            (ACCEPTED, "accepted"),
            (INFORMATION_REQUESTED, "information_requested"),
            (INFORMATION_PROVIDED, "information_provided"),
            (FIX_AWAITED, "fix_awaited"),
            (IMPLEMENTATION_AWAITED, "implementation_awaited"),
            (WORK_RESUMED, "work_resumed"),
            (CLOSURE_PROPOSED, "closure_proposed"),
            (CLOSURE_DECLINED, "closure_declined"),
            (CLOSED, "closed"),
            (REOPENED, "reopened"),
            (RATED, "rated"),
            (COMMENTED, "commented"),
            (CLASSIFIED, "classified"),
            (CLASSIFIED_2, "classified"),
            (ASSIGNED, "assigned"),
            (EDITED, "edited"),
            (FOLLOWED, "followed"),
            (UNFOLLOWED, "unfollowed"),
            (INFORMATION_WAIT_EXPIRED, "information_wait_expired"),
            (CLOSURE_WAIT_EXPIRED, "closure_wait_expired"),
            (clock::STARTED, "sla_started"),
            (clock::PAUSED, "sla_paused"),
            (clock::RESUMED, "sla_resumed"),
            (clock::FULFILLED, "sla_fulfilled"),
            (clock::CANCELLED, "sla_cancelled"),
            (clock::WARNED, "sla_warned"),
            (clock::BREACHED, "sla_breached"),
            (clock::RE_EVALUATED, "sla_re_evaluated"),
            (clock::NOTICE_DUE, "sla_notice_due"),
            (PROJECT_CHANGED, "project_changed"),
        ]
    }
}
