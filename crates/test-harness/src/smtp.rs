//! A mail server of a test's own: it takes mail over SMTP, and keeps it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{self, AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// No mailbox here has this name.
pub const REFUSED: &str = "nobody";

/// The mailbox of this name is full when the first mail comes, and then no more.
pub const LATER: &str = "later";

/// How long a mail may take to come before a test gives up.
const LIMIT: Duration = Duration::from_mins(1);

/// A mail as it came.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    /// What `MAIL FROM` said.
    pub from: String,
    /// What `RCPT TO` said, each time.
    pub to: Vec<String>,
    /// The headers and the body.
    pub data: String,
}

impl Mail {
    /// The header's values, each as it stands there, unfolded.
    pub fn headers(&self, name: &str) -> Vec<String> {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap_or((&self.data, ""));
        let unfolded = head.replace("\r\n ", " ");
        let lines = unfolded.lines().filter_map(|line| line.split_once(": "));
        let named = lines.filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.to_owned()).collect()
    }

    /// The body as it stands there.
    pub fn body(&self) -> &str {
        self.data.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// What the body says.
    ///
    /// # Panics
    ///
    /// If it is not text, encoded as this knows it.
    pub fn text(&self) -> String {
        let encoding = self.headers("Content-Transfer-Encoding").concat();
        let bytes = match encoding.as_str() {
            "7bit" => self.body().as_bytes().to_vec(),
            "quoted-printable" => unquoted(self.body()),
            "base64" => BASE64.decode(self.body().replace("\r\n", "")).expect("base64"),
            other => panic!("{other}"),
        };
        String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n")
    }
}

/// A mail server. It ends with this value.
#[derive(Debug)]
pub struct Smtp {
    address: SocketAddr,
    mails: Mutex<mpsc::UnboundedReceiver<Mail>>,
    serving: JoinHandle<()>,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Smtp {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let (keep, mails) = mpsc::unbounded_channel();
        let full = Arc::new(AtomicBool::new(true));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, keep.clone(), Arc::clone(&full)));
            }
        });
        Self {
            address,
            mails: Mutex::new(mails),
            serving,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The next mail, in the order in which they came.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub async fn mail(&self) -> Mail {
        let mut mails = self.mails.lock().await;
        let mail = timeout(LIMIT, mails.recv()).await.expect("a mail comes in time");
        mail.expect("the server runs")
    }

    /// The mails that have come and that nobody asked for yet.
    pub async fn mails(&self) -> Vec<Mail> {
        let mut mails = self.mails.lock().await;
        std::iter::from_fn(|| mails.try_recv().ok()).collect()
    }
}

/// One connection, by RFC 5321 as far as clients use it.
async fn converse(mut stream: TcpStream, keep: mpsc::UnboundedSender<Mail>, full: Arc<AtomicBool>) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test ESMTP\r\n").await?;
    let mut mail = Mail::default();
    while let Some(line) = lines.next_line().await? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match verb.as_str() {
            "EHLO" => b"250-test\r\n250 8BITMIME\r\n",
            "MAIL" => {
                mail = Mail {
                    from: path(&line),
                    ..Mail::default()
                };
                b"250 ok\r\n"
            }
            "RCPT" if is_of(&line, REFUSED) => b"550 5.1.1 no such mailbox\r\n",
            "RCPT" if is_of(&line, LATER) && full.swap(false, Ordering::Relaxed) => b"452 4.2.2 mailbox full\r\n",
            "RCPT" => {
                mail.to.push(path(&line));
                b"250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail.data += line.strip_prefix('.').unwrap_or(&line);
                    mail.data += "\r\n";
                }
                // Nobody may be waiting for it.
                let _ = keep.send(std::mem::take(&mut mail));
                b"250 taken\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            "RSET" | "NOOP" => b"250 ok\r\n",
            _ => b"502 unknown\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}

fn unquoted(body: &str) -> Vec<u8> {
    let body = body.replace("=\r\n", "");
    let mut parts = body.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).expect("two digits"));
        bytes.extend(rest.as_bytes());
    }
    bytes
}

/// Whether the line's address is one of this mailbox.
fn is_of(line: &str, mailbox: &str) -> bool {
    path(line).split('@').next() == Some(mailbox)
}

/// What stands between the angle brackets.
fn path(line: &str) -> String {
    let inside = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(String::new, |(path, _)| path.to_owned())
}
