//! Rows that wait for each other, and the circles in that.

use rustc_hash::FxHashMap;

use crate::session::objects::Obj;

/// Who goes before whom, and why.
pub(super) struct Graph<W> {
    places: FxHashMap<Obj, usize>,
    rows: Vec<Obj>,
    pub(super) edges: Vec<Edge<W>>,
}

/// One row goes before another.
pub(super) struct Edge<W> {
    pub(super) first: Obj,
    pub(super) then: Obj,
    /// How many levels lie between: none where the order within a level is enough.
    pub(super) step: usize,
    pub(super) why: W,
    /// It was found a way around.
    pub(super) cut: bool,
}

impl<W> Graph<W> {
    pub(super) fn new() -> Self {
        Graph { places: FxHashMap::default(), rows: Vec::new(), edges: Vec::new() }
    }

    pub(super) fn add(&mut self, first: Obj, then: Obj, step: usize, why: W) {
        self.place(first);
        self.place(then);
        self.edges.push(Edge { first, then, step, why, cut: false });
    }

    fn place(&mut self, obj: Obj) -> usize {
        *self.places.entry(obj).or_insert_with(|| {
            self.rows.push(obj);
            self.rows.len() - 1
        })
    }

    /// The edges that leave each row, but for those that were cut: their ends and numbers.
    fn leaving(&self) -> Vec<Vec<(usize, usize)>> {
        let mut leaving = vec![Vec::new(); self.rows.len()];
        for (number, edge) in self.edges.iter().enumerate().filter(|(_, edge)| !edge.cut) {
            leaving[self.places[&edge.first]].push((self.places[&edge.then], number));
        }
        leaving
    }

    /// The edges of each knot of circles; none where every row can wait for those that it has to wait for.
    pub(super) fn circles(&self) -> Vec<Vec<usize>> {
        let knots = knots(&self.leaving());
        let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut places: FxHashMap<usize, usize> = FxHashMap::default();
        for (number, edge) in self.edges.iter().enumerate().filter(|(_, edge)| !edge.cut) {
            let knot = knots[self.places[&edge.first]];
            if knot == knots[self.places[&edge.then]] {
                let place = *places.entry(knot).or_insert_with(|| {
                    found.push((knot, Vec::new()));
                    found.len() - 1
                });
                found[place].1.push(number);
            }
        }
        found.into_iter().map(|(_, edges)| edges).collect()
    }

    /// How many levels lie before each row; a row that is not here waits for none. What lies on a circle is left out.
    pub(super) fn levels(&self) -> FxHashMap<Obj, usize> {
        let leaving = self.leaving();
        let mut waits = vec![0usize; self.rows.len()];
        leaving.iter().flatten().for_each(|(end, _)| waits[*end] += 1);
        let mut ready: Vec<usize> = (0..self.rows.len()).filter(|row| waits[*row] == 0).collect();
        let mut levels = vec![0usize; self.rows.len()];
        let mut known = FxHashMap::default();
        while let Some(row) = ready.pop() {
            known.insert(self.rows[row], levels[row]);
            for (end, number) in &leaving[row] {
                levels[*end] = levels[*end].max(levels[row] + self.edges[*number].step);
                waits[*end] -= 1;
                if waits[*end] == 0 {
                    ready.push(*end);
                }
            }
        }
        known
    }
}

/// Which rows can reach each other: a number for each row, the same for those that can (Tarjan).
fn knots(leaving: &[Vec<(usize, usize)>]) -> Vec<usize> {
    const NEW: usize = usize::MAX;
    let mut index = vec![NEW; leaving.len()];
    let mut low = vec![0; leaving.len()];
    let mut knot = vec![NEW; leaving.len()];
    let (mut met, mut knots) = (0, 0);
    let mut open: Vec<usize> = Vec::new();
    // A stack of our own: a chain of rows may be as long as memory holds.
    let mut path: Vec<(usize, usize)> = Vec::new();
    for start in 0..leaving.len() {
        if index[start] != NEW {
            continue;
        }
        path.push((start, 0));
        while let Some(top) = path.last_mut() {
            let (row, next) = *top;
            top.1 += 1;
            if next == 0 {
                index[row] = met;
                low[row] = met;
                met += 1;
                open.push(row);
            }
            match leaving[row].get(next) {
                Some((end, _)) if index[*end] == NEW => path.push((*end, 0)),
                Some((end, _)) => {
                    if knot[*end] == NEW {
                        low[row] = low[row].min(index[*end]);
                    }
                }
                None => {
                    path.pop();
                    if let Some((before, _)) = path.last() {
                        low[*before] = low[*before].min(low[row]);
                    }
                    if low[row] == index[row] {
                        while let Some(member) = open.pop() {
                            knot[member] = knots;
                            if member == row {
                                break;
                            }
                        }
                        knots += 1;
                    }
                }
            }
        }
    }
    knot
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(u32, u32)]) -> Graph<()> {
        let obj = |slot| Obj { model: 0, slot };
        let mut graph = Graph::new();
        edges.iter().for_each(|(a, b)| graph.add(obj(*a), obj(*b), 1, ()));
        graph
    }

    #[test]
    fn levels_are_the_longest_ways() {
        let levels = graph(&[(0, 1), (1, 2), (0, 2), (3, 2)]).levels();
        let level = |slot| levels[&Obj { model: 0, slot }];
        assert_eq!([level(0), level(1), level(2), level(3)], [0, 1, 2, 0]);
    }

    #[test]
    fn circles_are_found_apart_and_what_leads_to_them_is_in_none() {
        let graph = graph(&[(0, 1), (1, 0), (1, 2), (2, 3), (3, 4), (4, 2), (5, 5), (4, 6)]);
        let mut circles = graph.circles();
        circles.iter_mut().for_each(|edges| edges.sort_unstable());
        circles.sort();
        assert_eq!(circles, [vec![0, 1], vec![3, 4, 5], vec![6]]);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let edges: Vec<(u32, u32)> = (0..200_000).map(|at| (at, at + 1)).collect();
        let graph = graph(&edges);
        assert!(graph.circles().is_empty());
        assert_eq!(graph.levels()[&Obj { model: 0, slot: 200_000 }], 200_000);
    }
}
