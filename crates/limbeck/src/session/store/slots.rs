//! A vector that grows in pieces.
//!
//! What is in it never moves, and at most one piece is empty: a vector that doubles would copy the objects of a large
//! session over and over, and keep as much memory to spare as they take.

/// Elements in a piece: 2 to this power.
const BITS: u32 = 6;

/// Many elements of one type, by number.
#[derive(Debug)]
pub(super) struct Slots<T> {
    /// All but the last are full. The first grows like any vector, since most sessions are small.
    pieces: Vec<Vec<T>>,
    len: usize,
}

// Indexing of slices, and no methods of theirs: those are functions of their own in a debug build, for each type.
impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Slots { pieces: Vec::new(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        if at >= self.len {
            return None;
        }
        let piece = self.pieces.as_slice()[at >> BITS].as_slice();
        Some(&piece[at & ((1 << BITS) - 1)])
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        if at >= self.len {
            return None;
        }
        let piece = self.pieces.as_mut_slice()[at >> BITS].as_mut_slice();
        Some(&mut piece[at & ((1 << BITS) - 1)])
    }

    #[inline(always)]
    pub(super) fn push(&mut self, value: T) {
        let piece = self.len >> BITS;
        if piece == self.pieces.len() {
            self.pieces.push(Vec::with_capacity(if piece == 0 { 0 } else { 1 << BITS }));
        }
        self.pieces.as_mut_slice()[piece].push(value);
        self.len += 1;
    }

    /// Two different elements; `None` when they are the same, or one is not there.
    pub(super) fn pair_mut(&mut self, a: usize, b: usize) -> Option<(&mut T, &mut T)> {
        let rest = (1 << BITS) - 1;
        if a >> BITS == b >> BITS {
            let [a, b] = self.pieces.get_mut(a >> BITS)?.get_disjoint_mut([a & rest, b & rest]).ok()?;
            return Some((a, b));
        }
        let [first, second] = self.pieces.get_disjoint_mut([a >> BITS, b >> BITS]).ok()?;
        Some((first.get_mut(a & rest)?, second.get_mut(b & rest)?))
    }
}

#[cfg(test)]
mod tests {
    use super::Slots;

    #[test]
    fn elements_keep_their_numbers_and_their_places() {
        let mut slots = Slots::new();
        for n in 0..1_000 {
            assert_eq!(slots.len(), n);
            slots.push(n);
        }
        let first: *const usize = slots.get(64).unwrap();
        slots.push(1_000);
        assert!(std::ptr::eq(first, slots.get(64).unwrap()));
        assert!((0..=1_000).all(|n| slots.get(n) == Some(&n)));
        assert_eq!(slots.get(1_001), None);
        assert_eq!(slots.get_mut(5_000), None);
    }

    #[test]
    fn a_pair_is_two_different_elements_in_the_order_asked_for() {
        let mut slots = Slots::new();
        (0..200).for_each(|n| slots.push(n));
        for (a, b) in [(3, 5), (5, 3), (3, 190), (190, 3), (63, 64)] {
            assert_eq!(slots.pair_mut(a, b).map(|(a, b)| (*a, *b)), Some((a, b)));
        }
        assert!(slots.pair_mut(7, 7).is_none());
        assert!(slots.pair_mut(7, 200).is_none());
        assert!(slots.pair_mut(900, 7).is_none());
    }
}
