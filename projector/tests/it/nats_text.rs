//! Just enough of NATS's text protocol to put bytes into the log that no writer of ours would.

use test_harness::Nats;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// Publishes, and waits until JetStream has it.
pub(crate) async fn publish(nats: &Nats, subject: &str, payload: &str) {
    let token = nats
        .url()
        .trim_start_matches("nats://")
        .split_once('@')
        .map(|(token, _)| token);
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", nats.port())).await.unwrap());
    let auth = token
        .map(|token| format!(r#","auth_token":"{token}""#))
        .unwrap_or_default();
    let length = payload.len();
    let text = format!(
        "CONNECT {{\"verbose\":false,\"pedantic\":false{auth}}}\r\nSUB ack 1\r\nPUB {subject} ack {length}\r\n{payload}\r\n"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut line = String::new();
    while !line.starts_with("MSG ack") {
        assert!(!line.starts_with("-ERR"), "{line}");
        line.clear();
        assert_ne!(stream.read_line(&mut line).await.unwrap(), 0, "the server hung up");
    }
}
