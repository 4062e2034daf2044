//! How sessions begin for those who have an account elsewhere: they are who has the e-mail address that the provider says.

use domain::address::Address;
use domain::ids::UserId;
use domain::text::Label;
use event_log::{Happening, Origin};
use service_kit::problem::{Problem, types};

use super::sessions::{Begun, By, counted};
use crate::app::App;
use crate::openid::{OpenId, Returned};
use crate::problem::of_directory;

impl App {
    /// What lets people sign in with accounts elsewhere, if anything does.
    pub(crate) fn openid(&self) -> Result<&OpenId, Problem> {
        self.openid.as_ref().ok_or_else(|| {
            Problem::new(&types::OPENID_NOT_CONFIGURED).detail(
                "This desk has no OpenID provider. Sign in with POST /v1/sessions, with a login and a password.",
            )
        })
    }

    /// Begins a session for who came back from the provider.
    pub(crate) async fn sign_in_by_openid(&self, returned: Returned, origin: &Origin) -> Result<Begun, Problem> {
        let begun = async {
            let address = self.openid()?.address(returned).await?;
            let user = self.holder(&address).await?;
            let begun = self.begin_as(user, By::Address(&address), origin).await?;
            // As with passwords: whoever took the address or the account away meanwhile has ended the sessions that there were.
            if let Err(problem) = self.still_holds(user, &address).await {
                self.end_begun(&begun).await?;
                return Err(problem);
            }
            self.note(Some(user), Happening::SignedIn, None, origin).await?;
            Ok(begun)
        };
        counted(begun.await)
    }

    /// Whose an address is.
    async fn holder(&self, address: &str) -> Result<UserId, Problem> {
        let unknown = || {
            Problem::new(&types::OPENID_REFUSED).detail(format!(
                "No user of this desk has the address {address}. Ask an administrator to write it into your profile."
            ))
        };
        let label = Label::parse(address).map_err(|_| unknown())?;
        let holder = self.directory.holder(&Address::new(&label)).await;
        holder.map_err(|error| of_directory(&error))?.ok_or_else(unknown)
    }

    async fn still_holds(&self, user: UserId, address: &str) -> Result<(), Problem> {
        self.enabled(user)?;
        if self.holder(address).await? == user {
            return Ok(());
        }
        Err(Problem::new(&types::OPENID_REFUSED).detail("Your address has become another user's. Begin again."))
    }
}
