//! Signing in with an account that somebody has elsewhere: OpenID Connect, by the authorization code flow with PKCE.
//!
//! Whoever begins gets an *attempt*, a secret that stays in their browser, and an address to go to. All that has to be known
//! again when they are back follows from the attempt, so that nothing of it is kept here, and any of several services ends
//! what another began. Who comes back with another's code and state has no attempt for them.
//!
//! * [`settings`]: the flags, and what is wrong with them.

#[cfg(test)]
mod redirections;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdTokenVerifier,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndUserEmail, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    SignatureVerificationError, SubjectIdentifier, TokenResponse as _,
};
use service_kit::chain;
use service_kit::problem::{FieldError, Problem, types};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::Instant;
use uuid::Uuid;

pub use settings::{OpenIdArgs, OpenIdSettingsError};

/// How long the provider may take to answer one request.
const WITHIN: Duration = Duration::from_secs(10);
/// How long somebody waits for all that the provider is asked for them.
const ALL_WITHIN: Duration = Duration::from_secs(20);
/// How many at once: a desk's whole staff in the morning, and a small part of the requests that the service has room for.
const TURNS: usize = 64;
/// What a provider says of itself, or of somebody, fits into some kilobytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How long the desk goes by what the provider said of itself. It may have other keys by then.
const KNOWN_FOR: Duration = Duration::from_hours(1);
/// Who signs with a key that is not known yet makes the desk ask anew, but not more often than this.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// How long nobody is kept waiting for a provider that did not answer.
const SILENT_FOR: Duration = Duration::from_secs(5);
/// After how many seconds whoever found the provider silent may try again.
const RETRY_SECONDS: u32 = 10;
/// An attempt is a PKCE verifier of 32 random bytes, in Base64.
const ATTEMPT_CHARACTERS: usize = 43;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// What the provider said of itself, and when; and since when it says nothing.
#[derive(Debug, Default)]
struct Asked {
    said: Option<(Instant, CoreProviderMetadata)>,
    silent_since: Option<Instant>,
}

/// Lets people sign in with their accounts at a provider. Clones share what is known of it.
#[derive(Clone)]
pub struct OpenId {
    issuer: IssuerUrl,
    id: ClientId,
    secret: ClientSecret,
    back: RedirectUrl,
    http: Http,
    asked: Arc<Mutex<Asked>>,
    turns: Arc<Semaphore>,
}

/// It has a secret.
impl fmt::Debug for OpenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenId")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

/// Signing in that has begun.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// What only who began has.
    pub(crate) attempt: String,
    /// Where to send them.
    pub(crate) url: String,
}

/// Somebody came back with this.
#[derive(Debug)]
pub(crate) struct Returned {
    pub(crate) attempt: String,
    pub(crate) code: String,
    pub(crate) state: String,
    /// RFC 9207. `None`: the provider does not say who it is.
    pub(crate) issuer: Option<String>,
}

