//! Programs from fifteen lines to a complete gateway, and the parts that they share.

pub mod echo;
pub mod files;
pub mod demo;
pub mod watch;

#[cfg(test)]
mod test_client;
