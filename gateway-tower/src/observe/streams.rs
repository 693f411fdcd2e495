//! Streams of a server: connections that are passed on as they come, and flows of datagrams.

use std::fmt;

use crate::outcome::StreamOutcome;

/// Is told of the streams of a server, each once, when it is over.
///
/// Connections in a mesh that no Route is for are none: they are passed on as if there were nothing between.
///
/// # Example
/// ```
/// use std::sync::Mutex;
/// use gateway_tower::observe::ObserveStreams;
/// use gateway_tower::outcome::StreamOutcome;
///
/// /// Keeps how streams ended.
/// #[derive(Debug, Default)]
/// struct Ends(Mutex<Vec<&'static str>>);
///
/// impl ObserveStreams for Ends {
///     fn ended(&self, stream: &StreamOutcome) {
///         self.0.lock().unwrap().push(stream.end.as_str());
///     }
/// }
/// # #[cfg(feature = "server")] fn give() {
/// // A server takes any number of them.
/// let options = gateway_tower::serve::ServeOptions {
///     stream_observers: [std::sync::Arc::new(Ends::default()) as _].into(),
///     ..gateway_tower::serve::ServeOptions::default()
/// };
/// # }
/// ```
pub trait ObserveStreams: fmt::Debug + Send + Sync + 'static {
    /// A stream is over, or was refused. It is called in the task of the stream, or where that is given up: it must not wait.
    fn ended(&self, stream: &StreamOutcome);
}
