//! One flow of datagrams: from one port of a client to one endpoint, and back.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use gateway_core::table::Transport;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::UdpSocket;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::connect::{self, Maker, ToSelf};
use crate::drain::{Member, Phase};
use crate::outcome::StreamEnd;
use crate::serve::stream_record::StreamRecord;
use crate::tunnel::Passed;

/// The longest datagram.
const LONGEST: usize = 65_535;

/// How many datagrams are read before other tasks have their turn. Who floods would keep the thread for itself: that a socket is
/// readable costs nothing of what the runtime lets a task do at once.
pub(super) const AT_ONCE: usize = 64;

/// The longest time between two looks at whether what is waited for has come.
const LONGEST_LOOK: Duration = Duration::from_millis(250);

thread_local! {
    /// What datagrams are read into. Nothing stays here from one call to the next.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; LONGEST].into());
}

/// What is read into, for the time of a call.
pub(super) fn with_buffer<R>(read: impl FnOnce(&mut [u8]) -> R) -> R {
    BUFFER.with_borrow_mut(|buffer| read(buffer))
}

/// How far the datagrams of a socket have been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is none left.
    All,
    /// As many as are read [at once](AT_ONCE).
    More,
    /// No more will come.
    Ended,
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
    /// Whether the endpoint has said that no socket listens there.
    refused: AtomicBool,
    /// The bytes that were sent each way.
    up: AtomicU64,
    down: AtomicU64,
    /// Why it is given up, once it is.
    end: OnceLock<StreamEnd>,
    record: StreamRecord,
}

// === impl Flow ===

impl Flow {
    /// A flow to this endpoint, from a port of its own. Its end is told when all have dropped it.
    pub(super) fn new(endpoint: SocketAddr, record: impl FnOnce() -> StreamRecord) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(endpoint), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        socket.connect(&endpoint.into())?;
        let backend = UdpSocket::from_std(socket.into())?;
        let to_self = connect::enter(Maker::Gateway, Transport::Udp, endpoint).map_err(io::Error::other)?;
        let mut record = record();
        record.tries(endpoint);
        Ok(Self {
            backend,
            _to_self: to_self,
            datagrams: AtomicU32::new(0),
            answered: AtomicBool::new(false),
            refused: AtomicBool::new(false),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            end: OnceLock::new(),
            record,
        })
    }

    /// Sends what a client sent. What the kernel has no room for is lost, as datagrams are; so nothing is asked of the runtime,
    /// which would have to hear first that there is room.
    pub(super) fn send(&self, datagram: &[u8]) {
        self.datagrams.fetch_add(1, Ordering::Relaxed);
        self.answered.store(false, Ordering::Relaxed);
        match SockRef::from(&self.backend).send(datagram) {
            Ok(sent) => drop(self.up.fetch_add(sent as u64, Ordering::Relaxed)),
            Err(error) => self.note(&error),
        }
    }

    /// Says why it is given up; what was said first counts. Where no socket listens at the endpoint, it is that.
    pub(super) fn give_up(&self, why: StreamEnd) {
        // There is one already.
        let _ = self.end.set(if self.is_refused() { StreamEnd::ResetByBackend } else { why });
    }

    /// How many datagrams there were, in both directions and modulo 2^32.
    pub(super) fn datagrams(&self) -> u32 {
        self.datagrams.load(Ordering::Relaxed)
    }

    /// Whether an answer has come after the last datagram of the client.
    pub(super) fn is_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether no socket listens at the endpoint.
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
            while self.backend.readable().await.is_ok() {
                match self.pass_back(&clients, client) {
                    Progress::All => {}
                    Progress::More => yield_now().await,
                    Progress::Ended => return,
                }
            }
        };
        let draining = async {
            member.reached(Phase::Draining).await;
            let answered = async {
                while !self.is_answered() {
                    tokio::time::sleep((drain / 16).min(LONGEST_LOOK)).await;
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

    /// Passes on answers that have come.
    fn pass_back(&self, clients: &UdpSocket, client: SocketAddr) -> Progress {
        for _ in 0..AT_ONCE {
            let read = with_buffer(|buffer| {
                let length = self.backend.try_recv(buffer)?;
                self.datagrams.fetch_add(1, Ordering::Relaxed);
                self.answered.store(true, Ordering::Relaxed);
                // What the kernel has no room for is lost, as datagrams are.
                if let Ok(sent) = SockRef::from(clients).send_to(&buffer[..length], &client.into()) {
                    self.down.fetch_add(sent as u64, Ordering::Relaxed);
                }
                Ok::<(), io::Error>(())
            });
            match read {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Progress::All,
                Err(error) => {
                    self.note(&error);
                    // It is about what was sent; the flow ends with the next datagram of the client, or for being quiet.
                    if self.is_refused() {
                        return Progress::Ended;
                    }
                }
            }
        }
        Progress::More
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        *self.record.passed() = Passed { up: *self.up.get_mut(), down: *self.down.get_mut() };
        if let Some(end) = self.end.take() {
            self.record.set_end(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::net::Ipv4Addr;

    use super::*;
    use crate::drain::Connections;

    #[tokio::test]
    async fn a_backend_that_floods_leaves_other_tasks_their_turn() {
        let [clients, backend, client] = [(); 3].map(|()| {
            let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            UdpSocket::from_std(socket).unwrap()
        });
        let [to, client] = [&backend, &client].map(|socket| socket.local_addr().unwrap());
        let flow = Arc::new(Flow::new(to, StreamRecord::default).unwrap());
        for _ in 0..2 * AT_ONCE {
            backend.send_to(b"answer", flow.backend.local_addr().unwrap()).await.unwrap();
        }
        flow.backend.readable().await.unwrap();
        let member = Connections::default().join(Vec::new());
        let answering = Arc::clone(&flow).answer(Arc::new(clients), client, member, Duration::ZERO);
        tokio::select! {
            biased;
            () = answering => panic!("the flow is there"),
            // It is asked once.
            () = ready(()) => {}
        }
        assert_eq!(flow.datagrams(), AT_ONCE as u32);
    }
}
