//! What a grant may be filled with, and every way to be counted less than one takes.

use super::*;

/// A world whose `data` may be filled with so many blocks of 4 KiB, and holds two.
fn bounded(blocks: u64) -> World {
    let mut world = World::new();
    world.put("granted/old", "0");
    fs::create_dir(world.path("granted/sub")).unwrap();
    let bounded = world.granted[0].clone().with_max_bytes(blocks * 4096).unwrap();
    world.granted[0] = bounded;
    world
}

fn held(world: &World) -> u64 {
    world.granted[0].quota().unwrap().held() / 4096
}

#[test]
fn a_grant_is_filled_with_so_much_and_what_lies_there_counts() {
    let world = bounded(4);
    let full = "ResourceExhausted: fs.write on `data/more` failed: the granted directory `data` may be filled with 16384 bytes";
    assert_eq!(
        (held(&world), world.write("data/a", "x"), world.write("data/b", "")),
        (2, "true".into(), "true".into())
    );
    assert_eq!((world.write("data/more", ""), world.mkdir("data/more")), (full.into(), full.into()));
    assert!(!world.path("granted/more").exists());
    // What is there can be written anew, as long as it takes no more.
    assert_eq!(
        (world.write("data/a", "other"), world.append("data/a", "!"), held(&world)),
        ("true".into(), "true".into(), 4)
    );
    assert_eq!(world.remove("data/sub"), "true");
    (0..4).for_each(|_| assert_eq!(world.append("data/a", &"x".repeat(1000)), "true"));
    // The fifth thousand would begin a third block.
    let long = (0..8).map(|_| world.append("data/a", &"x".repeat(1000))).filter(|told| told == "true").count();
    assert_eq!((long, held(&world)), (4, 4));
    assert_eq!((world.remove("data/a"), held(&world), world.mkdir("data/c")), ("true".into(), 2, "true".into()));
    let refused =
        Task::new(&world.granted, world.find(Access::Write, "data/d").unwrap(), Operation::Write(vec![0; 1000]), LIMIT);
    assert_eq!(refused.unwrap().run().map(drop).map_err(|error| error.limit()), Ok(()));
    let refused =
        Task::new(&world.granted, world.find(Access::Write, "data/e").unwrap(), Operation::Write(vec![]), LIMIT);
    assert_eq!(refused.unwrap().run().map(drop).map_err(|error| error.limit()), Err(Some("grant.bytes")));
}

#[test]
fn what_fails_and_what_changes_nothing_frees_nothing() {
    let world = bounded(5);
    assert_eq!(world.write("data/a", "x"), "true");
    fs::hard_link(world.path("granted/a"), world.path("granted/twin")).unwrap();
    symlink("sub", world.path("granted/link")).unwrap();
    assert_eq!(world.write("data/sub/f", "x"), "true");
    // Each names the same file twice, and a rename of that does nothing.
    for (from, to) in [("data/a", "data/a"), ("data/a", "data/twin"), ("data/sub/f", "data/link/f")] {
        assert_eq!((world.rename(from, to), held(&world)), ("true".into(), 4), "{from} to {to}");
    }
    for told in [
        world.remove("data/sub"),
        world.remove("data/none"),
        world.rename("data/none", "data/a"),
        world.mkdir("data/a"),
    ] {
        assert!(told.contains("fs.write"), "{told}");
        assert_eq!(held(&world), 4);
    }
    assert_eq!((world.rename("data/a", "data/old"), held(&world)), ("true".into(), 3));
    assert_eq!((world.rename("data/old", "data/sub/g"), held(&world)), ("true".into(), 3));
}

#[test]
fn a_bound_is_of_its_grant_and_less_than_lies_there_only_keeps_it_from_growing() {
    let mut world = bounded(1);
    assert_eq!((held(&world), world.write("data/old", "less")), (2, "true".into()));
    assert!(world.write("data/new", "").starts_with("ResourceExhausted"));
    assert_eq!((world.remove("data/old"), held(&world)), ("true".into(), 1));
    // Its clone counts together with it, the same directory under another grant on its own.
    let clone = world.granted[0].clone();
    assert!(clone == world.granted[0] && clone.max_bytes() == Some(4096));
    let unbounded = world.grant_again("granted");
    assert!(unbounded.max_bytes().is_none());
    world.granted[0] = unbounded;
    assert_eq!(world.write("data/new", ""), "true");
    world.granted[0] = clone;
    assert!(world.write("data/other", "").starts_with("ResourceExhausted"));
}

/// Many that write at once into one grant: what is counted is what lies there.
#[test]
fn the_count_is_right_whoever_writes_at_once() {
    let world = bounded(20);
    std::thread::scope(|scope| {
        for seed in 0..4_u64 {
            let world = &world;
            scope.spawn(move || {
                let mut state = seed;
                let mut random = |below: u64| {
                    state = u64::wrapping_mul(state, 6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 33) % below
                };
                for _ in 0..300 {
                    let (path, other) = (format!("data/{}", random(6)), format!("data/{}", random(6)));
                    match random(5) {
                        0 => world.write(&path, &"x".repeat(random(1000) as usize)),
                        1 | 2 => world.append(&path, &"x".repeat(1000)),
                        3 => world.rename(&path, &other),
                        _ => world.remove(&path),
                    };
                    assert!(held(world) <= 20);
                }
            });
        }
    });
    let again = world.grant_again("granted").with_max_bytes(1 << 20).unwrap();
    assert_eq!(held(&world), again.quota().unwrap().held() / 4096);
}
