//! Waiting for the desk to be ready, and saying so.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail};
use servers::wait::{self, Waited};

use super::{signals::Signals, tree::Tree};

/// The read models may have a long log to catch up with after a rebuild.
const READY_LIMIT: Duration = Duration::from_mins(10);
/// One look at `/readyz`.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// Waits until the services say that they are ready, or one of the children ends.
pub(super) fn wait(listen: SocketAddr, tree: &mut Tree, signals: &mut Signals) -> anyhow::Result<()> {
    let waited = wait::until(READY_LIMIT, &mut |duration| signals.pass(duration), || {
        match tree.ended() {
            Some(ended) => Some(Err(ended)),
            None => is_ready(reachable(listen)).then_some(Ok(())),
        }
    });
    match waited {
        Waited::Done(Ok(())) => Ok(()),
        Waited::Done(Err(ended)) => bail!("{ended} before the desk was ready; what it said is above or in `run`"),
        Waited::TimedOut => bail!("the services were not ready after {} s", READY_LIMIT.as_secs()),
        Waited::Interrupted => bail!("interrupted"),
    }
}

fn is_ready(address: SocketAddr) -> bool {
    let probe = || -> io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PROBE_LIMIT)?;
        stream.set_read_timeout(Some(PROBE_LIMIT))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut status)?;
        Ok(String::from_utf8_lossy(&status).into_owned())
    };
    probe().is_ok_and(|status| status.ends_with(" 200"))
}

/// An address to connect to: who listens on all interfaces is reached on the loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The address as a URL for somebody on this machine.
pub(super) fn url_of(listen: SocketAddr) -> String {
    format!("http://{}", reachable(listen))
}

/// Says where the desk is and how to try it.
#[expect(clippy::print_stdout, reason = "this is what the command has to say")]
pub(super) fn announce(url: &str, data_dir: &Path) -> anyhow::Result<()> {
    let path = data_dir.join("admin-token");
    let token = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    println!("{}", greeting(url, token.trim()));
    Ok(())
}

/// Three requests that work when pasted, in any order.
fn greeting(url: &str, token: &str) -> String {
    let auth = format!("-H 'Authorization: Bearer {token}'");
    let ticket =
        r#"{"subject": "The printer is on fire", "description": "Second floor, by the stairs.", "type": "outage"}"#;
    format!(
        "\nRecourse is ready at {url}\n\
         Administrator's token: {token}\n\n\
         curl -X POST {url}/v1/tickets {auth} -H 'Content-Type: application/json' -d '{ticket}'\n\
         curl {url}/v1/tickets {auth}\n\
         curl {url}/v1/dashboard {auth}\n"
    )
}

/// Says what goes on, to whoever watches.
#[expect(
    clippy::print_stderr,
    reason = "the supervisor has no log of its own but its terminal"
)]
pub(super) fn progress(what: &str) {
    eprintln!("recourse: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_reached_on_the_loopback() {
        assert_eq!(url_of("0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
        assert_eq!(url_of("[::]:80".parse().unwrap()), "http://[::1]:80");
        assert_eq!(url_of("192.0.2.7:8080".parse().unwrap()), "http://192.0.2.7:8080");
    }

    #[test]
    fn the_greeting_has_the_address_the_token_and_three_requests() {
        let greeting = greeting("http://127.0.0.1:8080", "secret");
        let requests: Vec<&str> = greeting.lines().filter(|line| line.starts_with("curl ")).collect();
        assert_eq!(requests.len(), 3);
        assert!(
            requests
                .iter()
                .all(|line| line.contains("Bearer secret") && line.contains("http://127.0.0.1:8080/v1/"))
        );
    }
}
