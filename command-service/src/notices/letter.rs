//! What people read of what happened to a ticket, in their language.

use domain::notice::{NoticeKind, said};
use domain::people::Language;
use domain::sla::SlaEvent;
use domain::ticket::{Event, TicketState, Visibility};
use domain::workflow::Labels;
use uuid::Uuid;

use crate::mail::Written;

/// Whoever wrote more is read at the desk.
const CHARACTERS_MAX: usize = 10_000;

/// A notice, and what it tells of.
#[derive(Debug)]
pub(super) struct Letter<'l> {
    pub(super) id: Uuid,
    pub(super) kind: NoticeKind,
    pub(super) event: &'l Event,
    /// What whoever did it is called, if that was a person, and their name is known.
    pub(super) author: Option<&'l str>,
    pub(super) thread: Uuid,
    pub(super) ticket: &'l TicketState,
    /// What its status is called by who reads this.
    pub(super) status: Labels,
    pub(super) language: Language,
}

impl Letter<'_> {
    /// The letter as a mail from the desk at this URL.
    pub(super) fn written(&self, desk: &str) -> Written {
        let TicketState { number, subject, .. } = self.ticket;
        let (number, subject) = (number.0, one_line(subject.as_str()));
        let mut lines = vec![self.pick(happened(self.kind, self.event)).to_owned(), String::new()];
        if let Some(said) = said(self.event) {
            lines.extend(self.author.map(|author| format!("{}:", one_line(author))));
            lines.extend(quoted(said.as_str()));
            lines.push(String::new());
        }
        let status = self.pick(labels("Status", "Статус", "Estado"));
        let why = self.pick(labels(
            "You are told because the ticket concerns you. Choose what you are told here:",
            "Вы получили это письмо, потому что тикет касается вас. Выбрать, о чём вам сообщать, можно здесь:",
            "Recibe este aviso porque el tique le concierne. Aquí puede elegir de qué se le avisa:",
        ));
        lines.extend([
            format!("#{number} {subject}"),
            format!("{status}: {}", self.pick(self.status)),
            format!("{desk}/tickets/{number}"),
            String::new(),
            why.to_owned(),
            format!("{desk}/settings"),
            String::new(),
        ]);
        Written {
            subject: format!("[#{number}] {subject}"),
            text: lines.join("\n"),
            id: self.id,
            thread: Some(self.thread),
        }
    }

    const fn pick(&self, labels: Labels) -> &'static str {
        match self.language {
            Language::English => labels.en,
            Language::Russian => labels.ru,
            Language::Spanish => labels.es,
        }
    }
}

/// What a name or a subject says, in one line whatever it holds: what stands on lines of its own is the desk's word.
fn one_line(text: &str) -> String {
    text.split(ends_line).collect::<Vec<_>>().join(" ")
}

/// Words as mails quote them, so that nobody takes them for the desk's own.
fn quoted(words: &str) -> Vec<String> {
    let mut kept: String = words.chars().take(CHARACTERS_MAX).collect();
    if kept.len() < words.len() {
        kept.push('…');
    }
    let kept = kept.replace("\r\n", "\n");
    kept.trim_end()
        .split(ends_line)
        .map(|line| format!("> {line}"))
        .collect()
}

