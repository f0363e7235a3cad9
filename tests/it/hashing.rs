//! What a sender can make its receiver pay by choosing strings and numbers whose hashes collide: nothing to speak of. And
//! what is seen of it: `pairs` goes through a table in another order in each process.
//!
//! Costs are compared with those of random strings and numbers of the same size, in the same process: the least of some
//! tries of each, more on a machine that is busy. A factor of 8 is allowed; without a key it was far beyond.

use std::collections::BTreeSet;

use expect_test::expect;
use lunarium_tests::{Lab, transcript};

/// Asks a process beside it for messages of chosen and of random values by turns, and takes the time of reading each.
const RECEIVER: &str = r#"
return { main = function(...)
    local inbox = process.inbox()
    local sender = process.spawn("app:sender", "app:processes", process.pid())
    for _, kind in ipairs { "strings", "keys", "integers", "negative", "floats", "json", "json strings" } do
        local costs = { random = math.huge, chosen = math.huge }
        for round = 1, 20 do
            for _, choice in ipairs { "random", "chosen" } do
                process.send(sender, "next", kind, choice)
                local msg = inbox:receive()
                local text = kind:find("json") and msg:payload()
                collectgarbage()
                local start = os.clock()
                local value
                if text then value = json.decode(text) else value = msg:payload() end
                costs[choice] = math.min(costs[choice], os.clock() - start)
                assert(next(value) ~= nil)
            end
            if round >= 3 and costs.chosen <= 8 * costs.random then break end
        end
        local ratio = costs.chosen / costs.random
        print(kind, ratio <= 8 and "bounded" or ("%.0f times"):format(ratio))
    end
end }
"#;

/// Makes these messages. The strings are such as Lua's own hash gives one value with the seed that builds once had:
/// at each of 13 places either of two blocks, which the hash can't tell apart.
const SENDER: &str = r#"
-- entry: sender
local SEED <const>, MASK <const> = 0x4c756e61, 0xffffffff
local random = math.random

local function word(number)
    local s = {}
    for i = 1, 3 do s[i], number = 48 + number % 64, number // 64 end
    for i = 1, 3 do if s[i] == 92 then s[i] = 33 end end
    return string.char(s[1], s[2], s[3])
end

local function step(h, block)
    for i = 3, 1, -1 do h = h ~ ((h << 5) + (h >> 2) + block:byte(i)) & MASK end
    return h
end

local function colliding()
    local h, pairs = SEED ~ 39, {}
    for place = 1, 13 do
        local seen = {}
        for number = 0, 64 ^ 3 - 1 do
            local block = word(number)
            local state = step(h, block)
            local other = seen[state]
            if other and other ~= block then
                pairs[place], h = { other, block }, state
                break
            end
            seen[state] = block
        end
    end
    local strings = {}
    for number = 0, 2 ^ 13 - 1 do
        local parts = {}
        for place = 1, 13 do parts[14 - place] = pairs[place][1 + (number >> (place - 1)) % 2] end
        strings[number + 1] = table.concat(parts)
    end
    return strings
end

local function any()
    local strings = {}
    for i = 1, 2 ^ 13 do
        local parts = {}
        for place = 1, 13 do parts[place] = word(random(0, 64 ^ 3 - 1)) end
        strings[i] = table.concat(parts)
    end
    return strings
end

local function keys(size, key)
    local t = {}
    for i = 1, size do t[key(i)] = true end
    return t
end

local function set(strings) return keys(#strings, function(i) return strings[i] end) end

return { main = function(receiver)
    local asked = process.listen("next")
    local chosen, rest = colliding(), any()
    assert(#chosen == 2 ^ 13 and #chosen[1] == 39)
    local texts = { chosen = chosen, random = rest }
    local make = {
        strings = function(choice) return texts[choice] end,
        keys = function(choice) return set(texts[choice]) end,
        json = function(choice) return json.encode(set(texts[choice])) end,
        ["json strings"] = function(choice) return json.encode(texts[choice]) end,
        integers = function(choice)
            return keys(40000, choice == "chosen" and function(i) return i * 65535 end or function() return random(1 << 30) end)
        end,
        negative = function(choice)
            if choice == "chosen" then return keys(40000, function(i) return -i * 65535 * 32767 end) end
            return keys(40000, function() return -random(1 << 30) << 20 end)
        end,
        floats = function(choice)
            return keys(40000, choice == "chosen" and function(i) return 1 + i * 2.0 ^ -52 end or function() return random() end)
        end,
    }
    while true do
        local what = asked:receive()
        assert(process.send(receiver, what[1], (make[what[1]](what[2]))))
    end
end }
"#;

#[test]
fn chosen_collisions_cost_a_receiver_little_more_than_random_values() {
    expect![[r#"
        strings	bounded
        keys	bounded
        integers	bounded
        negative	bounded
        floats	bounded
        json	bounded
        json strings	bounded
        => nil
    "#]]
    .assert_eq(&transcript(&format!("{RECEIVER}{SENDER}")));
}

#[test]
fn pairs_has_another_order_in_each_process() {
    let lab = Lab::default();
    lab.define(
        r#"return { main = function()
            local t, keys = {}, {}
            for i = 1, 20 do t["key " .. i] = i end
            for key in pairs(t) do keys[#keys + 1] = key end
            local again = 0
            for key in pairs(t) do
                again = again + 1
                assert(keys[again] == key)
            end
            return table.concat(keys, " ")
        end }"#,
    );
    let orders: BTreeSet<_> =
        (0..8).map(|_| lunarium_tests::show_outcome(&lab.spawn("main", Vec::new()).wait_blocking())).collect();
    assert!(orders.len() > 4, "few orders: {orders:?}");
}

#[test]
fn a_string_is_the_one_that_was_there_before_the_process() {
    expect![[r#"
        true	true	true
        true
        => nil
    "#]]
    .assert_eq(&transcript(
        r#"return { main = function()
            local made, ch = ("upperx"):sub(1, 5), process.listen("t")
            process.send(process.pid(), "t", { upper = "found", [made .. "x"] = "made" })
            local got = ch:receive()
            print(string[made] == string.upper, got[made] == "found", got["upper" .. "x"] == "made")
            -- It stays when nothing else has it any more.
            string.upper, string.gmatch = nil, nil
            for _ = 1, 10 do collectgarbage() end
            local t = { gmatch = 1 }
            print(t[("gmatch "):sub(1, 6)] == 1 and rawequal(next(t), "g" .. "match") and string[made] == nil)
        end }"#,
    ));
}
