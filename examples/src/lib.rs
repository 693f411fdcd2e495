//! Programs that embed the gateway crates, from fifteen lines to a complete gateway.
