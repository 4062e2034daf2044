//! The whole desk, started by one command, doing nothing: how much memory it holds.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use servers::{nats::free_port, wait};

use crate::process::{self, Memory};

/// After its start the desk is left alone for this long: caches of the start are given back, pools are filled.
pub(crate) const SETTLING: Duration = Duration::from_secs(15);

/// The processes of an idle desk by name: how many, and their memory.
pub(crate) fn measure(recourse: &Path, dir: &Path) -> anyhow::Result<BTreeMap<String, (u64, Memory)>> {
    let home = tempfile::Builder::new().prefix("bench-").tempdir_in(dir)?;
    let (data, messages) = (home.path().join("data"), home.path().join("up.log"));
    let address = free_address()?;
    let data = data.to_string_lossy();
    let args = ["up", "--data-dir", &data, "--listen", &address.to_string()];
    let mut desk = process::start(recourse, &args, &[], &messages)?;
    process::wait_ready(&mut desk, &messages, || is_ready(address))?;
    let _ = wait::sleep(SETTLING);
    let mut found: BTreeMap<String, (u64, Memory)> = BTreeMap::new();
    for pid in process::tree(desk.id()) {
        let (count, memory) = found.entry(process::name(pid)).or_default();
        *count += 1;
        *memory += process::memory(pid);
    }
    desk.stop(SETTLING, &mut wait::sleep);
    Ok(found)
}

/// A port on the loopback interface that is free now.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)))
}

/// Whether the service at this address says that it is ready.
pub(crate) fn is_ready(address: SocketAddr) -> bool {
    const REQUEST: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const READY: &[u8] = b"HTTP/1.1 200";
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(REQUEST)?;
        let mut status = [0; READY.len()];
        stream.read_exact(&mut status)?;
        Ok(status == READY)
    };
    ask().unwrap_or(false)
}
