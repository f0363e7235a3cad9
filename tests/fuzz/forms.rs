//! Texts with a form: pids, names, topics, ids, paths, durations, sizes, limits.

use lunarium_app::{is_namespace, parse_duration, parse_limit, parse_size};
use lunarium_contract::form::{self, Destination, DestinationFault};
use lunarium_contract::length;
use lunarium_engine::{Directory, LimitsOverride, Pid, visibility};
use lunarium_kernel::{Name, Topic};

use crate::fuzz;

const NAMES: [&[u8]; 8] = [
    b"{app:processes|0x00001}",
    b"{h|0xffffffffffffffff}",
    b"{app:processes|0x1}",
    b"counter",
    b"@reserved",
    b"{a|b}",
    "größe".as_bytes(),
    b"app.shop:worker",
];

#[test]
fn destinations() {
    fuzz(40_000, &NAMES, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match form::destination(&text) {
            Ok(Destination::Pid(same, number)) => {
                assert_eq!(same, text);
                assert!(number > 0 && text.len() <= length::PID);
                let pid = Pid::parse(&text);
                assert!(pid.is_none_or(|pid| pid.number() == number && pid.as_str() == text));
            }
            Ok(Destination::Name(name)) => assert_eq!(Name::new(name).unwrap().as_str(), text),
            Err(DestinationFault::NoSuchPid) => assert!(form::looks_like_pid(&text)),
            Err(DestinationFault::Name(_)) => assert!(Name::new(&text).is_err()),
        }
        assert_eq!(Topic::new(&text).is_ok(), form::check_topic(&text).is_ok());
        if form::is_host_id(&text) {
            let pid = format!("{{{text}|0x00007}}");
            assert_eq!(Pid::parse(&pid).map(|pid| pid.number()), Some(7));
        }
        for most in [0, 1, 3, text.len()] {
            assert!(form::cut(&text, most).len() <= most);
        }
        assert_eq!(visibility(&text).count(), text.chars().count());
    });
}

#[test]
fn paths() {
    let samples: [&[u8]; 6] = [b"data/a/b.txt", b"/srv/files", b"a/../../b", b"./a//b/.", b"..", "ä/ö".as_bytes()];
    fuzz(40_000, &samples, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let Ok(normal) = Directory::normal_name(&text) else { return };
        assert_eq!(Directory::normal_name(&normal).as_ref(), Ok(&normal), "it is its own normal form");
        assert!(!normal.contains('\0') && !normal.contains("//"));
        assert!(normal == "." || normal.split('/').all(|part| part != ".." && part != "."), "{normal}");
        assert_eq!(normal.starts_with('/'), text.starts_with('/'));
    });
}

#[test]
fn quantities() {
    let samples: [&[u8]; 9] =
        [b"1h30m", b"250ms", b"1.5h", b"0", b"16MiB", b"500kB", b"memory=16MiB", b"cpu=500ms", b"timers=100"];
    fuzz(40_000, &samples, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(duration) = parse_duration(&text) {
            assert!(duration.as_nanos() <= i64::MAX.unsigned_abs().into(), "{text}");
        }
        if parse_size(&text).is_ok() {
            assert!(text.contains(|letter: char| letter.is_ascii_digit()));
        }
        let mut limits = LimitsOverride::default();
        if let Err(error) = parse_limit(&text, &mut limits) {
            assert_eq!(limits, LimitsOverride::default());
            assert!(!error.to_string().is_empty());
            let _ = error.hint();
        }
        if is_namespace(&text) {
            assert!(text.len() <= length::ID && !text.contains(':'));
        }
    });
}