/// Whether readers may begin a new line here, or do something else that is no letter.
fn ends_line(c: char) -> bool {
    (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')
}

const fn labels(en: &'static str, ru: &'static str, es: &'static str) -> Labels {
    Labels { en, ru, es }
}

/// What happened, in a sentence.
fn happened(kind: NoticeKind, event: &Event) -> Labels {
    match event {
        Event::Created(_) => labels(
            "A ticket was opened in your name.",
            "От вашего имени создан тикет.",
            "Se ha abierto un tique en su nombre.",
        ),
        Event::Accepted { .. } | Event::Assigned(_) => of_assignment(kind),
        Event::InformationRequested { .. } => labels(
            "There is a question about the ticket. It waits for an answer.",
            "По тикету задан вопрос. Он ожидает ответа.",
            "Hay una pregunta sobre el tique, que espera respuesta.",
        ),
        Event::InformationProvided { .. } => labels(
            "The question about the ticket was answered.",
            "На вопрос по тикету получен ответ.",
            "Se ha respondido a la pregunta sobre el tique.",
        ),
        Event::Commented {
            visibility: Visibility::Internal,
            ..
        } => labels(
            "There is a new internal comment on the ticket. The requester does not see it: do not pass it on.",
            "К тикету добавлен внутренний комментарий. Заявитель его не видит: не пересылайте это письмо.",
            "Hay un comentario interno nuevo en el tique. El solicitante no lo ve: no lo reenvíe.",
        ),
        Event::Commented { .. } => labels(
            "There is a new comment on the ticket.",
            "К тикету добавлен комментарий.",
            "Hay un comentario nuevo en el tique.",
        ),
        Event::FixAwaited { .. } => labels(
            "The ticket waits for a fix.",
            "Тикет ожидает исправления.",
            "El tique espera una corrección.",
        ),
        Event::ImplementationAwaited { .. } => labels(
            "The ticket waits for a feature to be made.",
            "Тикет ожидает реализации новой функции.",
            "El tique espera la implementación de una función.",
        ),
        Event::WorkResumed { .. } => labels(
            "Work on the ticket goes on.",
            "Работа над тикетом продолжается.",
            "El trabajo en el tique continúa.",
        ),
        Event::ClosureProposed { wait, .. } | Event::InformationWaitExpired { wait } => {
            of_closure(matches!(event, Event::ClosureProposed { .. }), wait.is_some())
        }
        Event::Closed { .. } => labels("The ticket was closed.", "Тикет закрыт.", "El tique se ha cerrado."),
        Event::ClosureWaitExpired => labels(
            "Nobody objected, and the ticket was closed.",
            "Возражений не поступило, и тикет закрыт.",
            "Nadie se ha opuesto y el tique se ha cerrado.",
        ),
        Event::ClosureDeclined { .. } => labels(
            "The ticket is not solved: closing it was declined.",
            "Тикет не решён: закрытие отклонено.",
            "El tique no está resuelto: se ha rechazado su cierre.",
        ),
        Event::Reopened { .. } => labels(
            "The ticket was opened again.",
            "Тикет переоткрыт.",
            "El tique se ha reabierto.",
        ),
        Event::Rated { .. } => labels(
            "Your work on the ticket was rated.",
            "Ваша работа над тикетом оценена.",
            "Se ha valorado su trabajo en el tique.",
        ),
        Event::Sla(event) => of_clock(event),
        // Nobody is told of these.
        Event::Classified(_)
        | Event::Edited(_)
        | Event::Followed { .. }
        | Event::Unfollowed { .. }
        | Event::ProjectChanged { .. } => labels("The ticket was changed.", "Тикет изменён.", "El tique ha cambiado."),
    }
}

/// The same event is told to each as what it is to them.
const fn of_assignment(kind: NoticeKind) -> Labels {
    match kind {
        NoticeKind::Group => labels(
            "A ticket came to your group, and nobody works on it yet.",
            "В вашу группу поступил тикет, над которым пока никто не работает.",
            "Su grupo ha recibido un tique en el que todavía no trabaja nadie.",
        ),
        NoticeKind::Assigned => labels(
            "A ticket was given to you.",
            "Вам назначен тикет.",
            "Se le ha asignado un tique.",
        ),
        _ => labels(
            "The ticket was given to somebody who works on it.",
            "Тикет передан специалисту.",
            "El tique se ha asignado a un especialista.",
        ),
    }
}

const fn of_closure(is_proposed: bool, is_limited: bool) -> Labels {
    match (is_proposed, is_limited) {
        (true, true) => labels(
            "The ticket is thought to be solved. It will be closed unless somebody objects.",
            "Тикет считается решённым. Он будет закрыт, если никто не возразит.",
            "El tique se considera resuelto. Se cerrará si nadie se opone.",
        ),
        (true, false) => labels(
            "The ticket is thought to be solved. Close it if you agree.",
            "Тикет считается решённым. Закройте его, если согласны.",
            "El tique se considera resuelto. Ciérrelo si está de acuerdo.",
        ),
        (false, true) => labels(
            "Nobody answered in time. The ticket will be closed unless somebody objects.",
            "Ответ не получен вовремя. Тикет будет закрыт, если никто не возразит.",
            "Nadie ha respondido a tiempo. El tique se cerrará si nadie se opone.",
        ),
        (false, false) => labels(
            "Nobody answered in time. The ticket waits to be closed.",
            "Ответ не получен вовремя. Тикет ожидает закрытия.",
            "Nadie ha respondido a tiempo. El tique espera su cierre.",
        ),
    }
}

const fn of_clock(event: &SlaEvent) -> Labels {
    if matches!(event, SlaEvent::Warned { .. }) {
        labels(
            "A time that was promised for the ticket is near.",
            "Приближается обещанный срок по тикету.",
            "Está a punto de vencer un plazo prometido para el tique.",
        )
    } else {
        labels(
            "A time that was promised for the ticket is over.",
            "Обещанный срок по тикету истёк.",
            "Ha vencido un plazo prometido para el tique.",
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::testing::{NOON, accepted, body, closed, closure_proposed, info_requested, opened};
    use domain::ticket::{Ticket, Visibility, Wait};
    use domain::{text, ticket};

    use super::*;

    fn wait() -> Wait {
        Wait {
            number: 1,
            due_at: NOON,
            policy: text::Label::parse("supportal/1").unwrap(),
        }
    }

    #[test]
    fn every_sentence_is_another_in_every_language() {
        let limited = |limited: bool| limited.then(wait);
        let user = domain::testing::AGENT;
        let told = [
            (NoticeKind::Created, opened()),
            (NoticeKind::Accepted, accepted(user)),
            (NoticeKind::Assigned, accepted(user)),
            (NoticeKind::Group, Event::Assigned(ticket::Assigned::default())),
            (NoticeKind::Question, info_requested()),
            (NoticeKind::Answer, Event::InformationProvided { comment: body("7") }),
            (
                NoticeKind::Comment,
                Event::Commented {
                    body: body("7"),
                    visibility: Visibility::Public,
                },
            ),
            (
                NoticeKind::Progress,
                Event::FixAwaited {
                    comment: None,
                    reference: None,
                },
            ),
            (
                NoticeKind::Progress,
                Event::ImplementationAwaited {
                    comment: None,
                    reference: None,
                },
            ),
            (NoticeKind::Progress, Event::WorkResumed { comment: None }),
            (NoticeKind::Closure, closure_proposed()),
            (
                NoticeKind::Closure,
                Event::ClosureProposed {
                    solution: body("F5"),
                    wait: limited(true),
                },
            ),
            (
                NoticeKind::Closure,
                Event::InformationWaitExpired { wait: limited(false) },
            ),
            (
                NoticeKind::Closure,
                Event::InformationWaitExpired { wait: limited(true) },
            ),
            (NoticeKind::Closed, closed()),
            (NoticeKind::Closed, Event::ClosureWaitExpired),
            (NoticeKind::Reopened, Event::ClosureDeclined { comment: body("no") }),
            (NoticeKind::Reopened, Event::Reopened { comment: body("no") }),
            (
                NoticeKind::Rating,
                Event::Rated {
                    score: 1,
                    comment: None,
                },
            ),
        ];
        let kinds: BTreeSet<NoticeKind> = told.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds.len() + 1, NoticeKind::ALL.len(), "and deadlines");
        let all = told.map(|(kind, event)| happened(kind, &event));
        let sentences: BTreeSet<&str> = all
            .iter()
            .flat_map(|labels| [labels.en, labels.ru, labels.es])
            .collect();
        assert_eq!(sentences.len(), 3 * all.len());
    }

    #[test]
    fn nothing_that_somebody_wrote_stands_on_a_line_of_its_own() {
        let words = "one\r\n\n> two\rthree\u{2028}\tfour\u{b}\n\n";
        assert_eq!(quoted(words), ["> one", "> ", "> > two", "> three", "> \tfour"]);
        let Ticket::Present(mut ticket) = Ticket::default().evolve(&opened(), NOON) else {
            panic!("it is open")
        };
        ticket.subject = text::Subject::parse("Export\n\nPay here:\u{2029}now").unwrap();
        let letter = Letter {
            id: Uuid::nil(),
            kind: NoticeKind::Question,
            event: &info_requested(),
            author: Some("Ada\nThe desk"),
            thread: Uuid::nil(),
            ticket: &ticket,
            status: labels("New", "Новый", "Nuevo"),
            language: Language::English,
        };
        let written = letter.written("https://desk.example.org");
        assert_eq!(written.subject, "[#1] Export  Pay here: now");
        assert_eq!(
            written.text,
            "There is a question about the ticket. It waits for an answer.\n\nAda The desk:\n> Which version?\n\n\
             #1 Export  Pay here: now\nStatus: New\nhttps://desk.example.org/tickets/1\n\n\
             You are told because the ticket concerns you. Choose what you are told here:\n\
             https://desk.example.org/settings\n"
        );
    }

    #[test]
    fn words_are_cut_where_they_are_many() {
        let long = quoted(&"ы".repeat(CHARACTERS_MAX + 1)).concat();
        assert_eq!(long.chars().count(), CHARACTERS_MAX + 3);
        assert!(long.ends_with("ы…"));
    }
}
