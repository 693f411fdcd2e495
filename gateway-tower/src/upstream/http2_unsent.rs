//! Pieces of a request that its connection of HTTP/2 holds until they are written.
//!
//! h2 does not say whether it has sent a request, and one whose end was handed over counts as over once its answer is, although it
//! may wait for a window that its backend never opens. So that it can be told from one that was sent, its pieces are counted.

use std::sync::Arc;

use bytes::{Buf, Bytes};

/// The pieces of one request that are held.
#[derive(Debug, Default)]
pub(super) struct Unsent(Arc<()>);

/// A piece, until it is written or let go.
#[derive(Debug)]
pub(super) struct Piece {
    bytes: Bytes,
    _held: Arc<()>,
}

// === impl Unsent ===

impl Unsent {
    /// A piece that the connection is about to hold.
    pub(super) fn piece(&self, bytes: Bytes) -> Piece {
        Piece { bytes, _held: Arc::clone(&self.0) }
    }

    /// Whether none is held.
    pub(super) fn is_empty(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

// === impl Piece ===

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_counts_until_it_is_let_go() {
        let unsent = Unsent::default();
        let mut pieces = [b"abc", b"def"].map(|bytes| unsent.piece(Bytes::from_static(bytes))).into_iter();
        for _ in 0..2 {
            assert!(!unsent.is_empty());
            let mut piece = pieces.next().unwrap();
            piece.advance(1);
            assert_eq!((piece.remaining(), piece.chunk().len()), (2, 2));
        }
        assert!(unsent.is_empty());
    }
}