/// A request to the provider failed.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("the provider cannot be reached")]
    Silent(#[from] reqwest::Error),
    #[error("the provider's answer is no HTTP")]
    Answer(#[from] axum::http::Error),
    #[error("the provider answers more than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

impl OpenId {
    fn with(issuer: IssuerUrl, id: ClientId, secret: ClientSecret, back: RedirectUrl) -> reqwest::Result<Self> {
        // Another user of it may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A provider that leads elsewhere could lead to what only this machine reaches.
        let http = reqwest::Client::builder()
            .timeout(WITHIN)
            .https_only(issuer.url().scheme() == "https")
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            issuer,
            id,
            secret,
            back,
            http: Http(http),
            asked: Arc::default(),
            turns: Arc::new(Semaphore::new(TURNS)),
        })
    }

    /// Begins.
    pub(crate) async fn begin(&self) -> Result<Attempt, Problem> {
        self.in_turn(self.begun()).await
    }

    /// The e-mail address of who came back, which the provider has verified.
    pub(crate) async fn address(&self, returned: Returned) -> Result<String, Problem> {
        self.in_turn(self.told(returned)).await
    }

    /// Anybody may make the desk ask the provider; not all at once, and not for ever.
    async fn in_turn<T>(&self, asking: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        let Ok(_turn) = self.turns.try_acquire() else {
            return Err(Problem::new(&types::TOO_MANY_REQUESTS)
                .detail("Too many people sign in with accounts elsewhere at this moment. Try again.")
                .retry_after(1));
        };
        let asked = tokio::time::timeout(ALL_WITHIN, asking).await;
        asked.unwrap_or_else(|_| Err(unavailable()))
    }

    async fn begun(&self) -> Result<Attempt, Problem> {
        let client = self.client(KNOWN_FOR).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let attempt = verifier.into_secret();
        let (state, nonce) = (CsrfToken::new(state(&attempt)), nonce(&attempt));
        let (url, ..) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .add_scope(Scope::new("email".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Attempt {
            attempt,
            url: url.into(),
        })
    }

    async fn told(&self, returned: Returned) -> Result<String, Problem> {
        let Returned {
            attempt,
            code,
            state,
            issuer,
        } = returned;
        if issuer.is_some_and(|issuer| issuer != self.issuer.as_str()) {
            let error = FieldError::new("/iss", "invalid", "is not the provider of this desk");
            return Err(
                refused("Another provider sent the browser back. Begin again with POST /v1/openid-sign-ins.")
                    .field(error),
            );
        }
        if attempt.len() != ATTEMPT_CHARACTERS || state != self::state(&attempt) {
            let error = FieldError::new("/state", "invalid", "is not the state of this attempt");
            return Err(refused(
                "Begin again with POST /v1/openid-sign-ins: the provider was asked by another attempt.",
            )
            .field(error));
        }
        let (client, http) = (self.client(KNOWN_FOR).await?, &self.http);
        let nonce = nonce(&attempt);
        let exchange = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| silent(&error))?;
        let exchange = exchange.set_pkce_verifier(PkceCodeVerifier::new(attempt));
        let tokens = exchange.request_async(http).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(said) if *said.error() == CoreErrorResponseType::InvalidGrant => refused(
                "The provider does not know the code, or not any more. Begin again with POST /v1/openid-sign-ins.",
            ),
            // By its settings the desk is not what the provider knows, or asks what it does not understand.
            RequestTokenError::ServerResponse(said) => {
                tracing::warn!(error = said.error().as_ref(), "the OpenID provider refuses the desk");
                unavailable()
            }
            error => silent(&error),
        })?;
        let token = tokens
            .id_token()
            .ok_or_else(|| refused("The provider did not say who you are."))?;
        let claims = match token.claims(&verifier(&client), &nonce) {
            Ok(claims) => claims,
            // It may have changed its keys since.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
                | SignatureVerificationError::CryptoError(_)
                | SignatureVerificationError::AmbiguousKeyId(_),
            )) => {
                let client = self.client(ASKED_AGAIN_AFTER).await?;
                let claims = token.claims(&verifier(&client), &nonce);
                claims.map_err(|error| unproven(&error))?
            }
            Err(error) => return Err(unproven(&error)),
        };
        if let Some((address, true)) = claims.email().zip(claims.email_verified()) {
            return Ok(address.to_string());
        }
        // It tells what is not in its token to who asks for it.
        let subject: SubjectIdentifier = claims.subject().clone();
        let Ok(question) = client.user_info(tokens.access_token().to_owned(), Some(subject)) else {
            return verified(claims.email(), claims.email_verified());
        };
        let answer = question.request_async(http).await;
        let person: CoreUserInfoClaims = answer.map_err(|error| {
            tracing::warn!(
                error = chain(&error),
                "the OpenID provider does not say who somebody is"
            );
            refused("The provider did not tell your e-mail address. Begin again with POST /v1/openid-sign-ins.")
        })?;
        verified(person.email(), person.email_verified())
    }

    /// A client of the provider, by what it said of itself not longer ago than this, or else by what it says now, or else by
    /// what it said before. One request asks, and the others wait for its answer; if there is none, nobody is kept waiting for a
    /// while.
    async fn client(&self, known_for: Duration) -> Result<Client, Problem> {
        let mut asked = self.asked.lock().await;
        let known = |asked: &Asked, within: Duration| {
            let known = asked.said.as_ref().filter(|(at, _)| at.elapsed() < within);
            known.map(|(_, said)| said.clone())
        };
        let said = match known(&asked, known_for) {
            Some(said) => said,
            None if asked.silent_since.is_some_and(|at| at.elapsed() < SILENT_FOR) => {
                known(&asked, KNOWN_FOR).ok_or_else(unavailable)?
            }
            None => match CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await {
                Ok(said) => {
                    asked.said = Some((Instant::now(), said.clone()));
                    said
                }
                Err(error) => {
                    asked.silent_since = Some(Instant::now());
                    let problem = silent(&error);
                    known(&asked, KNOWN_FOR).ok_or(problem)?
                }
            },
        };
        let methods = said.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_some_and(|methods| methods.contains(&method));
        let by_post = takes(CoreClientAuthMethod::ClientSecretPost) && !takes(CoreClientAuthMethod::ClientSecretBasic);
        let client = CoreClient::from_provider_metadata(said, self.id.clone(), Some(self.secret.clone()));
        let client = client.set_redirect_uri(self.back.clone());
        Ok(if by_post {
            client.set_auth_type(AuthType::RequestBody)
        } else {
            client
        })
    }
}

