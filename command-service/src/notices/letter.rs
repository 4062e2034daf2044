//! What people read of what happened to a ticket, in their language.

use domain::notice::{NoticeKind, said};
use domain::people::Language;
use domain::sla::SlaEvent;
use domain::ticket::{Event, TicketState};
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
        let (number, subject) = (number.0, subject.as_str());
        let mut lines = vec![self.pick(happened(self.kind, self.event)).to_owned(), String::new()];
        if let Some(said) = said(self.event) {
            lines.extend(self.author.map(|author| format!("{author}:")));
            lines.extend(quoted(said.as_str()));
            lines.push(String::new());
        }
        let status = self.pick(labels("Status", "Статус", "Estado"));
        let why = self.pick(labels(
            "You are told because the ticket concerns you. Choose what you are told here:",
            "Вы получили это письмо, потому что обращение касается вас. Выбрать, о чём сообщать, можно здесь:",
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

/// Words as mails quote them, so that nobody takes them for the desk's own.
fn quoted(words: &str) -> Vec<String> {
    let mut kept: String = words.chars().take(CHARACTERS_MAX).collect();
    if kept.len() < words.len() {
        kept.push('…');
    }
    kept.lines().map(|line| format!("> {line}")).collect()
}

/// What happened, in a sentence.
fn happened(kind: NoticeKind, event: &Event) -> Labels {
    match kind {
        NoticeKind::Created => labels(
            "A ticket was opened in your name.",
            "От вашего имени создано обращение.",
            "Se ha abierto un tique en su nombre.",
        ),
        NoticeKind::Group => labels(
            "A ticket came to your group, and nobody works on it yet.",
            "В вашу группу поступило обращение, над которым пока никто не работает.",
            "Su grupo ha recibido un tique en el que todavía no trabaja nadie.",
        ),
        NoticeKind::Assigned => labels(
            "A ticket was given to you.",
            "Вам назначено обращение.",
            "Se le ha asignado un tique.",
        ),
        NoticeKind::Accepted => labels(
            "The ticket was given to somebody who works on it.",
            "Обращение передано специалисту.",
            "El tique se ha entregado a un especialista.",
        ),
        NoticeKind::Question => labels(
            "There is a question about the ticket. It waits for an answer.",
            "По обращению задан вопрос. Оно ожидает ответа.",
            "Hay una pregunta sobre el tique, que espera respuesta.",
        ),
        NoticeKind::Answer => labels(
            "The question about the ticket was answered.",
            "На вопрос по обращению получен ответ.",
            "Se ha respondido a la pregunta sobre el tique.",
        ),
        NoticeKind::Comment => labels(
            "There is a new comment on the ticket.",
            "К обращению добавлен комментарий.",
            "Hay un comentario nuevo en el tique.",
        ),
        NoticeKind::Progress => progress(event),
        NoticeKind::Closure => closure(event),
        NoticeKind::Closed => closed(event),
        NoticeKind::Reopened => reopened(event),
        NoticeKind::Rating => labels(
            "Your work on the ticket was rated.",
            "Ваша работа над обращением оценена.",
            "Se ha valorado su trabajo en el tique.",
        ),
        NoticeKind::Deadline => deadline(event),
    }
}

const fn labels(en: &'static str, ru: &'static str, es: &'static str) -> Labels {
    Labels { en, ru, es }
}

fn progress(event: &Event) -> Labels {
    match event {
        Event::FixAwaited { .. } => labels(
            "The ticket waits for a fix.",
            "Обращение ожидает исправления.",
            "El tique espera una corrección.",
        ),
        Event::ImplementationAwaited { .. } => labels(
            "The ticket waits for a feature to be made.",
            "Обращение ожидает реализации.",
            "El tique espera la implementación de una función.",
        ),
        _ => labels(
            "Work on the ticket goes on.",
            "Работа над обращением продолжается.",
            "El trabajo en el tique continúa.",
        ),
    }
}

fn closure(event: &Event) -> Labels {
    match event {
        Event::InformationWaitExpired { .. } => labels(
            "Nobody answered in time. The ticket will be closed unless somebody objects.",
            "Ответ не получен вовремя. Обращение будет закрыто, если никто не возразит.",
            "Nadie respondió a tiempo. El tique se cerrará si nadie se opone.",
        ),
        _ => labels(
            "The ticket is thought to be solved. It will be closed unless somebody objects.",
            "Обращение считается решённым. Оно будет закрыто, если никто не возразит.",
            "El tique se considera resuelto. Se cerrará si nadie se opone.",
        ),
    }
}

fn closed(event: &Event) -> Labels {
    match event {
        Event::ClosureWaitExpired => labels(
            "Nobody objected, and the ticket was closed.",
            "Возражений не поступило, и обращение закрыто.",
            "Nadie se opuso y el tique se ha cerrado.",
        ),
        _ => labels(
            "The ticket was closed.",
            "Обращение закрыто.",
            "El tique se ha cerrado.",
        ),
    }
}

fn reopened(event: &Event) -> Labels {
    match event {
        Event::ClosureDeclined { .. } => labels(
            "The ticket is not solved: closing it was declined.",
            "Обращение не решено: закрытие отклонено.",
            "El tique no está resuelto: se ha rechazado su cierre.",
        ),
        _ => labels(
            "The ticket was opened again.",
            "Обращение открыто снова.",
            "El tique se ha reabierto.",
        ),
    }
}

fn deadline(event: &Event) -> Labels {
    match event.sla() {
        Some(SlaEvent::Warned { .. }) => labels(
            "A time that was promised for the ticket is near.",
            "Приближается обещанный срок по обращению.",
            "Se acerca un plazo prometido para el tique.",
        ),
        _ => labels(
            "A time that was promised for the ticket is over.",
            "Обещанный срок по обращению прошёл.",
            "Ha vencido un plazo prometido para el tique.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_sentence_is_another_in_every_language() {
        let event = Event::ClosureWaitExpired;
        let all = NoticeKind::ALL.map(|kind| happened(kind, &event));
        let sentences: BTreeSet<&str> = all
            .iter()
            .flat_map(|labels| [labels.en, labels.ru, labels.es])
            .collect();
        assert_eq!(sentences.len(), 3 * NoticeKind::ALL.len());
    }

    #[test]
    fn words_are_quoted_line_by_line_and_cut_where_they_are_many() {
        assert_eq!(quoted("one\n\n> two\n"), ["> one", "> ", "> > two"]);
        let long = quoted(&"ы".repeat(CHARACTERS_MAX + 1)).concat();
        assert_eq!(long.chars().count(), CHARACTERS_MAX + 3);
        assert!(long.ends_with("ы…"));
    }
}
