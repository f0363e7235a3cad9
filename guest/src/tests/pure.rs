//! The modules that compute and ask nobody: `base64`, `hash`, `uuid`, `random`.

use expect_test::expect;

use super::*;
use crate::state::random::Random;

#[test]
fn base64_is_that_of_the_standard() {
    // RFC 4648, section 10; then what differs between the alphabets, and bytes of every value.
    check(
        "for _, text in ipairs { '', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar' } do
            local there, url = base64.encode(text), base64.encode_url(text)
            print(there, url, base64.decode(there) == text, base64.decode_url(url) == text, base64.decode_url(there) == text)
        end
        print(base64.encode('\\xfb\\xff\\xfe')) print(base64.encode_url('\\xfb\\xff\\xfe'))
        local all = {} for byte = 0, 255 do all[#all + 1] = string.char(byte) end
        all = table.concat(all):rep(41)
        print(base64.decode(base64.encode(all)) == all, base64.decode_url(base64.encode_url(all)) == all)
        print(base64.encode(12))",
        expect![[r#"
            		true	true	true
            Zg==	Zg	true	true	true
            Zm8=	Zm8	true	true	true
            Zm9v	Zm9v	true	true	true
            Zm9vYg==	Zm9vYg	true	true	true
            Zm9vYmE=	Zm9vYmE	true	true	true
            Zm9vYmFy	Zm9vYmFy	true	true	true
            +//+	nil
            -__-	nil
            true	true
            MTI=	nil
            => nil
        "#]],
    );
}

#[test]
fn what_is_no_base64_is_told_with_its_place() {
    check(
        "for _, text in ipairs { 'Zg', 'Zg=', 'Zh==', 'Zg==Zg==', 'Z', 'Zm9\\n', 'Zm9-', '\\xff', '====' } do
            local data, err = base64.decode(text)
            print(data, err:kind(), err)
        end
        print(base64.decode_url('a+b')) print(base64.decode_url('A')) print(base64.decode_url('Zh'))
        print(base64.decode()) print(base64.encode(nil)) print(base64.encode_url()) print(base64.decode_url())
        print(pcall(base64.encode, {})) print(pcall(base64.decode, true))",
        expect![[r#"
            nil	Invalid	the text doesn't end with as many `=` as fill it up to four characters
            nil	Invalid	the text doesn't end with as many `=` as fill it up to four characters
            nil	Invalid	`h` at byte 2 can't be the last one: it holds bits of a byte that isn't there
            nil	Invalid	`=` at byte 3 is not of this base64
            nil	Invalid	the text ends within a byte
            nil	Invalid	the byte 0x0a at byte 4 is not of this base64
            nil	Invalid	`-` at byte 4 is not of this base64
            nil	Invalid	the byte 0xff at byte 1 is not of this base64
            nil	Invalid	`=` at byte 1 is not of this base64
            nil	`+` at byte 2 is not of this base64
            nil	the text ends within a byte
            nil	`h` at byte 2 can't be the last one: it holds bits of a byte that isn't there
            nil	text is missing
            nil	data is missing
            nil	data is missing
            nil	text is missing
            false	bad argument #1 to 'base64.encode' (string expected, got table)
            false	bad argument #1 to 'base64.decode' (string expected, got boolean)
            => nil
        "#]],
    );
}

#[test]
fn digests_are_those_of_the_standards() {
    // FIPS 180-4, RFC 4231 (cases 2 and 6), and XXH3's own sums of nothing and of more than its short forms take.
    check(
        "print(hash.sha256('abc')) print(hash.sha256('')) print((hash.sha256(('a'):rep(1000000))))
        print((hash.hmac_sha256('what do ya want for nothing?', 'Jefe')))
        print((hash.hmac_sha256('Test Using Larger Than Block-Size Key - Hash Key First', ('\\xaa'):rep(131))))
        print((hash.hmac_sha256('', '')))
        print((hash.xxh3(''))) print((hash.xxh3('a'))) print((hash.xxh3(('x'):rep(1000)))) print((hash.xxh3('a', true)):byte(1, -1))
        print(#hash.sha256('abc', true), (hash.sha256('abc', true)):byte(1, 4)) print((hash.hmac_sha256('', '', true)):byte(1, 4))
        print((hash.sha256('abc', false)) == hash.sha256('abc'), (hash.sha256(12)) == hash.sha256('12'))",
        expect![[r#"
            ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad	nil
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855	nil
            cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0
            5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843
            60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54
            b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad
            2d06800538d394c2
            e6c632b61e964e1f
            c0a4877b962cba82
            230	198	50	182	30	150	78	31
            32	186	120	22	191
            182	19	103	154
            true	true
            => nil
        "#]],
    );
}

#[test]
fn digests_are_compared_whole() {
    check(
        "local mac = hash.hmac_sha256('data', 'secret')
        print(hash.equals(mac, hash.hmac_sha256('data', 'secret')), hash.equals(mac, hash.hmac_sha256('data', 'other')))
        print(hash.equals(mac, mac:sub(1, -2)), hash.equals('', '')) print(hash.equals('a', nil)) print(hash.equals(nil, 'a'))
        print(hash.sha256()) print(hash.hmac_sha256()) print(hash.hmac_sha256('data')) print(hash.xxh3())
        print(pcall(hash.sha256, {})) print(pcall(hash.hmac_sha256, 'x', print)) print(pcall(hash.equals, 'x', {}))",
        expect![[r#"
            true	false	nil
            false	true	nil
            nil	the second digest is missing
            nil	the first digest is missing
            nil	data is missing
            nil	data is missing
            nil	secret is missing
            nil	data is missing
            false	bad argument #1 to 'hash.sha256' (string expected, got table)
            false	bad argument #2 to 'hash.hmac_sha256' (string expected, got function)
            false	bad argument #2 to 'hash.equals' (string expected, got table)
            => nil
        "#]],
    );
}

#[test]
fn uuids_say_their_version_and_are_read_in_each_form() {
    check(
        "local random = uuid.v4()
        print(#random, random:match('^%x+%-%x+%-4%x%x%x%-[89ab]%x%x%x%-%x+$') == random, uuid.v4() ~= random)
        local by_time = uuid.v7()
        print(#by_time, by_time:match('^%x+%-%x+%-7%x%x%x%-[89ab]%x%x%x%-%x+$') == by_time)
        local read = uuid.parse(by_time)
        print(read.version, read.text == by_time, read.timestamp == time.now():unix()) print(uuid.parse(random).version)
        for _, text in ipairs { '0190163D-8694-739b-AEA5-966c26f8ad91', '0190163d8694739baea5966c26f8ad91',
            'urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91', '{0190163d-8694-739b-aea5-966c26f8ad91}' } do
            local read = uuid.parse(text)
            print(uuid.validate(text), read.text, read.version, read.timestamp)
        end
        local none = uuid.parse('00000000-0000-0000-0000-000000000000') print(none.text, none.version, none.timestamp)
        for _, value in ipairs { '', 'x', by_time .. '0', by_time:sub(2), ('g'):rep(36), 12, {}, false } do io = uuid.validate(value) print(io) end
        print(uuid.validate()) print(uuid.parse('1234')) print(uuid.parse()) print(pcall(uuid.parse, {}))
        print(uuid.parse(('x'):rep(1000)))",
        expect![[r#"
            36	true	true
            36	true
            7	true	true
            4
            true	0190163d-8694-739b-aea5-966c26f8ad91	7	1718360049
            true	0190163d-8694-739b-aea5-966c26f8ad91	7	1718360049
            true	0190163d-8694-739b-aea5-966c26f8ad91	7	1718360049
            true	0190163d-8694-739b-aea5-966c26f8ad91	7	1718360049
            00000000-0000-0000-0000-000000000000	nil	nil
            false
            false
            false
            false
            false
            false
            false
            false
            false	nil
            nil	`1234` is not a UUID
            nil	text is missing
            false	bad argument #1 to 'uuid.parse' (string expected, got table)
            nil	`xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not a UUID
            => nil
        "#]],
    );
}

#[test]
fn uuids_by_time_are_in_order_whatever_the_clock_does() {
    let case = Case::body(
        "local last, n = '', 0
        for i = 1, 20000 do local id = uuid.v7() if id > last then n = n + 1 end last = id end
        print(n)",
    );
    expect![[r#"
        20000
        => nil
    "#]]
    .assert_eq(&case.run());
}

#[test]
fn a_clock_that_goes_back_stops_the_time_of_uuids() {
    let random = Random::default();
    let stamps: Vec<(u64, u16)> =
        [(5, 0), (5, 999_999), (5, 1_000_000), (4, 0), (-1, 0), (6, 500_000)].map(|(s, n)| random.stamp(s, n)).into();
    assert_eq!(stamps, [(5_000, 0), (5_000, 4_095), (5_001, 0), (5_001, 1), (5_001, 2), (6_000, 2_048)]);
}

#[test]
fn random_bytes_follow_from_the_key_alone() {
    let draw = |seed| {
        Case::body("print((hash.sha256(random.bytes(100)))) print((base64.encode(random.bytes(9)))) print((uuid.v4()))")
            .with(|program| program.seed = seed)
            .run()
    };
    let (one, again) = (draw((1, 2, 3, 4)), draw((9, 2, 3, 4)));
    // Other numbers of Lua's own, and the same bytes.
    assert_eq!(one, again);
    for other in [(1, 3, 3, 4), (1, 2, 4, 4), (1, 2, 3, 5)] {
        let other = draw(other);
        assert!(one.lines().zip(other.lines()).take(3).all(|(one, other)| one != other), "{one}{other}");
    }
    // ChaCha20 of RFC 8439's key of zeros: the first bytes of its first stream.
    let zero = Case::body("for byte in random.bytes(8):gmatch('.') do print(byte:byte()) end").with(|program| {
        program.seed = (7, 0, 0, 0);
    });
    assert_eq!(zero.run(), "118\n184\n224\n173\n160\n241\n61\n144\n=> nil\n");
}

#[test]
fn random_bytes_are_as_many_as_asked_for_and_never_twice_the_same() {
    check(
        "local seen, n = {}, 0
        for _ = 1, 1000 do
            local bytes = random.bytes(16)
            if not seen[bytes] then n = n + 1 end
            seen[bytes] = true
        end
        print(n, #random.bytes(0), #random.bytes(1), #random.bytes(100000), #random.bytes('3'))
        print(random.bytes(-1)) print(random.bytes()) print(pcall(random.bytes, 1.5)) print(pcall(random.bytes, 'x'))
        print(select(2, pcall(random.bytes, 20 << 20))) print((select(2, pcall(random.bytes, math.maxinteger))))",
        expect![[r#"
            1000	0	1	100000	3
            nil	count is -1, not a number of bytes from 0
            nil	count is missing
            false	bad argument #1 to 'random.bytes' (number has no integer representation)
            false	bad argument #1 to 'random.bytes' (number expected, got string)
            not enough memory
            memory allocation error: block too big
            => nil
        "#]],
    );
}

#[test]
fn what_is_large_is_the_scripts_memory() {
    check(
        "local large = ('x'):rep(7 << 20)
        print(pcall(base64.encode, large)) print(#hash.sha256(large), #hash.hmac_sha256(large, large), #hash.xxh3(large))
        large = nil
        local text = base64.encode(('x'):rep(3 << 20))
        print(#text) print(#base64.decode(text))",
        expect![[r#"
            false	not enough memory
            64	64	16
            4194304
            3145728
            => nil
        "#]],
    );
}
