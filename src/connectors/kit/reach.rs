//! Reaches for a host without asking it anything: name, connection, handshake.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};
use url::{Host, Url};

use super::guard::Rules;
use super::network::CONNECT_TIMEOUT;
use super::resolver::admitted;
use crate::contract::Reached;
use crate::domain::fault::Fault;

/// Looks the name up, connects, and for https completes the handshake.
///
/// # Errors
/// `Rejected` for an address that may not be called; `Transient` with the code `dns`, `unreachable` or
/// `tls`, whichever half went wrong.
pub(super) async fn reach(
    rules: &Rules,
    tls: Arc<ClientConfig>,
    url: &Url,
) -> Result<Reached, Fault> {
    let host = url.host_str().unwrap_or_default();
    let started = Instant::now();
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, connect(rules, url))
        .await
        .unwrap_or_else(|_| Err(step("unreachable", host, "no connection in time")))?;
    let connected_in = started.elapsed();
    if url.scheme() != "https" {
        return Ok(Reached {
            connected_in,
            secured_in: None,
        });
    }
    let name = server_name(url).ok_or_else(|| step("tls", host, "the name cannot be asked for"))?;
    let started = Instant::now();
    // The library's handshake is a loop over a blocking socket; it ends by the socket's own time-out.
    let secured = tokio::task::spawn_blocking(move || secure(&stream, tls, name)).await;
    match secured {
        Ok(Ok(())) => Ok(Reached {
            connected_in,
            secured_in: Some(started.elapsed()),
        }),
        Ok(Err(error)) => Err(step("tls", host, &error.to_string())),
        Err(_) => Err(step("tls", host, "the handshake was given up")),
    }
}

async fn connect(rules: &Rules, url: &Url) -> Result<TcpStream, Fault> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    let found = lookup(url, port)
        .await
        .map_err(|error| step("dns", host, &error.to_string()))?;
    // An address that was written out has been judged with the URL, whose port counts too.
    let addresses = match url.host() {
        Some(Host::Domain(_)) => admitted(rules, found.into_iter()).map_err(|_| rules.refused())?,
        _ => found,
    };
    let unreachable = |error: std::io::Error| step("unreachable", host, &error.to_string());
    let stream = tokio::net::TcpStream::connect(addresses.as_slice())
        .await
        .map_err(unreachable)?;
    stream.into_std().map_err(unreachable)
}

async fn lookup(url: &Url, port: u16) -> std::io::Result<Vec<SocketAddr>> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(vec![SocketAddr::new(address.into(), port)]),
        Some(Host::Ipv6(address)) => Ok(vec![SocketAddr::new(address.into(), port)]),
        Some(Host::Domain(name)) => Ok(tokio::net::lookup_host((name, port)).await?.collect()),
        None => Ok(Vec::new()),
    }
}

fn server_name(url: &Url) -> Option<ServerName<'static>> {
    match url.host()? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).ok(),
        Host::Ipv4(address) => Some(ServerName::IpAddress(
            std::net::IpAddr::from(address).into(),
        )),
        Host::Ipv6(address) => Some(ServerName::IpAddress(
            std::net::IpAddr::from(address).into(),
        )),
    }
}

fn secure(
    mut stream: &TcpStream,
    tls: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(CONNECT_TIMEOUT))?;
    stream.set_write_timeout(Some(CONNECT_TIMEOUT))?;
    let started = Instant::now();
    let mut handshake = ClientConnection::new(tls, name).map_err(std::io::Error::other)?;
    while handshake.is_handshaking() {
        // A host that sends one byte at a time never meets the socket's own time-out.
        if started.elapsed() > CONNECT_TIMEOUT {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        if handshake.wants_write() {
            handshake.write_tls(&mut stream)?;
        } else if handshake.read_tls(&mut stream)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        } else {
            handshake
                .process_new_packets()
                .map_err(std::io::Error::other)?;
        }
    }
    Ok(())
}

fn step(code: &str, host: &str, says: &str) -> Fault {
    Fault::Transient {
        code: code.to_owned(),
        message: format!("{host}: {says}"),
    }
}
