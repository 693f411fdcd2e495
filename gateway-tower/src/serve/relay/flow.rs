//! One flow of datagrams: from one port of a client to one endpoint, and back.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use gateway_core::table::Transport;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::connect::{self, ToSelf};
use crate::drain::{Member, Phase};

/// The longest datagram.
const LONGEST: usize = 65_535;

thread_local! {
    /// What datagrams are read into. Nothing stays here from one call to the next.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; LONGEST].into());
}

/// What is read into, for the time of a call.
pub(super) fn with_buffer<R>(read: impl FnOnce(&mut [u8]) -> R) -> R {
    BUFFER.with_borrow_mut(|buffer| read(buffer))
}

/// A flow, as the socket of the clients and the task that waits for answers both see it.
#[derive(Debug)]
pub(super) struct Flow {
    /// Connected: the kernel takes nothing from anyone else than the endpoint.
    backend: UdpSocket,
    _to_self: Option<ToSelf>,
    /// Datagrams in both directions.
    datagrams: AtomicU32,
    /// Whether the endpoint has answered what came last.
    answered: AtomicBool,
    /// Whether the endpoint has said that nobody listens there.
    refused: AtomicBool,
}

// === impl Flow ===

impl Flow {
    /// A flow to this endpoint, from a port of its own.
    pub(super) fn new(endpoint: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(endpoint), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.connect(&endpoint.into())?;
        let backend = UdpSocket::from_std(socket.into())?;
        let to_self = connect::enter(Transport::Udp, endpoint);
        Ok(Self {
            backend,
            _to_self: to_self.map_err(io::Error::other)?,
            datagrams: AtomicU32::new(0),
            answered: AtomicBool::new(false),
            refused: AtomicBool::new(false),
        })
    }

    /// Sends what a client sent. What the kernel has no room for is lost, as datagrams are; so nothing is asked of the runtime,
    /// which would have to hear first that there is room.
    pub(super) fn send(&self, datagram: &[u8]) {
        self.datagrams.fetch_add(1, Ordering::Relaxed);
        self.answered.store(false, Ordering::Relaxed);
        if let Err(error) = SockRef::from(&self.backend).send(datagram) {
            self.note(&error);
        }
    }

    /// How many datagrams there were, in both directions and modulo 2^32.
    pub(super) fn datagrams(&self) -> u32 {
        self.datagrams.load(Ordering::Relaxed)
    }

    /// Whether an answer has come after the last datagram of the client.
    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether nobody listens at the endpoint.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    fn note(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            self.refused.store(true, Ordering::Relaxed);
        }
    }

    /// Sends answers to the client, until the flow is dropped, or the socket of the clients is given up and nothing is due, or
    /// for as long as `drain`.
    pub(super) async fn answer(
        self: Arc<Self>,
        clients: Arc<UdpSocket>,
        client: SocketAddr,
        member: Member,
        drain: Duration,
    ) {
        member.set_tunnel();
        let serving = async {
            loop {
                if self.backend.readable().await.is_err() || !self.pass_back(&clients, client) {
                    return;
                }
            }
        };
        let draining = async {
            member.reached(Phase::Draining).await;
            let answered = async {
                while !self.is_answered() {
                    tokio::time::sleep(drain / 16).await;
                }
            };
            tokio::select! {
                () = member.reached(Phase::Closed) => {}
                _ = timeout(drain, answered) => {}
            }
        };
        tokio::select! {
            () = serving => {}
            () = draining => {}
        }
    }

    /// Passes on the answers that have come. Says whether more may come.
    fn pass_back(&self, clients: &UdpSocket, client: SocketAddr) -> bool {
        loop {
            let read = with_buffer(|buffer| {
                let length = self.backend.try_recv(buffer)?;
                self.datagrams.fetch_add(1, Ordering::Relaxed);
                self.answered.store(true, Ordering::Relaxed);
                // What the kernel has no room for is lost, as datagrams are.
                let _ = SockRef::from(clients).send_to(&buffer[..length], &client.into());
                Ok::<(), io::Error>(())
            });
            match read {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) => {
                    self.note(&error);
                    // It is about what was sent; the flow ends with the next datagram of the client, or for being quiet.
                    return !self.is_refused();
                }
            }
        }
    }
}
