//! Changes that the watches bring.

use gateway_core::api::Kind;
use gateway_core::name::ObjectName;

use super::part::Part;
use super::state::State;
use crate::object::{Object, Unreadable};

/// A change of the objects of a kind.
#[derive(Clone, Debug)]
pub enum Change {
    /// These are all objects of the part, and there are no others.
    Listed {
        /// The kind.
        kind: Kind,
        /// The objects.
        objects: Vec<Result<Object, Box<Unreadable>>>,
    },
    /// An object that is new or other than before.
    Applied {
        /// The kind.
        kind: Kind,
        /// The object.
        object: Result<Object, Box<Unreadable>>,
    },
    /// An object that is gone.
    Deleted {
        /// The kind.
        kind: Kind,
        /// Namespace and name.
        key: ObjectName,
    },
}

/// What a watch has to say.
#[derive(Clone, Debug)]
pub enum Said {
    /// Objects changed.
    Change(Part, Change),
    /// A part of a kind is in another state.
    State(Kind, Part, State),
}

// === impl Change ===

impl Change {
    /// The kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Listed { kind, .. } | Self::Applied { kind, .. } | Self::Deleted { kind, .. } => *kind,
        }
    }
}
