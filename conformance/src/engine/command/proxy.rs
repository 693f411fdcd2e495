//! The program of a case, as a gateway with sockets.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use gateway_core::api::{AnyObject, Gateway, GatewaySpecAddress};
use gateway_core::feature::Feature;
use gateway_core::name::ObjectName;
use gateway_core::options::Options;
use gateway_core::table::{Opening, Transport};
use gateway_core::translate::translate;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Duration, sleep};

use super::folder::Folder;
use super::process::Process;
use super::{CommandAddresses, CommandOptions, Placeholder, status};
use crate::case::{ObjectRef, Way};
use crate::cluster::RunningPod;
use crate::engine::{ControlPlane, EngineError, gateway_class};
use crate::exchange::Exchange;
use crate::loopback;
use crate::store::Store;
use crate::wire::{ClusterNetwork, MeshWay, Proxy};

/// The port at which a program takes connections of workloads, at an address that nothing else has.
const MESH_PORT: u16 = 15_001;

/// How often a program that starts is looked at.
const POLL: Duration = Duration::from_millis(10);

/// How long a file with statuses may be one that cannot be understood: the program may be writing it.
const WRITING: Duration = Duration::from_secs(2);

/// A program, and the objects that it reads.
#[derive(Debug)]
pub struct CommandProxy {
    options: CommandOptions,
    store: Store,
    folder: Folder,
    offset: u16,
    address: IpAddr,
    /// Where it takes connections of workloads.
    mesh: SocketAddr,
    network: ClusterNetwork,
    /// The addresses that Gateways were given.
    given: BTreeMap<ObjectName, IpAddr>,
    /// Nothing before the first objects are applied.
    process: Option<Mutex<Process>>,
}

// === impl CommandProxy ===

impl CommandProxy {
    /// A program in a cluster with these pods. It is started when objects are applied.
    ///
    /// # Errors
    /// When there is no folder to be had for it.
    pub fn new(options: &CommandOptions, pods: Vec<RunningPod>) -> Result<Self, EngineError> {
        if options.addresses == CommandAddresses::Spec && !cfg!(target_os = "linux") {
            let reason = "only Linux has a loopback address for each Gateway; let all have one address";
            return Err(EngineError::unsupported(reason));
        }
        let mut store = Store::new(pods);
        store.apply(vec![gateway_class(&options.controller_name)]);
        Ok(Self {
            options: options.clone(),
            store,
            folder: Folder::new().map_err(EngineError::failed)?,
            offset: options.offset(),
            address: loopback::address(),
            mesh: SocketAddr::new(loopback::address(), MESH_PORT),
            network: ClusterNetwork::default(),
            given: BTreeMap::new(),
            process: None,
        })
    }

    /// Lets the program see what is stored now.
    async fn update(&mut self) -> Result<(), EngineError> {
        self.network.follow(self.store.resources());
        let written = self.folder.write(self.store.resources());
        written.map_err(|error| EngineError::failed(format!("the manifests cannot be written: {error}")))?;
        match &self.process {
            Some(_) => self.alive().await,
            None => self.start().await,
        }
    }

    async fn start(&mut self) -> Result<(), EngineError> {
        let words = self.options.command.words(|placeholder| match placeholder {
            Placeholder::Manifests => self.folder.manifests().display().to_string(),
            Placeholder::Address => self.address.to_string(),
            Placeholder::PortOffset => self.offset.to_string(),
            Placeholder::Status => self.folder.status().display().to_string(),
            Placeholder::Mesh => self.mesh.to_string(),
        });
        let process = Process::start(&words, self.options.with_all_it_starts).map_err(EngineError::failed)?;
        self.process = Some(Mutex::new(process));
        let started = Instant::now();
        let has_status = self.options.command.names(Placeholder::Status);
        let places = self.places();
        // Where there is nothing to listen at, nothing is waited for.
        while (has_status || !places.is_empty()) && started.elapsed() < self.options.startup {
            self.alive().await?;
            if takes_connections(&places).await || has_status && self.folder.status().exists() {
                return Ok(());
            }
            sleep(POLL).await;
        }
        let Some(place) = places.first().filter(|_| self.serves_http()) else {
            return match has_status {
                true => Err(self.slow("no status was written").await),
                // There may be no listener that it could serve: the case will tell.
                false => Ok(()),
            };
        };
        let said = if has_status { "no status was written, and no" } else { "no" };
        Err(self.slow(&format!("{said} connection was taken at {place}")).await)
    }

    /// The failure of a program that does not come to do this in time.
    async fn slow(&self, what: &str) -> EngineError {
        let limit = self.options.startup.as_secs_f64();
        let last_words = match &self.process {
            Some(process) => process.lock().await.last_words(),
            None => "it was not started".to_owned(),
        };
        EngineError::failed(format!("{what} within {limit} s, which --startup-timeout changes; {last_words}"))
    }

