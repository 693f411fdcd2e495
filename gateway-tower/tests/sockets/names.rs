//! Backends that are names outside the cluster.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway_tower::names::{Found, Lookup, LookupFuture, NameOptions, Names};
use tokio::time::timeout;

use crate::world::{LONG, Table, World, echo, get};

/// What a name leads to; nothing when it cannot be found out.
#[derive(Clone, Debug, Default)]
struct Book {
    addresses: Arc<Mutex<Option<Vec<IpAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Book {
    fn set(&self, addresses: Option<&[IpAddr]>) {
        *self.addresses.lock().unwrap() = addresses.map(<[_]>::to_vec);
    }

    fn options(&self) -> NameOptions {
        let soon = Duration::from_millis(20);
        NameOptions {
            refresh: soon,
            retry: soon,
            keep: LONG,
            local_addresses: true,
            ..NameOptions::new(self.clone())
        }
    }
}

impl Lookup for Book {
    fn lookup(&self, name: &str) -> LookupFuture {
        assert_eq!(name, "pay.example");
        self.asked.fetch_add(1, Ordering::Relaxed);
        let addresses = self.addresses.lock().unwrap().clone();
        Box::pin(async move {
            let addresses = addresses.ok_or_else(|| io::Error::other("the resolver does not answer"))?;
            Ok(Found { addresses, good_for: None })
        })
    }
}

/// Waits until the backend has so many endpoints.
async fn until(world: &World, count: usize) {
    let mut tables = world.tables.subscribe();
    let found = tables.wait_for(|table| table.backends().all(|backend| backend.endpoints.len() == count));
    timeout(LONG, found).await.expect("in time").expect("tables come");
}

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

// XBK-01
#[tokio::test]
async fn a_name_is_served_at_its_addresses_and_refused_without() {
    let backend = echo().await;
    let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let book = Book::default();
    let world = World::start(&Table::new(1, nowhere).named(backend.port(), "pay.example")).await;
    let _names = Names::start(&world.tables, book.options());
    let answer = world.send(get("/")).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (503, "503: the backend cannot be found\n"));

    book.set(Some(&[LOCAL]));
    until(&world, 1).await;
    assert_eq!(world.send(get("/")).await.status, 200);

    // Failures change nothing, nor does another table.
    book.set(None);
    let asked = book.asked.load(Ordering::Relaxed);
    while book.asked.load(Ordering::Relaxed) < asked + 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.swap(&Table::new(2, nowhere).named(backend.port(), "pay.example")).await;
    assert_eq!(world.send(get("/")).await.status, 200);

    // No request asks.
    let asked = book.asked.load(Ordering::Relaxed);
    for _ in 0..100 {
        assert_eq!(world.send(get("/")).await.status, 200);
    }
    let during = book.asked.load(Ordering::Relaxed) - asked;
    assert!(during < 90, "{during} look-ups for 100 requests");

    // One that the table does not have any more is not looked up, and forgotten.
    book.set(Some(&[LOCAL]));
    world.swap(&Table::new(3, backend)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let asked = book.asked.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(book.asked.load(Ordering::Relaxed), asked);
}

// XBK-05
#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused() {
    let backend = echo().await;
    let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let book = Book::default();
    book.set(Some(&[LOCAL]));
    let world = World::start(&Table::new(1, nowhere).named(backend.port(), "pay.example")).await;
    let options = NameOptions { local_addresses: false, ..book.options() };
    let _names = Names::start(&world.tables, options);
    while book.asked.load(Ordering::Relaxed) < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.send(get("/")).await.status, 503);
}

// XBK-05, FRW-07
#[tokio::test]
async fn a_name_of_the_gateway_itself_is_no_loop_without_end() {
    let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let world = World::start(&Table::new(1, nowhere).named(9, "pay.example")).await;
    let own = world.address(80);
    let book = Book::default();
    book.set(Some(&[LOCAL]));
    let _names = Names::start(&world.tables, book.options());
    world.swap(&Table::new(2, nowhere).named(own.port(), "pay.example")).await;
    until(&world, 1).await;
    let answer = world.send(get("/")).await;
    assert!(answer.status == 508 || answer.status == 503, "{answer:?}");
}

#[tokio::test]
async fn look_ups_that_hang_keep_others_waiting_and_no_longer_than_they_may() {
    #[derive(Debug)]
    struct Hangs(Arc<AtomicUsize>);

    impl Lookup for Hangs {
        fn lookup(&self, _: &str) -> LookupFuture {
            let asked = Arc::clone(&self.0);
            asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::pending())
        }
    }

    let nowhere: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let world = World::start(&Table::new(1, nowhere).named(9, "pay.example")).await;
    let soon = Duration::from_millis(10);
    let options = NameOptions {
        limit: soon,
        retry: soon,
        refresh: soon,
        max_lookups: 6,
        ..NameOptions::new(Hangs(asked.clone()))
    };
    let _names = Names::start(&world.tables, options);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(
        asked.load(Ordering::Relaxed),
        2,
        "as many as a namespace may have of three, since the other three are for names that do not hang"
    );
    assert_eq!(world.send(get("/")).await.status, 503);
}
