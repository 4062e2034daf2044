//! Letters with a link to choose a password by, in their readers' language.

use domain::Timestamp;
use domain::people::Language;
use uuid::Uuid;

use super::Written;

/// Why somebody is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// An administrator lets them in.
    Invitation,
    /// Somebody forgot their password.
    Reset,
}

impl Occasion {
    /// Its name in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "reset",
        }
    }

    /// Where its link leads.
    const fn page(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reset => "password-reset",
        }
    }
}

/// A letter with a link to choose a password by.
#[derive(Debug)]
pub(crate) struct Letter<'l> {
    pub(crate) occasion: Occasion,
    pub(crate) language: Language,
    pub(crate) login: &'l str,
    pub(crate) token: &'l str,
    pub(crate) expires_at: Timestamp,
}

impl Letter<'_> {
    /// The letter as a mail from the desk at this URL.
    pub(crate) fn written(&self, desk: &str) -> Written {
        Written {
            subject: self.subject().to_owned(),
            text: self.text(desk),
            id: Uuid::new_v4(),
            thread: None,
        }
    }

    const fn subject(&self) -> &'static str {
        match (self.occasion, self.language) {
            (Occasion::Invitation, Language::English) => "You are invited to the support desk",
            (Occasion::Invitation, Language::Russian) => "Вас приглашают в службу поддержки",
            (Occasion::Invitation, Language::Spanish) => "Invitación al servicio de soporte",
            (Occasion::Reset, Language::English) => "A new password for the support desk",
            (Occasion::Reset, Language::Russian) => "Новый пароль для службы поддержки",
            (Occasion::Reset, Language::Spanish) => "Una contraseña nueva para el servicio de soporte",
        }
    }

    /// The token is behind the `#`: browsers send that to no server, so that it is in no server's log.
    fn text(&self, desk: &str) -> String {
        let link = format!("{desk}/{}#{}", self.occasion.page(), self.token);
        let until = self.expires_at.strftime("%Y-%m-%d %H:%M");
        let login = self.login;
        match (self.occasion, self.language) {
            (Occasion::Invitation, Language::English) => format!(
                "You are invited to the support desk at {desk}\n\n\
                 Choose a password here:\n\n{link}\n\n\
                 Your login: {login}\n\n\
                 The link works once, until {until} UTC. After that, ask whoever invited you for another one.\n"
            ),
            (Occasion::Invitation, Language::Russian) => format!(
                "Вас приглашают в службу поддержки: {desk}\n\n\
                 Придумайте пароль по этой ссылке:\n\n{link}\n\n\
                 Ваш логин: {login}\n\n\
                 Ссылка действует один раз, до {until} UTC. После этого попросите новую у того, кто вас пригласил.\n"
            ),
            (Occasion::Invitation, Language::Spanish) => format!(
                "Le invitamos al servicio de soporte: {desk}\n\n\
                 Elija aquí una contraseña:\n\n{link}\n\n\
                 Su usuario: {login}\n\n\
                 El enlace sirve una sola vez, hasta el {until} UTC. Después, pida otro a quien le haya invitado.\n"
            ),
            (Occasion::Reset, Language::English) => format!(
                "Somebody asked for a new password for the support desk at {desk}\n\n\
                 If it was you, choose one here:\n\n{link}\n\n\
                 Your login: {login}\n\n\
                 The link works once, until {until} UTC. If it was not you, do nothing: your password stays as it is.\n"
            ),
            (Occasion::Reset, Language::Russian) => format!(
                "Для службы поддержки {desk} запрошен новый пароль.\n\n\
                 Если его запросили вы, придумайте его по этой ссылке:\n\n{link}\n\n\
                 Ваш логин: {login}\n\n\
                 Ссылка действует один раз, до {until} UTC. Если это были не вы, ничего не делайте: пароль останется прежним.\n"
            ),
            (Occasion::Reset, Language::Spanish) => format!(
                "Alguien ha pedido una contraseña nueva para el servicio de soporte: {desk}\n\n\
                 Si ha sido usted, elíjala aquí:\n\n{link}\n\n\
                 Su usuario: {login}\n\n\
                 El enlace sirve una sola vez, hasta el {until} UTC. Si no ha sido usted, no haga nada: su contraseña no cambia.\n"
            ),
        }
    }
}
