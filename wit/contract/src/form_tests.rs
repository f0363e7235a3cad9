//! What the forms let through and what they refuse.

extern crate std;

use std::format;
use std::string::String;

use super::{
    Destination, DestinationFault, NameFault, TopicFault, check_name, check_topic, cut, destination, is_host_id,
    is_lua_name, looks_like_pid, pid_digits, pid_number,
};
use crate::{ErrorKind, length};

#[test]
fn the_form_of_a_pid_is_braces_and_a_bar() {
    assert!(looks_like_pid("{h|0x00001}") && looks_like_pid("{|}"));
    for text in ["{}", "|", "{a}", "a|b", "{a|b", "a|b}", ""] {
        assert!(!looks_like_pid(text), "{text}");
    }
}

#[test]
fn every_number_has_one_spelling() {
    for number in [1, 0xfffff, 0x10_0000, u64::MAX] {
        assert_eq!(pid_number(&format!("{{app:processes|0x{number:05x}}}")), Some(number));
    }
    for number in [0, 1, 0xabcde, 0xfffff, 0x10_0000, 0xfedc_ba98_7654_3210, u64::MAX] {
        assert_eq!(pid_digits(number, &mut [0; length::PID_DIGITS]), format!("{number:05x}"));
    }
    for number in ["", "0x", "0x0001", "0x00000", "0x000001", "0x0000A", "0X00001", "0x+0001", "0x10000000000000000"] {
        assert_eq!(pid_number(&format!("{{h|{number}}}")), None, "{number}");
    }
}

#[test]
fn the_longest_pid_is_one_and_no_longer_text() {
    let pid = |host: usize| format!("{{{}|0x{:x}}}", "h".repeat(host), u64::MAX);
    assert_eq!(pid(length::ID).len(), length::PID);
    assert_eq!(pid_number(&pid(length::ID)), Some(u64::MAX));
    assert_eq!(pid_number(&pid(length::ID + 1)), None);
}

#[test]
fn a_destination_is_a_pid_or_a_name() {
    assert_eq!(destination("{h|0x00001}"), Ok(Destination::Pid("{h|0x00001}", 1)));
    assert_eq!(destination("cache"), Ok(Destination::Name("cache")));
    assert_eq!(destination("{h|1}"), Err(DestinationFault::NoSuchPid));
    assert_eq!(destination(""), Err(DestinationFault::Name(NameFault::Length)));
}

#[test]
fn names_topics_and_host_ids_have_their_lengths_and_forms() {
    let text = |bytes: usize| "x".repeat(bytes);
    assert_eq!(check_name(&text(length::NAME)), Ok(()));
    assert_eq!(check_name(&text(length::NAME + 1)), Err(NameFault::Length));
    assert_eq!(check_name("{a|b}"), Err(NameFault::PidForm));
    assert_eq!(check_topic(&text(length::TOPIC)), Ok(()));
    assert_eq!(check_topic(&text(length::TOPIC + 1)), Err(TopicFault::Length));
    assert_eq!(check_topic("@t"), Err(TopicFault::Reserved));
    assert!(is_host_id(&text(length::ID)) && !is_host_id(&text(length::ID + 1)) && !is_host_id(""));
    assert!(!is_host_id("a|b") && !is_host_id("a@b") && !is_host_id("{a") && !is_host_id("a}") && !is_host_id("a\n"));
}

#[test]
fn a_lua_name_is_what_a_script_can_write_after_a_dot() {
    let long = "x".repeat(length::WORD);
    for name in ["billing", "_", "a1_B", &long] {
        assert!(is_lua_name(name), "{name}");
    }
    let longer = "x".repeat(length::WORD + 1);
    for text in ["", "1a", "a-b", "a.b", "end", "goto", "\u{e9}", "a b", &longer] {
        assert!(!is_lua_name(text), "{text}");
    }
}

#[test]
fn a_cut_never_splits_a_character() {
    assert_eq!((cut("boom", 4), cut("aéé", 2), cut("aéé", 3)), ("boom", "a", "aé"));
}

#[test]
fn every_kind_is_read_back() {
    for kind in ErrorKind::ALL {
        assert_eq!(ErrorKind::parse(kind.as_str()), Some(kind));
        let lower = kind.constant().replace('_', "").to_lowercase();
        let spelled = kind.as_str().to_lowercase();
        assert_eq!(lower, if spelled.is_empty() { String::from("unknown") } else { spelled });
    }
    assert_eq!(ErrorKind::parse("notfound"), None);
}
