//! Orders things by what they need.
//!
//! Owns the search for circles. Knows things as numbers only, and never recurses: a chain may be as long as a file.

/// What each thing needs: `edges[a]` holds the numbers of those that must come before `a`.
pub(crate) type Edges = Vec<Vec<usize>>;

/// Things with the needed ones first, and every circle that was met, as a path that needs its own first thing.
pub(crate) struct Order {
    pub(crate) order: Vec<usize>,
    pub(crate) circles: Vec<Vec<usize>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Walks the graph depth first. Numbers without a thing are ignored.
pub(crate) fn order(edges: &Edges) -> Order {
    let mut marks = vec![Mark::New; edges.len()];
    let mut found = Order { order: Vec::with_capacity(edges.len()), circles: Vec::new() };
    for root in 0..edges.len() {
        visit(root, edges, &mut marks, &mut found);
    }
    found
}

fn visit(root: usize, edges: &Edges, marks: &mut [Mark], found: &mut Order) {
    if marks.get(root) != Some(&Mark::New) {
        return;
    }
    // The things under way, each with the next of its needs to look at.
    let mut path = vec![(root, 0_usize)];
    set(marks, root, Mark::Open);
    while let Some((thing, next)) = path.last_mut() {
        let need = edges.get(*thing).and_then(|needs| needs.get(*next)).copied();
        *next = next.saturating_add(1);
        match need {
            None => {
                set(marks, *thing, Mark::Done);
                found.order.push(*thing);
                path.pop();
            }
            Some(need) => match marks.get(need) {
                Some(Mark::New) => {
                    set(marks, need, Mark::Open);
                    path.push((need, 0));
                }
                Some(Mark::Open) => {
                    let circle = path.iter().map(|(thing, _)| *thing).skip_while(|thing| *thing != need);
                    found.circles.push(circle.collect());
                }
                Some(Mark::Done) | None => {}
            },
        }
    }
}

fn set(marks: &mut [Mark], thing: usize, mark: Mark) {
    if let Some(slot) = marks.get_mut(thing) {
        *slot = mark;
    }
}

/// Everything that `roots` need, they included, as a mask.
pub(crate) fn reachable(roots: impl IntoIterator<Item = usize>, edges: &Edges) -> Vec<bool> {
    let mut seen = vec![false; edges.len()];
    let mut waiting: Vec<usize> = roots.into_iter().collect();
    while let Some(thing) = waiting.pop() {
        match seen.get_mut(thing) {
            Some(mark) if !*mark => *mark = true,
            _ => continue,
        }
        waiting.extend(edges.get(thing).into_iter().flatten());
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::{order, reachable};

    #[test]
    fn needed_things_come_first() {
        assert_eq!(order(&vec![vec![1, 2], vec![2], vec![]]).order, [2, 1, 0]);
    }

    #[test]
    fn a_circle_is_told_once_and_in_order() {
        let found = order(&vec![vec![1], vec![2], vec![0], vec![0]]);
        assert_eq!(found.circles, [[0, 1, 2]]);
    }

    #[test]
    fn needing_oneself_is_a_circle() {
        assert_eq!(order(&vec![vec![0]]).circles, [[0]]);
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let edges = (1..=200_000).map(|next| vec![next]).collect();
        assert_eq!(order(&edges).order.first(), Some(&199_999));
    }

    #[test]
    fn what_is_needed_is_reached_through_others() {
        assert_eq!(reachable([0], &vec![vec![1], vec![2], vec![], vec![0]]), [true, true, true, false]);
    }
}