    /// Whether there is a listener for HTTP that can be served, and the program claims that it serves such listeners.
    fn serves_http(&self) -> bool {
        let options = Options { controller_name: self.options.controller_name.clone(), ..Options::default() };
        let has_listener = || {
            let table = translate(self.store.resources(), &options).table;
            table.frontends().any(|(_, port)| port.opening() == Opening::Http)
        };
        self.options.features.contains(&Feature::HttpRoute) && has_listener()
    }

    /// An error if the program has ended.
    async fn alive(&self) -> Result<(), EngineError> {
        let Some(process) = &self.process else { return Ok(()) };
        match process.lock().await.ended().await {
            None => Ok(()),
            Some(end) => Err(EngineError::failed(end)),
        }
    }

    /// Where the listeners have to be bound.
    fn places(&self) -> Vec<SocketAddr> {
        let gateways = self.store.resources().gateways.iter();
        gateways
            .flat_map(|(key, gateway)| ports(gateway).filter_map(move |port| self.bound(key, port)))
            .collect()
    }

    /// Where a port of a Gateway has to be bound.
    fn bound(&self, gateway: &ObjectName, port: u16) -> Option<SocketAddr> {
        let address = match self.options.addresses {
            CommandAddresses::One => self.address,
            CommandAddresses::Spec => {
                let gateway = self.store.resources().gateways.get(gateway)?;
                gateway.spec.addresses.iter().find_map(|address| address.value.as_ref()?.parse().ok())?
            }
        };
        Some(SocketAddr::new(address, port.checked_add(self.offset)?))
    }

    /// Gives a Gateway that has no address one of its own.
    fn give_address(&mut self, object: &mut AnyObject) {
        if self.options.addresses == CommandAddresses::One {
            return;
        }
        let key = object.key();
        if let AnyObject::Gateway(gateway) = object
            && gateway.spec.addresses.iter().all(|address| address.value.is_none())
        {
            let address = *self.given.entry(key).or_insert_with(loopback::address);
            let address =
                GatewaySpecAddress { value: Some(address.to_string()), ..GatewaySpecAddress::default() };
            Arc::make_mut(gateway).spec.addresses = vec![address];
        }
    }

    /// An error if two Gateways would need the same port of the same address.
    fn check_ports(&self) -> Result<(), EngineError> {
        if self.options.addresses == CommandAddresses::Spec {
            return Ok(());
        }
        let resources = self.store.resources();
        let mut taken = BTreeMap::<u16, &ObjectName>::new();
        for (key, gateway) in &resources.gateways {
            for port in ports(gateway) {
                let first = *taken.entry(port).or_insert(key);
                if first != key {
                    return Err(EngineError::unsupported(format!(
                        "the Gateways {first} and {key} both have port {port}, and the program has one address for all"
                    )));
                }
            }
        }
        Ok(())
    }
}

impl ControlPlane for CommandProxy {
    async fn apply(&mut self, mut objects: Vec<AnyObject>) -> Result<(), EngineError> {
        for object in &mut objects {
            self.give_address(object);
            self.network.give_address(object);
        }
        self.store.apply(objects);
        self.check_ports()?;
        self.update().await
    }

    async fn delete(&mut self, object: &ObjectRef) -> Result<(), EngineError> {
        if !self.store.delete(object) {
            return Err(EngineError::failed(format!("there is no {object} that could be deleted")));
        }
        self.update().await
    }

    async fn object(&self, object: &ObjectRef) -> Result<Option<AnyObject>, EngineError> {
        self.alive().await?;
        let Some(stored) = self.store.get(object.kind, &object.key) else { return Ok(None) };
        if !self.options.command.names(Placeholder::Status) {
            return Ok(Some(stored));
        }
        let begun = Instant::now();
        loop {
            match status::with_status(stored.clone(), &self.folder.status()) {
                Err(_) if begun.elapsed() < WRITING => sleep(POLL).await,
                found => return found.map(Some).map_err(EngineError::failed),
            }
        }
    }

    fn explain(&self, _exchange: &Exchange) -> Option<String> {
        /// Many answers may be wrong.
        const MOST: usize = 5;
        self.process.as_ref()?.try_lock().ok()?.last_lines(MOST)
    }
}

impl Proxy for CommandProxy {
    async fn address(
        &self,
        gateway: &ObjectName,
        _transport: Transport,
        port: u16,
    ) -> Result<Option<SocketAddr>, EngineError> {
        self.alive().await?;
        Ok(self.bound(gateway, port))
    }

    async fn mesh(&mut self, way: &Way) -> Result<Option<MeshWay>, EngineError> {
        self.alive().await?;
        if !self.options.command.names(Placeholder::Mesh) {
            return Ok(None);
        }
        self.network.way(way, self.store.pods(), self.mesh).await.map(Some)
    }
}

/// Whether one of these places does.
async fn takes_connections(places: &[SocketAddr]) -> bool {
    for place in places {
        if TcpStream::connect(place).await.is_ok() {
            return true;
        }
    }
    false
}

fn ports(gateway: &Gateway) -> impl Iterator<Item = u16> {
    gateway.spec.listeners.iter().filter_map(|listener| u16::try_from(listener.port).ok())
}