/// By keys that only the provider has: who knows the desk's secret proves nothing by it.
fn verifier(client: &Client) -> CoreIdTokenVerifier<'_> {
    client.id_token_verifier().set_allowed_algs([
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
        CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        CoreJwsSigningAlgorithm::RsaSsaPssSha384,
        CoreJwsSigningAlgorithm::RsaSsaPssSha512,
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::EcdsaP384Sha384,
        CoreJwsSigningAlgorithm::EdDsa,
    ])
}

/// Asks the provider.
#[derive(Debug, Clone)]
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = AskError;
    type Future = BoxFuture<'c, Result<HttpResponse, AskError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        ask(&self.0, request).boxed()
    }
}

async fn ask(http: &reqwest::Client, request: HttpRequest) -> Result<HttpResponse, AskError> {
    let mut response = http.execute(request.try_into()?).await?;
    let mut answer = axum::http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(AskError::TooLong);
        }
    }
    Ok(answer.body(body)?)
}

/// The address, if the provider has seen that it is theirs: anybody can say of themselves that they are somebody.
fn verified(address: Option<&EndUserEmail>, verified: Option<bool>) -> Result<String, Problem> {
    match address.zip(verified) {
        Some((address, true)) => Ok(address.to_string()),
        Some((_, false)) | None => Err(refused(
            "The provider does not tell an e-mail address of yours that it has verified, and by that this desk knows you. Verify it there, and begin again.",
        )),
    }
}

/// What the provider hands back with the code.
fn state(attempt: &str) -> String {
    derived("state", attempt)
}

/// What stands in the provider's word of who somebody is, so that it is good for this attempt alone.
fn nonce(attempt: &str) -> Nonce {
    Nonce::new(derived("nonce", attempt))
}

/// Nobody finds the attempt by it.
fn derived(purpose: &str, attempt: &str) -> String {
    let hash = Sha256::digest(format!("recourse openid {purpose} {attempt}"));
    let half = hash.first_chunk().copied().unwrap_or_default();
    Uuid::from_bytes(half).simple().to_string()
}

fn refused(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(&types::OPENID_REFUSED).detail(detail)
}

fn unproven(error: &ClaimsVerificationError) -> Problem {
    tracing::warn!(
        error = chain(error),
        "what the OpenID provider says of somebody is not acceptable"
    );
    refused(
        "What the provider says of you is not acceptable. Begin again with POST /v1/openid-sign-ins; if that does not help, tell an administrator, who finds the reason in the log.",
    )
}

fn silent(error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::warn!(error = chain(error), "the OpenID provider does not answer as it should");
    unavailable()
}

fn unavailable() -> Problem {
    Problem::new(&types::OPENID_UNAVAILABLE)
        .detail("The provider does not answer as it should. Try again in a moment, or sign in with a login and a password; if that does not help, tell an administrator, who finds the reason in the log.")
        .retry_after(RETRY_SECONDS)
}
