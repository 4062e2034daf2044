//! A TCP proxy that breaks connections in the ways networks do.

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// How much is passed on at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// Which way bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What clients send.
    ClientToServer,
    /// What the server answers, acknowledgements among it.
    ServerToClient,
}

/// What happens to bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Flow {
    #[default]
    Pass,
    /// They wait until the flow is restored.
    Hold,
    /// They vanish, and the connection with them when the flow is restored: it has a hole.
    Lose,
}

#[derive(Debug, Clone, Copy, Default)]
struct Weather {
    to_server: Flow,
    to_client: Flow,
    refusing: bool,
    /// Connections of an earlier generation are closed.
    generation: u64,
}

impl Weather {
    fn flow(&self, direction: Direction) -> Flow {
        match direction {
            Direction::ClientToServer => self.to_server,
            Direction::ServerToClient => self.to_client,
        }
    }
}

/// Stands between clients and a server, and passes everything on until told otherwise.
#[derive(Debug)]
pub struct ChaosProxy {
    address: SocketAddr,
    url: String,
    weather: watch::Sender<Weather>,
    accepting: JoinHandle<()>,
}

impl ChaosProxy {
    /// Starts one in front of the server of `url` (or of a bare `host:port`).
    ///
    /// # Panics
    ///
    /// If the URL names no port.
    pub async fn start(url: &str) -> Self {
        let (upstream, range) = host_and_port(url);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let (before, after) = (
            url.get(..range.start).unwrap_or_default(),
            url.get(range.end..).unwrap_or_default(),
        );
        let (weather, outlook) = watch::channel(Weather::default());
        let accepting = tokio::spawn(accept(listener, upstream.to_owned(), outlook));
        Self {
            address,
            url: format!("{before}{address}{after}"),
            weather,
            accepting,
        }
    }

    /// The server's URL with this proxy's address in it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where this listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection and every new one at once, until [`restore`](Self::restore).
    pub fn cut(&self) {
        self.weather.send_modify(|weather| {
            weather.refusing = true;
            weather.generation += 1;
        });
    }

    /// Closes every connection; new ones are taken.
    pub fn disconnect(&self) {
        self.weather.send_modify(|weather| weather.generation += 1);
    }

    /// Keeps what travels in this direction, until [`restore`](Self::restore) lets it go on.
    pub fn hold(&self, direction: Direction) {
        self.set(direction, Flow::Hold);
    }

    /// Loses what travels in this direction, as a dead router does: nobody is told.
    pub fn black_hole(&self, direction: Direction) {
        self.set(direction, Flow::Lose);
    }

    /// Passes everything on again. Connections that lost something are closed, as a network's would be in the end.
    pub fn restore(&self) {
        self.weather.send_modify(|weather| {
            let holed = [weather.to_server, weather.to_client].contains(&Flow::Lose);
            *weather = Weather {
                generation: weather.generation + u64::from(holed),
                ..Weather::default()
            };
        });
    }

