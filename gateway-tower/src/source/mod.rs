//! Manifests in files: read, followed, and applied, each file and each object with its last good version.
//!
//! Behaves like an API server that a user applies the files to:
//! - a file that cannot be parsed, or cannot be read, keeps the objects of its [last good version](gateway_core::manifest::LastGood), and
//!   so do all files in a folder that cannot be read;
//! - an object that has a field of the wrong type, or breaks a [rule of the schema](gateway_core::apply), keeps its last good version, and
//!   its neighbours are not touched;
//! - so does a file that is emptied, which a write that failed leaves behind; one in which nothing is left on purpose has a comment;
//! - a file that leaves a folder takes its objects with it, but what was named to the program and is gone stays in use: a file
//!   by itself, or a folder as a whole, as when a volume is not there;
//! - of two objects with the same kind, namespace and name the one in the first file stays, in the order of the paths.
//!
//! | type | does |
//! | --- | --- |
//! | [`Source`] | all of it: from files to a table, statuses, and everything that is wrong |
//! | [`Follower`] | the same again and again: tables in use, sockets waited for, statuses written, changes told |
//! | [`Files`] | the files alone |
//! | [`Watch`] | hears of changes |
//! | [`StatusFile`] | the statuses, for a reader outside of the program |
//!
//! Reading files blocks: in a program that serves, a thread of its own does so. Nothing here binds a socket.
//!
//! The surprising case: a file that is new and cannot be parsed as a whole gives what could be read of it, since there is no
//! better version of it.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("shop.yaml");
//! use gateway_core::options::Options;
//! use gateway_tower::source::{Files, Source};
//!
//! let service = "
//! apiVersion: v1
//! kind: Service
//! metadata: {name: shop}
//! spec: {ports: [{port: 80}]}
//! ";
//! std::fs::write(&path, service)?;
//! let mut source = Source::new(Files::new([&path]), Options::default());
//! assert!(source.read().problems.is_empty());
//!
//! std::fs::write(&path, service.replace("80", "80000"))?;
//! let applied = source.update().expect("the file changed");
//! assert!(applied.changes.is_empty(), "the last good version stays");
//! assert!(applied.problems[0].message.ends_with("the last good version stays in use"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod file;
mod files;
mod followed;
mod follower;
mod search;
#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod source;
mod status_file;
mod watch;

pub use self::files::{FileChange, Files};
pub use self::followed::Followed;
pub use self::follower::{Follower, Following};
pub use self::source::Source;
pub use self::status_file::StatusFile;
pub use self::watch::{QUIET_WHILE_WRITING, Wake, Waker, Watch};
