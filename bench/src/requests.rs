//! What the load generator sends: requests made once, in which only keys and ids change, if anything does.

use std::ops::Range;

use uuid::Uuid;

/// Whom the load generator acts as.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    pub(crate) staff: String,
    pub(crate) customer: String,
}

/// A key in text: 32 hexadecimal digits.
const KEY_BYTES: usize = 32;
/// A ticket's id in text.
pub(crate) const ID_BYTES: usize = 36;

/// A ticket like many: its record has about 400 bytes.
const TICKET: &str = concat!(
    r#"{"subject":"Monthly report cannot be exported","type":"outage","description":"#,
    r#""Since this morning the export of the monthly report ends with the message `timeout`. "#,
    r#"It worked yesterday, with the same report and by the same person. "#,
    r#"Restarting the browser did not help."}"#
);

/// Idempotency keys, each of them used once.
#[derive(Debug)]
pub(crate) struct Keys {
    run: u64,
    next: u64,
}

impl Keys {
    /// A sequence that shares no key with another.
    pub(crate) fn new() -> Self {
        let (run, _) = Uuid::new_v4().as_u64_pair();
        Self { run, next: 0 }
    }

    fn write(&mut self, into: &mut [u8]) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut rest = (u128::from(self.run) << 64) | u128::from(self.next);
        self.next += 1;
        for digit in into.iter_mut().rev() {
            *digit = DIGITS
                .get(usize::from(rest.to_le_bytes()[0] & 0xf))
                .copied()
                .unwrap_or(b'0');
            rest >>= 4;
        }
    }
}

/// The bytes of a request, with places for what changes.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    keys: Vec<Range<usize>>,
    ticket: Option<Range<usize>>,
}

impl Template {
    fn new(text: &str) -> Self {
        let key = "K".repeat(KEY_BYTES);
        let id = "I".repeat(ID_BYTES);
        let keys = text.match_indices(&key).map(|(at, _)| at..at + KEY_BYTES).collect();
        let ticket = text.find(&id).map(|at| at..at + ID_BYTES);
        Self {
            bytes: text.as_bytes().to_vec(),
            keys,
            ticket,
        }
    }

    /// Whether it goes to a ticket that exists.
    pub(crate) fn needs_ticket(&self) -> bool {
        self.ticket.is_some()
    }

    /// The request with new keys, for this ticket.
    pub(crate) fn fill(&mut self, keys: &mut Keys, ticket: &[u8; ID_BYTES]) -> &[u8] {
        for place in &self.keys {
            if let Some(place) = self.bytes.get_mut(place.clone()) {
                keys.write(place);
            }
        }
        if let Some(place) = self.ticket.clone().and_then(|place| self.bytes.get_mut(place)) {
            place.copy_from_slice(ticket);
        }
        &self.bytes
    }
}

/// A creation.
pub(crate) fn create(tokens: &Tokens) -> Template {
    create_by(&tokens.customer)
}

/// A creation by whoever bears the token.
pub(crate) fn create_by(token: &str) -> Template {
    post(token, "/v1/tickets", TICKET)
}

/// A question.
pub(crate) fn get(token: &str, path: &str) -> Template {
    Template::new(&format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    ))
}

/// A ticket's whole life, in order, each command by the side that gives it.
pub(crate) fn life(tokens: &Tokens) -> Vec<Template> {
    let (staff, customer) = (&tokens.staff, &tokens.customer);
    let steps = [
        (staff, "accept", "{}"),
        (
            staff,
            "request-info",
            r#"{"comment":"Which report is it, and for which month?"}"#,
        ),
        (
            customer,
            "provide-info",
            r#"{"comment":"The one by region, for last month."}"#,
        ),
        (
            staff,
            "propose-closure",
            r#"{"solution":"The export waited for a lock that a backup held. It works again."}"#,
        ),
        (customer, "close", "{}"),
        (customer, "rate", r#"{"score":5,"comment":"Thank you!"}"#),
    ];
    let id = "I".repeat(ID_BYTES);
    let steps = steps.map(|(token, command, body)| post(token, &format!("/v1/tickets/{id}/{command}"), body));
    std::iter::once(create(tokens)).chain(steps).collect()
}

/// Creations, one on each of `lines` lines.
pub(crate) fn bulk(tokens: &Tokens, lines: usize) -> Template {
    let key = "K".repeat(KEY_BYTES);
    let line = format!("{{\"command\":\"create\",\"key\":\"{key}\",\"body\":{TICKET}}}\n");
    let body = line.repeat(lines);
    let head = head(&tokens.customer, "/v1/commands", "application/x-ndjson", body.len());
    Template::new(&format!("{head}\r\n{body}"))
}

/// A request with a JSON body that is sent once.
pub(crate) fn json(token: &str, method: &str, path: &str, body: &str) -> String {
    let head = head(token, path, "application/json", body.len());
    let rest = head.strip_prefix("POST").unwrap_or_default();
    format!("{method}{rest}\r\n{body}")
}

fn post(token: &str, path: &str, body: &str) -> Template {
    let key = "K".repeat(KEY_BYTES);
    let head = head(token, path, "application/json", body.len());
    Template::new(&format!("{head}Idempotency-Key: {key}\r\n\r\n{body}"))
}

fn head(token: &str, path: &str, content_type: &str, length: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {length}\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens {
            staff: "s".to_owned(),
            customer: "c".to_owned(),
        }
    }

    #[test]
    fn keys_are_written_in_full_and_differ() {
        let mut keys = Keys { run: 0xab, next: 0x10 };
        let (mut one, mut two) = ([0; KEY_BYTES], [0; KEY_BYTES]);
        keys.write(&mut one);
        keys.write(&mut two);
        assert_eq!(&one, b"00000000000000ab0000000000000010");
        assert_eq!(&two, b"00000000000000ab0000000000000011");
    }

    #[test]
    fn a_filled_request_has_no_place_left() {
        let mut keys = Keys::new();
        for mut template in life(&tokens()) {
            let text = String::from_utf8(template.fill(&mut keys, &[b'7'; ID_BYTES]).to_vec()).unwrap();
            assert!(!text.contains("KKK") && !text.contains("III"), "{text}");
        }
    }

    #[test]
    fn a_bulk_request_has_a_key_for_each_line() {
        assert_eq!(bulk(&tokens(), 3).keys.len(), 3);
    }
}
