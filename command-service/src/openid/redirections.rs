//! A provider that leads elsewhere leads nowhere: what only this machine reaches, nobody reaches by way of it.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const CONFIGURATION: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/keys";
const TOKEN: &str = "/token";

/// The last two keep the method and the body: a code and the desk's secret would go along.
const REDIRECTIONS: [&str; 5] = [
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
];

/// A provider that says of itself what it has to, and leads elsewhere at one place.
struct Provider {
    issuer: String,
    /// The paths that it was asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    async fn start(leading: &'static str, how: &'static str, elsewhere: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let provider = Self {
            issuer: issuer.clone(),
            asked: Arc::clone(&asked),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (mut stream, path) = read(stream).await;
                let (status, body) = if path == leading {
                    (format!("{how}\r\nLocation: {elsewhere}{path}"), String::new())
                } else {
                    (
                        "200 OK\r\nContent-Type: application/json".to_owned(),
                        said(&issuer, &path),
                    )
                };
                asked.lock().unwrap().push(path);
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        provider
    }
}

/// Reads a request to its end; returns its path.
async fn read(stream: TcpStream) -> (BufReader<TcpStream>, String) {
    let mut stream = BufReader::new(stream);
    let (mut path, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        path = path.or_else(|| line.split(' ').nth(1).map(str::to_owned));
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (stream, path.unwrap())
}

/// What the provider says there.
fn said(issuer: &str, path: &str) -> String {
    let said = match path {
        CONFIGURATION => json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}{TOKEN}"),
            "jwks_uri": format!("{issuer}{KEYS}"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }),
        KEYS => json!({ "keys": [] }),
        _ => json!({}),
    };
    said.to_string()
}

#[tokio::test]
async fn a_provider_that_leads_elsewhere_is_not_followed() {
    for how in REDIRECTIONS {
        for leading in [CONFIGURATION, KEYS, TOKEN] {
            // Whoever comes is kept waiting at the door, and is seen there.
            let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            elsewhere.set_nonblocking(true).unwrap();
            let there = format!("http://{}", elsewhere.local_addr().unwrap());
            let provider = Provider::start(leading, how, there).await;
            let openid = OpenId::with(
                IssuerUrl::new(provider.issuer.clone()).unwrap(),
                ClientId::new("desk".to_owned()),
                ClientSecret::new("a secret of tests".to_owned()),
                RedirectUrl::new("http://127.0.0.1:9/sign-in".to_owned()).unwrap(),
            );
            let openid = openid.unwrap();
            let told = match openid.begin().await {
                Ok(Attempt { attempt, .. }) => {
                    let (code, state) = ("code".to_owned(), state(&attempt));
                    let returned = Returned {
                        attempt,
                        code,
                        state,
                        issuer: None,
                    };
                    openid.address(returned).await
                }
                Err(problem) => Err(problem),
            };
            let last = provider.asked.lock().unwrap().last().cloned();
            assert_eq!(last.as_deref(), Some(leading), "{how}: the desk came there");
            assert_eq!(told.unwrap_err().kind.code, "openid-unavailable", "{how} at {leading}");
            let nobody = elsewhere.accept().map(drop).map_err(|error| error.kind());
            assert_eq!(nobody, Err(ErrorKind::WouldBlock), "{how} at {leading}: somebody came");
        }
    }
}