    fn set(&self, direction: Direction, flow: Flow) {
        self.weather.send_modify(|weather| match direction {
            Direction::ClientToServer => weather.to_server = flow,
            Direction::ServerToClient => weather.to_client = flow,
        });
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

/// Where in a URL the server's address stands.
fn host_and_port(url: &str) -> (&str, std::ops::Range<usize>) {
    let scheme = url.find("://").map_or(0, |at| at + "://".len());
    let rest = url.get(scheme..).unwrap_or_default();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority.rfind('@').map_or(0, |at| at + 1);
    let address = authority.get(host..).unwrap_or_default();
    assert!(address.contains(':'), "the proxy needs a port in the server's address");
    (address, scheme + host..scheme + authority.len())
}

async fn accept(listener: TcpListener, upstream: String, outlook: watch::Receiver<Weather>) {
    // Ends when the proxy is dropped.
    while let Ok((client, _)) = listener.accept().await {
        if outlook.borrow().refusing {
            continue;
        }
        tokio::spawn(connect(client, upstream.clone(), outlook.clone()));
    }
}

async fn connect(client: TcpStream, upstream: String, outlook: watch::Receiver<Weather>) {
    let generation = outlook.borrow().generation;
    // A server that is down looks to the client like one that hangs up.
    let Ok(server) = TcpStream::connect(&upstream).await else {
        return;
    };
    // Small messages must not wait for each other; that neither stream can do it is no reason to stop.
    let _ = client.set_nodelay(true).and(server.set_nodelay(true));
    let (client_reader, client_writer) = client.into_split();
    let (server_reader, server_writer) = server.into_split();
    let mut to_server = Pipe {
        reader: client_reader,
        writer: server_writer,
        direction: Direction::ClientToServer,
    };
    let mut to_client = Pipe {
        reader: server_reader,
        writer: client_writer,
        direction: Direction::ServerToClient,
    };
    let mut gone = outlook.clone();
    // Whatever ends first ends the connection: both halves are dropped here.
    tokio::select! {
        _ = to_server.run(outlook.clone()) => {}
        _ = to_client.run(outlook.clone()) => {}
        _ = gone.wait_for(|weather| weather.generation != generation) => {}
    }
}

#[derive(Debug)]
struct Pipe {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    direction: Direction,
}

impl Pipe {
    async fn run(&mut self, mut outlook: watch::Receiver<Weather>) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let length = self.reader.read(&mut chunk).await?;
            if length == 0 {
                return Ok(());
            }
            // Bytes that are here already are held too: what arrives after `hold` does not get through.
            let direction = self.direction;
            let weather = outlook.wait_for(|weather| weather.flow(direction) != Flow::Hold).await;
            let flow = weather
                .map(|weather| weather.flow(direction))
                .map_err(io::Error::other)?;
            if flow == Flow::Pass {
                self.writer.write_all(chunk.get(..length).unwrap_or_default()).await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A server that answers every byte with the same byte.
    async fn echo() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reader, mut writer) = stream.split();
                    tokio::io::copy(&mut reader, &mut writer).await
                });
            }
        });
        address.to_string()
    }

    async fn says_back(stream: &mut TcpStream, byte: u8) -> io::Result<u8> {
        stream.write_u8(byte).await?;
        stream.read_u8().await
    }

    #[test]
    fn the_address_in_a_url_is_replaced_and_nothing_else() {
        let url = "nats://token@127.0.0.1:4222";
        let (address, range) = host_and_port(url);
        assert_eq!((address, &url[..range.start]), ("127.0.0.1:4222", "nats://token@"));
        assert_eq!(host_and_port("postgres://u:p@db:5432/x?y=a@b:1").0, "db:5432");
        assert_eq!(host_and_port("localhost:80").0, "localhost:80");
    }

    #[tokio::test]
    async fn bytes_pass_until_the_proxy_is_cut_and_again_after_it_is_restored() {
        let proxy = ChaosProxy::start(&echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says_back(&mut stream, 1).await.unwrap(), 1);

        proxy.cut();
        assert!(says_back(&mut stream, 2).await.is_err());
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(says_back(&mut refused, 3).await.is_err());

        proxy.restore();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(says_back(&mut stream, 4).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn held_bytes_arrive_when_the_flow_is_restored() {
        let proxy = ChaosProxy::start(&echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.hold(Direction::ServerToClient);
        let answer = tokio::time::timeout(Duration::from_millis(50), says_back(&mut stream, 1)).await;
        assert!(answer.is_err(), "the answer got through: {answer:?}");

        proxy.restore();
        assert_eq!(stream.read_u8().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_connection_that_lost_bytes_is_closed_when_the_flow_is_restored() {
        let proxy = ChaosProxy::start(&echo().await).await;
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        proxy.black_hole(Direction::ServerToClient);
        let answer = tokio::time::timeout(Duration::from_millis(50), says_back(&mut stream, 1)).await;
        assert!(answer.is_err(), "the answer got through: {answer:?}");

        proxy.restore();
        assert!(stream.read_u8().await.is_err());
    }
}
