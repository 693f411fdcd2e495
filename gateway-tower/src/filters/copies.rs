//! What filters have copied of a request.

use gateway_core::filter::MirrorCopy;

/// The copies of a request that are to be sent to mirrors, in the order of the filters; in the extensions of the request,
/// if there are any.
#[derive(Clone, Debug, Default)]
pub struct Copies(pub Vec<MirrorCopy>);
