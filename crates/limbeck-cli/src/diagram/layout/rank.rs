//! In which layer each shape is.

/// The layers of shapes `0..heights.len()`, where each pair wants its first left of its second. Pairs that would close a
/// circle come out the other way round. No layer is much higher than `limit`.
pub(super) fn ranks(heights: &[f64], pairs: &[(usize, usize)], limit: f64) -> Vec<usize> {
    let count = heights.len();
    let pairs = without_circles(count, pairs);
    let mut rank = vec![0; count];
    push_right(&mut rank, &pairs);
    // What has nothing to its left stands beside what it is needed for.
    for shape in 0..count {
        if pairs.iter().all(|(_, right)| *right != shape) {
            let nearest = pairs.iter().filter(|(left, _)| *left == shape).map(|(_, right)| rank[*right]).min();
            rank[shape] = nearest.map_or(0, |nearest| nearest - 1);
        }
    }
    let followers = |shape: usize| pairs.iter().filter(|(left, _)| *left == shape).count();
    let mut layer = 0;
    while layer <= rank.iter().copied().max().unwrap_or(0) {
        let mut members: Vec<usize> = (0..count).filter(|&shape| rank[shape] == layer).collect();
        members.sort_by_key(|&shape| (std::cmp::Reverse(followers(shape)), shape));
        let mut height = 0.0;
        for (i, &shape) in members.iter().enumerate() {
            height += heights[shape];
            if i > 0 && height > limit {
                rank[shape] = layer + 1;
            }
        }
        push_right(&mut rank, &pairs);
        layer += 1;
    }
    rank
}

/// Moves shapes right until each pair is in order.
fn push_right(rank: &mut [usize], pairs: &[(usize, usize)]) {
    loop {
        let mut moved = false;
        for &(left, right) in pairs {
            if rank[right] <= rank[left] {
                rank[right] = rank[left] + 1;
                moved = true;
            }
        }
        if !moved {
            return;
        }
    }
}

/// The pairs, with those turned round that lead back in a walk along them.
fn without_circles(count: usize, pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut has_left = vec![false; count];
    for &(left, right) in pairs {
        next[left].push(right);
        has_left[right] = true;
    }
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut state = vec![State::New; count];
    let mut back = std::collections::BTreeSet::new();
    // Beginning where nothing leads to keeps the order of what is no circle.
    let mut starts: Vec<usize> = (0..count).collect();
    starts.sort_by_key(|&shape| (has_left[shape], std::cmp::Reverse(next[shape].len()), shape));
    for start in starts {
        let mut path = vec![(start, 0)];
        while let Some((shape, step)) = path.pop() {
            if step == 0 {
                if state[shape] != State::New {
                    continue;
                }
                state[shape] = State::Open;
            }
            match next[shape].get(step) {
                None => state[shape] = State::Done,
                Some(&to) => {
                    path.push((shape, step + 1));
                    match state[to] {
                        State::New => path.push((to, 0)),
                        State::Open => {
                            back.insert((shape, to));
                        }
                        State::Done => {}
                    }
                }
            }
        }
    }
    pairs
        .iter()
        .map(|&(left, right)| if back.contains(&(left, right)) { (right, left) } else { (left, right) })
        .collect()
}
