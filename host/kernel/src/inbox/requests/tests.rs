//! What the count of requests promises.

use super::*;

fn reply(request: u64, bytes: usize) -> Reply {
    Reply { request, outcome: Outcome::Completed(vec![0; bytes].into()) }
}

fn ids(replies: &[Reply]) -> Vec<u64> {
    replies.iter().map(|reply| reply.request).collect()
}

#[test]
fn a_request_is_under_way_until_its_reply_is_handed_over() {
    let mut requests = Requests::default();
    let all: Vec<u64> = (0..MAX_REQUESTS).map(|_| requests.begin().unwrap()).collect();
    assert_eq!(requests.begin(), Err(RequestError::Full { limit: MAX_REQUESTS }));
    assert!(!requests.reply(reply(all[7], 1)));
    assert!(requests.begin().is_err());
    assert_eq!(ids(&requests.take(10).0), [all[7]]);
    let next = requests.begin().unwrap();
    assert!(!all.contains(&next));
    assert!(requests.begin().is_err());
    requests.cancel();
    assert_eq!(requests.begin(), Ok(next + 1));
}

#[test]
fn replies_are_handed_over_in_order_and_in_batches() {
    let mut requests = Requests::default();
    let sizes = [500, 10, 90, 1];
    for size in sizes {
        let request = requests.begin().unwrap();
        assert!(!requests.reply(reply(request, size)));
    }
    let (first, bytes) = requests.take(100);
    assert_eq!((ids(&first), bytes), (vec![1], 500));
    let (next, bytes) = requests.take(100);
    assert_eq!((ids(&next), bytes), (vec![2, 3], 100));
    assert_eq!(ids(&requests.take(100).0), [4]);
    assert_eq!(requests.take(100), (vec![], 0));
}

#[test]
fn what_an_earlier_incarnation_asked_takes_room_only_until_it_is_done() {
    let mut requests = Requests::default();
    let all: Vec<u64> = (0..MAX_REQUESTS).map(|_| requests.begin().unwrap()).collect();
    assert!(!requests.reply(reply(all[0], 1)));
    assert_eq!(ids(&requests.restart()), [all[0]]);
    assert_eq!(requests.take(10), (vec![], 0));
    let next = requests.begin().unwrap();
    assert!(requests.begin().is_err());
    assert!(all.iter().all(|request| requests.is_stale(*request)) && !requests.is_stale(next));
    requests.cancel();
    requests.begin().unwrap();
}

#[test]
fn too_many_bytes_of_replies_are_a_flood() {
    let mut requests = Requests::default();
    let size = usize::try_from(REPLY_BYTES / 2).unwrap();
    assert!(!requests.reply(reply(1, size)));
    assert!(!requests.reply(reply(2, size)));
    assert!(requests.reply(reply(3, 1)));
    requests.take(0);
    assert!(!requests.reply(reply(4, 1)));
}
