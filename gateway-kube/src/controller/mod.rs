//! All of it in one task: a change comes in, a table and statuses go out.
//!
//! A change is translated at once, at the cost of what changed, and those that follow it within a moment are translated together. A
//! table is handed out when everything that it depends on has been read: after the first lists, and after the Secrets that a new
//! listener asks for.
//!
//! Statuses are about a table that is in use. Until the data plane [has said so](Update::applied), and which sockets it could not
//! bind, none is written, and what changes is collected for the next table. They are written by the replica that holds the
//! Lease, one request at a time for each object, some time after it changed, since objects that are applied together come one after
//! the other, and no object more often than it can be read.
//!
//! Objects of a program's own kinds are read like all others. Those that are neither backends nor filters, as policies of one's own are, an
//! update names among what [changed](Update::changed), and a [`View`] has them:
//!
//! ```no_run
//! use gateway_core::api::{Kind, OwnSpec};
//! use gateway_core::name::OwnKind;
//! use gateway_core::own_kinds::OwnKinds;
//! use gateway_kube::controller::{Controller, ControllerOptions};
//! use gateway_kube::kube::Client;
//!
//! #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
//! #[serde(rename_all = "camelCase")]
//! struct Quota {
//!     route: String,
//!     requests_per_second: u32,
//! }
//!
//! impl OwnSpec for Quota {
//!     const KIND: &'static OwnKind = &OwnKind::new("example.com", "Quota", "quotas", &["v1"]);
//! }
//!
//! # async fn run(client: Client) {
//! let mut options = ControllerOptions::default();
//! options.translate.own_kinds = OwnKinds::default().other::<Quota>();
//! let (controller, mut updates) = Controller::new(client, options);
//! while let Some(update) = updates.next().await {
//!     if update.changed.iter().any(|(kind, _)| *kind == Kind::Own(Quota::KIND))
//!         && let Some(view) = controller.viewer().view().await
//!     {
//!         for (name, object) in view.resources.own.get(Quota::KIND).into_iter().flatten() {
//!             if let Some(quota) = object.spec::<Quota>() {
//!                 println!("{name}: {} requests a second for {}", quota.requests_per_second, quota.route);
//!             }
//!         }
//!     }
//!     // The table is served, and the data plane knows the quotas.
//!     update.applied(Vec::new());
//! }
//! # }
//! ```
//!
//! What happens while the API server is away: nothing. The last table stays, and what was to be written is written later.

mod options;
mod running;
mod update;
mod view;

use gateway_core::options::AddressPolicy;
use gateway_core::table::Unbound;
use kube::Client;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use self::running::Running;

pub use options::ControllerOptions;
pub use update::Update;
pub use view::{Progress, View, Viewer};

/// A controller that runs, until it is dropped.
#[derive(Debug)]
pub struct Controller {
    commands: mpsc::UnboundedSender<Command>,
    progress: watch::Receiver<Progress>,
    task: JoinHandle<()>,
}

/// The tables of a controller, one after the other.
///
/// Without it, nothing is served by what the controller reads, and statuses wait for no data plane.
#[derive(Debug)]
pub struct Updates(mpsc::Receiver<Update>);

/// What the program that embeds the controller tells it.
#[derive(Debug)]
enum Command {
    /// The table that was handed out last is in use; what of it could not be bound, if that was said.
    Applied(Option<Vec<Unbound>>),
    Unbound(Vec<Unbound>),
    Addresses(AddressPolicy),
    View(oneshot::Sender<View>),
    Stop,
}

// === impl Controller ===

impl Controller {
    /// Starts a controller. To be called within a tokio runtime.
    ///
    /// A controller that only writes statuses drops the updates at once: `let (controller, _) = Controller::new(..)`.
    pub fn new(client: Client, options: ControllerOptions) -> (Self, Updates) {
        let (update_sender, updates) = mpsc::channel(1);
        let (commands, command_receiver) = mpsc::unbounded_channel();
        let (tell, progress) = watch::channel(Progress::default());
        let running = Running::new(client, options, tell);
        let task = tokio::spawn(running.run(update_sender, commands.downgrade(), command_receiver));
        (Self { commands, progress, task }, Updates(updates))
    }

    /// Tells what the data plane cannot bind at present, in the place of what it could not bind before: a port may be free
    /// later than the table was [`applied`](Update::applied). It is said in statuses.
    pub fn set_unbound(&self, unbound: Vec<Unbound>) {
        self.command(Command::Unbound(unbound));
    }

    /// Takes other addresses of Gateways, such as those of a [Service](crate::addresses).
    pub fn set_addresses(&self, addresses: AddressPolicy) {
        self.command(Command::Addresses(addresses));
    }

    /// For those who look, as long as the controller runs.
    pub fn viewer(&self) -> Viewer {
        Viewer { commands: self.commands.clone() }
    }

    /// How far the controller has come.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Ends the controller when the writes that are under way have ended, and gives the Lease back; after 5 s in any case.
    ///
    /// No [update](Updates::next) follows.
    pub async fn stop(mut self) {
        self.command(Command::Stop);
        // It ends by itself, or was ended by a panic that has been reported.
        let _ = (&mut self.task).await;
    }

    /// A task that has ended needs no command any more.
    fn command(&self, command: Command) {
        let _ = self.commands.send(command);
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        self.task.abort();
    }
}

// === impl Updates ===

impl Updates {
    /// The next table, with all that has changed since the last one was handed out. There is none until that is in use.
    ///
    /// Cancel safe. `None` when the controller has ended.
    pub async fn next(&mut self) -> Option<Update> {
        self.0.recv().await
    }
}
