//! The flags of signing in by OpenID Connect, and what is wrong with them.

use std::fmt;

use openidconnect::{ClientId, ClientSecret, IssuerUrl, RedirectUrl};

use super::OpenId;

/// How people sign in with an account that they have elsewhere, by OpenID Connect.
#[derive(Clone, Default, PartialEq, Eq, clap::Args)]
pub struct OpenIdArgs {
    /// The provider whose accounts people sign in with: its issuer, such as `https://login.example.org/realms/desk`. Goes
    /// together with the next two and --public-url; people sign in with passwords alone without.
    #[arg(
        id = "openid_issuer",
        long = "openid-issuer",
        env = "RECOURSE_OPENID_ISSUER",
        value_name = "URL"
    )]
    issuer: Option<String>,
    /// As what the desk is known there. It has to know `<public-url>/sign-in` as where to send people back to.
    #[arg(
        id = "openid_client_id",
        long = "openid-client-id",
        env = "RECOURSE_OPENID_CLIENT_ID",
        value_name = "ID"
    )]
    client_id: Option<String>,
    /// By which secret the desk is known there.
    #[arg(
        id = "openid_client_secret",
        long = "openid-client-secret",
        env = "RECOURSE_OPENID_CLIENT_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    client_secret: Option<String>,
}

/// Configuration is printed in many places.
impl fmt::Debug for OpenIdArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenIdArgs")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret.as_ref().map(|_| "(hidden)"))
            .finish()
    }
}

/// What is wrong with the settings of OpenID Connect.
#[derive(Debug, thiserror::Error)]
pub enum OpenIdSettingsError {
    /// Some are there, and some are not.
    #[error(
        "--openid-issuer, --openid-client-id, --openid-client-secret and --public-url go together: give all four, or none of the first three"
    )]
    Incomplete,
    /// The issuer is no address.
    #[error("--openid-issuer is written https://login.example.org, as the provider writes it")]
    Issuer(#[source] url::ParseError),
    /// What people would send could be read on its way.
    #[error("--openid-issuer is written https://…; http://… does for a provider on this machine alone")]
    InTheClear,
    /// Nobody could be sent back.
    #[error("--public-url is no address that people can be sent back to")]
    PublicUrl(#[source] url::ParseError),
    /// No requests can be sent.
    #[error("cannot make requests to --openid-issuer")]
    Client(#[source] reqwest::Error),
}

impl OpenIdArgs {
    /// What lets people sign in; `None`: nothing does.
    pub fn openid(&self, public_url: Option<&str>) -> Result<Option<OpenId>, OpenIdSettingsError> {
        let given = (&self.issuer, &self.client_id, &self.client_secret, public_url);
        match given {
            (Some(issuer), Some(id), Some(secret), Some(public_url)) => {
                OpenId::new(issuer, id, secret, public_url).map(Some)
            }
            (None, None, None, _) => Ok(None),
            _ => Err(OpenIdSettingsError::Incomplete),
        }
    }

    /// The same settings for a process that is started with this environment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let settings = [
            ("RECOURSE_OPENID_ISSUER", &self.issuer),
            ("RECOURSE_OPENID_CLIENT_ID", &self.client_id),
            ("RECOURSE_OPENID_CLIENT_SECRET", &self.client_secret),
        ];
        let given = settings.into_iter();
        given.filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

impl OpenId {
    /// Signing in by the accounts of an issuer, which knows the desk by this id and secret.
    pub fn new(issuer: &str, id: &str, secret: &str, public_url: &str) -> Result<Self, OpenIdSettingsError> {
        let issuer = IssuerUrl::new(issuer.to_owned()).map_err(OpenIdSettingsError::Issuer)?;
        let local = ["localhost", "127.0.0.1", "[::1]"];
        match (issuer.url().scheme(), issuer.url().host_str()) {
            ("https", _) => {}
            ("http", Some(host)) if local.contains(&host) => {}
            _ => return Err(OpenIdSettingsError::InTheClear),
        }
        let back = RedirectUrl::new(format!("{public_url}/sign-in")).map_err(OpenIdSettingsError::PublicUrl)?;
        let secret = ClientSecret::new(secret.to_owned());
        Self::with(issuer, ClientId::new(id.to_owned()), secret, back).map_err(OpenIdSettingsError::Client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(issuer: &str, id: &str, secret: &str) -> OpenIdArgs {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        OpenIdArgs {
            issuer: some(issuer),
            client_id: some(id),
            client_secret: some(secret),
        }
    }

    fn refused(args: &OpenIdArgs, public_url: Option<&str>) -> String {
        args.openid(public_url).unwrap_err().to_string()
    }

    #[test]
    fn all_settings_are_there_or_none() {
        const HERE: Option<&str> = Some("https://desk.example.org");
        const ISSUER: &str = "https://login.example.org";
        assert!(args("", "", "").openid(HERE).unwrap().is_none());
        assert!(args(ISSUER, "desk", "secret").openid(HERE).unwrap().is_some());
        for (args, public_url) in [
            (args(ISSUER, "desk", "secret"), None),
            (args(ISSUER, "desk", ""), HERE),
            (args(ISSUER, "", "secret"), HERE),
            (args("", "desk", "secret"), HERE),
        ] {
            assert!(refused(&args, public_url).contains("go together"), "{args:?}");
        }
    }

    #[test]
    fn what_could_be_read_on_its_way_is_refused_and_no_secret_is_printed() {
        let here = Some("https://desk.example.org");
        for issuer in ["login.example.org", "", "https://"] {
            let args = args("x", "desk", "secret");
            let args = OpenIdArgs {
                issuer: Some(issuer.to_owned()),
                ..args
            };
            assert!(refused(&args, here).starts_with("--openid-issuer"), "{issuer}");
        }
        for issuer in [
            "http://login.example.org",
            "http://127.0.0.1.example.org",
            "ftp://localhost",
        ] {
            assert!(
                refused(&args(issuer, "desk", "secret"), here).contains("https"),
                "{issuer}"
            );
        }
        let local = args("http://127.0.0.1:3000", "desk", "hush");
        let printed = format!("{local:?} {:?}", local.openid(here).unwrap());
        assert!(!printed.contains("hush"), "{printed}");
    }
}
