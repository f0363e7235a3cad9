//! Whose turn it is to write, and how much waits.

use std::time::Duration;

use super::super::queue::{BATCH_WRITES, BYTES, Busy, Queue, WRITES};

fn drained(queue: &Queue<(char, usize)>) -> Vec<(char, usize)> {
    queue.next(Duration::ZERO).batch
}

#[test]
fn each_process_has_its_turn() {
    let queue = Queue::new();
    for number in 0..3 {
        queue.push("a", 1, ('a', number)).unwrap();
    }
    queue.push("b", 1, ('b', 0)).unwrap();
    queue.push("c", 1, ('c', 0)).unwrap();
    assert_eq!(drained(&queue), [('a', 0), ('b', 0), ('c', 0), ('a', 1), ('a', 2)]);
    assert_eq!(drained(&queue), []);
}

#[test]
fn who_writes_much_is_in_every_batch_and_so_is_who_writes_little() {
    let queue = Queue::new();
    for number in 0..2 * BATCH_WRITES {
        queue.push("a", 1, ('a', number)).unwrap();
    }
    queue.push("b", 1, ('b', 0)).unwrap();
    let first = drained(&queue);
    assert_eq!(first.len(), BATCH_WRITES);
    assert_eq!(first[1], ('b', 0));
}

#[test]
fn half_of_it_is_for_who_has_nothing_waiting() {
    let queue = Queue::new();
    for number in 0..WRITES / 2 {
        queue.push("a", 1, ('a', number)).unwrap();
    }
    assert_eq!(queue.push("a", 1, ('a', 0)), Err(Busy));
    queue.push("b", 1, ('b', 0)).unwrap();
    assert_eq!(queue.push("b", 1, ('b', 1)), Err(Busy));
    drained(&queue);
    queue.push("b", 1, ('b', 1)).unwrap();
}

#[test]
fn it_is_bounded_in_count_and_bytes() {
    let queue = Queue::new();
    for number in 0..WRITES {
        queue.push(&format!("{number}"), 1, ('a', number)).unwrap();
    }
    assert_eq!(queue.push("b", 1, ('b', 0)), Err(Busy));
    drained(&queue);
    queue.push("b", 1, ('b', 0)).unwrap();

    let queue = Queue::new();
    queue.push("a", BYTES - 1, ('a', 0)).unwrap();
    assert_eq!(queue.push("b", 2, ('b', 0)), Err(Busy));
    queue.push("b", 1, ('b', 0)).unwrap();
    queue.close();
    let first = queue.next(Duration::ZERO);
    assert!(first.batch.len() == 1 && !first.is_last);
    assert!(queue.next(Duration::ZERO).is_last);
    assert_eq!(queue.push("b", 1, ('b', 0)), Err(Busy));
}
