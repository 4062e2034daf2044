//! `/v1/users/{id}/invitation` and `/v1/password-resets`: choosing a password by a link that was mailed.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use domain::sign_in::Login;
use serde_json::json;
use service_kit::Problem;
use service_kit::body::{Fields, object, string, text};
use service_kit::http::ApiJson;
use service_kit::problem::types;

use super::about_user::AboutUser;
use super::headers::refuse_parameters;
use super::origin::From;
use super::people::administrator;
use super::sessions::{NO_STORE, password};
use crate::app::App;
use crate::problem;
use crate::sign_in::{Delivery, Invited, RESET_PAUSE};

/// `POST /v1/users/{id}/invitation`: invites somebody, by a link to choose a password.
pub(super) async fn invite(
    State(app): State<App>,
    about: AboutUser,
    From(origin): From,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    let user = about.user(&app)?;
    let body = object(body)?;
    let mut fields = Fields::new(&body);
    let login = fields.optional("login", text(Login::parse));
    fields.finish()?;
    // Reading what was sent may have taken its time.
    administrator(&*app.by_now(&about.by)?)?;
    let invited = app.invite(user, login, about.by.user, origin).await?;
    let answer = json!({
        "user": user.to_string(),
        "login": invited.login.as_str(),
        "expires_at": invited.expires_at.to_string(),
        "delivery": invited.delivery.as_str(),
        "detail": detail(&invited),
    });
    Ok((NO_STORE, Json(answer)).into_response())
}

/// What became of the mail, and what to do about it.
fn detail(Invited { address, delivery, .. }: &Invited) -> String {
    match delivery {
        Delivery::Sent => format!("The mail server took the mail to {address}."),
        Delivery::NotConfigured => "No mail was sent: this desk was started without --smtp, --mail-from and --public-url. Start it with them and invite the user again, or give them a password with PUT /v1/users/{id}/login.".to_owned(),
        Delivery::Failed(error) => format!(
            "The mail to {address} was not taken: {error}. Correct the address with PUT /v1/users/{{id}}, or see to the mail server, and invite the user again; or give them a password with PUT /v1/users/{{id}}/login."
        ),
    }
}

/// `POST /v1/password-resets`: asks for a link, for a login that there may be.
pub(super) async fn ask(
    State(app): State<App>,
    uri: Uri,
    From(origin): From,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    let body = object(body)?;
    let mut fields = Fields::new(&body);
    let login = fields.required("login", |value| string(value).map(Login::parse));
    fields.finish()?;
    let Some(login) = login else {
        return Err(Problem::internal());
    };
    if app.mail.is_none() {
        return Err(Problem::new(&types::MAIL_NOT_CONFIGURED)
            .detail("Ask an administrator for a new password: whoever forgot theirs gets no mail here."));
    }
    if !app.books.are_read() {
        return Err(problem::profiles_unread());
    }
    // One that could not have been given is as good as one that was not.
    if let Ok(login) = login {
        app.ask_for_reset(login, origin)?;
    }
    let detail = format!(
        "If somebody signs in with this login and can be written to, a mail with a link is on its way. If none comes, ask again after {} minutes, or ask an administrator.",
        RESET_PAUSE.as_mins()
    );
    Ok((StatusCode::ACCEPTED, NO_STORE, Json(json!({ "detail": detail }))).into_response())
}

/// `POST /v1/password-resets/redeem`: chooses a password by a link.
pub(super) async fn redeem(
    State(app): State<App>,
    uri: Uri,
    From(origin): From,
    ApiJson(body): ApiJson,
) -> Result<Response, Problem> {
    refuse_parameters(&uri)?;
    let body = object(body)?;
    let mut fields = Fields::new(&body);
    let token = fields.required("token", |value| string(value).map(str::to_owned));
    let password = fields.required("password", password);
    fields.finish()?;
    let (Some(token), Some(password)) = (token, password) else {
        return Err(Problem::internal());
    };
    let login = app.redeem(&token, &password, &origin).await?;
    Ok((NO_STORE, Json(json!({ "login": login.as_str() }))).into_response())
}
