//! Sockets to servers and name servers: who opens them.
//!
//! Owns what is asked of a connector, and the one that opens them itself. Which addresses may be asked for isn't its business.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;

use tokio::net::{TcpStream, UdpSocket};

/// What a connector will have opened.
pub type Connecting<'c, S> = Pin<Box<dyn Future<Output = io::Result<S>> + Send + 'c>>;

/// Opens the sockets of requests: for a program that can open none itself, or that sends them another way.
///
/// Each future is dropped when the request's time is over.
pub trait Connect: fmt::Debug + Send + Sync {
    /// A connection with a server, over TCP.
    fn tcp(&self, address: SocketAddr) -> Connecting<'_, TcpStream>;

    /// A socket for questions to a name server: it sends there, and receives from there alone, at a port that nobody can guess.
    fn udp(&self, address: SocketAddr) -> Connecting<'_, UdpSocket>;
}

/// Opens them as any program does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Direct;

impl Connect for Direct {
    fn tcp(&self, address: SocketAddr) -> Connecting<'_, TcpStream> {
        Box::pin(TcpStream::connect(address))
    }

    fn udp(&self, address: SocketAddr) -> Connecting<'_, UdpSocket> {
        Box::pin(async move {
            let any: IpAddr =
                if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            // A port by chance, and only this server's messages.
            let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
            socket.connect(address).await?;
            Ok(socket)
        })
    }
}
