//! Pieces of an answer over HTTP/2 that its client has not taken, in little more room than their bytes.

use std::collections::VecDeque;

use bytes::Bytes;

/// A piece of so many bytes is held as it is: it takes most of the memory that it keeps from being given back.
const LARGE: usize = 8 * 1024;

/// One of so many is copied by itself: what is needed to hold it is little beside it.
const MIDDLE: usize = 512;

/// Smaller ones become no larger together, so that the room that is made for more of them is never more.
const MOST: usize = 2 * 1024;

/// Pieces of an answer, the small ones together.
#[derive(Debug, Default)]
pub(super) struct Untaken {
    pieces: VecDeque<Bytes>,
    /// What comes behind them, as long as there is room for more of it.
    last: Vec<u8>,
}

// === impl Untaken ===

impl Untaken {
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.last.is_empty()
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        if piece.len() >= MIDDLE {
            self.end_last();
            let alone = if piece.len() >= LARGE { piece } else { Bytes::copy_from_slice(&piece) };
            self.pieces.push_back(alone);
            return;
        }
        if self.last.len() + piece.len() > MOST {
            self.end_last();
        }
        if self.last.capacity() - self.last.len() < piece.len() {
            let more = self.last.len().min(MOST - self.last.len());
            self.last.reserve_exact(more.max(piece.len()));
        }
        self.last.extend_from_slice(&piece);
    }

    pub(super) fn pop(&mut self) -> Option<Bytes> {
        if self.pieces.is_empty() {
            self.end_last();
        }
        self.pieces.pop_front()
    }

    fn end_last(&mut self) {
        if !self.last.is_empty() {
            self.pieces.push_back(std::mem::take(&mut self.last).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of what comes out of pieces of such lengths, whose bytes must be the same.
    fn popped(lengths: &[usize]) -> Vec<usize> {
        let mut untaken = Untaken::default();
        let mut bytes = (0..=u8::MAX).cycle();
        let mut pushed = Vec::new();
        for length in lengths {
            let piece: Bytes = bytes.by_ref().take(*length).collect();
            pushed.extend_from_slice(&piece);
            untaken.push(piece);
        }
        let pieces: Vec<_> = std::iter::from_fn(|| untaken.pop()).collect();
        assert!(untaken.is_empty());
        assert_eq!(pieces.concat(), pushed);
        pieces.iter().map(Bytes::len).collect()
    }

    #[test]
    fn small_pieces_come_out_together_and_in_their_order() {
        assert_eq!(popped(&[]), [0; 0]);
        assert_eq!(popped(&[100; 3]), [300]);
        assert_eq!(popped(&[1, LARGE, 2, 3, MIDDLE, LARGE]), [1, LARGE, 5, MIDDLE, LARGE]);
        assert_eq!(popped(&[100; 30]), [2000, 1000]);
        assert_eq!(popped(&[MIDDLE - 1; 5]), [4 * (MIDDLE - 1), MIDDLE - 1]);
    }

    #[test]
    fn they_take_little_more_room_than_their_bytes() {
        for length in [1, 20, 100, MIDDLE - 1] {
            let mut untaken = Untaken::default();
            for pushed in (length..=MOST).step_by(length) {
                untaken.push(vec![0; length].into());
                let room = untaken.last.capacity();
                assert!(room <= (2 * pushed).min(MOST), "{pushed} bytes of {length} each: {room}");
            }
        }
        let block = Bytes::from(vec![0; LARGE]);
        let mut untaken = Untaken::default();
        untaken.push(block.slice(..MIDDLE));
        assert!(block.try_into_mut().is_ok(), "a piece keeps nothing of what it was read with");
    }
}
