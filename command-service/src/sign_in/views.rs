//! How a member of staff looks through a customer's eyes: by a token that shows what the customer sees and changes nothing,
//! noted with both of them.

use domain::Timestamp;
use domain::actor::{ActorKind, Permission};
use domain::ids::UserId;
use event_log::{Happening, Origin, Standing};
use jiff::SignedDuration;
use service_kit::problem::{Problem, types};
use service_kit::tokens::{Bearer, TokenGrant, TokenHash, Viewer, generate};
use uuid::Uuid;

use crate::app::App;
use crate::problem::of_token;

/// Long enough to follow somebody through a problem of theirs; whoever needs longer says so again, and that is noted.
const LIFETIME: SignedDuration = SignedDuration::from_mins(30);
/// A member of staff's oldest view ends when one more begins.
const VIEWS_MAX: usize = 20;

/// A view that has just begun.
#[derive(Debug)]
pub(crate) struct View {
    /// Shown this once.
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
}

/// Refuses whoever may not look through others' eyes.
pub(crate) fn viewer(bearer: &Bearer) -> Result<(), Problem> {
    if bearer.may_view() {
        return Ok(());
    }
    let permission = Permission::ViewAs.as_str();
    Err(Problem::new(&types::NOT_PERMITTED).detail(format!(
        "Only staff with the permission {permission} who see every ticket look at the desk through a customer's eyes. Ask an administrator for both."
    )))
}

impl App {
    /// Begins to look through the eyes of `customer`, for who presents this token. Noted before it begins.
    pub(crate) async fn view_as(
        &self,
        customer: UserId,
        staff: &Bearer,
        token: TokenHash,
        origin: &Origin,
    ) -> Result<View, Problem> {
        viewer(staff)?;
        let name = match self.standing(customer)? {
            Some(Standing::Actor(actor)) if actor.kind == ActorKind::Customer => actor.name.clone(),
            Some(Standing::Actor(_)) => {
                return Err(
                    Problem::new(&types::NOT_PERMITTED).detail("Only customers are viewed as; this user is staff.")
                );
            }
            Some(Standing::Disabled) => {
                return Err(Problem::new(&types::ACCOUNT_DISABLED)
                    .detail("The user may not come in, and sees nothing. Enable their account first."));
            }
            None => return Err(Problem::internal()),
        };
        let staff = staff.actor.user;
        self.note_view(Happening::ViewBegan, customer, staff, origin).await?;
        let now = self.now();
        let expires_at = now.checked_add(LIFETIME).map_err(|_| Problem::internal())?;
        let (secret, hash) = generate();
        let name = name.map(|name| name.as_str().to_owned()).unwrap_or_default();
        let grant = TokenGrant {
            viewer: Some(Viewer {
                user: staff.as_uuid(),
                token,
            }),
            ..TokenGrant::by_profile(customer.as_uuid(), name, now, Some(expires_at))
        };
        self.tokens.begin(hash, grant).await.map_err(|error| of_token(&error))?;
        // Afterwards, so that of several who begin at once each counts the others.
        for (oldest, _) in self.tokens.views_of(staff, now).into_iter().skip(VIEWS_MAX) {
            self.end_session(oldest).await?;
        }
        Ok(View {
            token: secret,
            expires_at,
        })
    }

    /// Ends the view that this token is for, before its time.
    pub(crate) async fn end_view(
        &self,
        token: TokenHash,
        customer: UserId,
        staff: Uuid,
        origin: &Origin,
    ) -> Result<(), Problem> {
        self.end_session(token).await?;
        self.note_view(Happening::ViewEnded, customer, staff.into(), origin)
            .await
    }

    /// Ends all views by a user and on a user who may not come in any more.
    pub(crate) async fn end_views(&self, user: UserId) -> Result<(), Problem> {
        let now = self.now();
        let views = self.tokens.views_of(user, now).into_iter();
        for (view, _) in views.chain(self.tokens.views_on(user, now)) {
            self.end_session(view).await?;
        }
        Ok(())
    }

    async fn note_view(
        &self,
        event: Happening,
        customer: UserId,
        staff: UserId,
        origin: &Origin,
    ) -> Result<(), Problem> {
        self.note(Some(customer), event, Some(staff), origin).await?;
        self.note_of(Some(staff), event, (None, Some(customer)), origin).await
    }
}
