//! Pieces of an answer over HTTP/2 that its client has not taken, in little more room than their bytes.

use std::collections::VecDeque;

use bytes::Bytes;

/// A piece of so many bytes is held as it is: it takes most of the memory that it keeps from being given back.
const LARGE: usize = 8 * 1024;

/// Smaller ones become no larger together: somewhat more, so that nearly all of those that are much smaller make a piece that goes on without
/// being copied once more.
const MOST: usize = LARGE + 512;

/// Behind so many bytes that have come together there is likely to be more, for which room is made at once.
const FEW: usize = 1024;

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
        if piece.len() >= LARGE {
            self.end_last();
            self.pieces.push_back(piece);
            return;
        }
        if self.last.len() + piece.len() > MOST {
            self.end_last();
        }
        let (length, needed) = (self.last.len(), self.last.len() + piece.len());
        if self.last.capacity() < needed {
            let room = match length {
                0 => needed,
                _ if needed <= FEW => needed.max(2 * length),
                _ => MOST,
            };
            self.last.reserve_exact(room - length);
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
        assert_eq!(popped(&[1, LARGE, 2, 3, 1000, LARGE]), [1, LARGE, 1005, LARGE]);
        assert_eq!(popped(&[1000; 20]), [8000, 8000, 4000]);
        assert_eq!(popped(&[LARGE - 1; 2]), [LARGE - 1; 2]);
    }

    #[test]
    fn they_take_little_more_room_than_their_bytes() {
        for length in [1, 20, 100, 1000, LARGE - 1] {
            let mut untaken = Untaken::default();
            for pushed in (length..=MOST).step_by(length) {
                untaken.push(vec![0; length].into());
                let room = untaken.last.capacity();
                let most = if pushed <= FEW.max(length) { 2 * pushed } else { MOST };
                assert!(room <= most, "{pushed} bytes of {length} each: {room}");
            }
        }
        let block = Bytes::from(vec![0; LARGE]);
        let mut untaken = Untaken::default();
        untaken.push(block.slice(..LARGE - 1));
        assert!(block.try_into_mut().is_ok(), "a piece keeps nothing of what it was read with");
    }
}
