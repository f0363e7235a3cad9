//! Digests of much: a call of theirs is on its process's time, and holds up nobody.

use std::thread::available_parallelism;

use lunarium_engine::{Limits, Value};
use lunarium_tests::{Lab, show_outcome};

const HASHER: &str = r#"
-- entry: hasher
return { main = function(ticker)
  local long = ("x"):rep(1 << 20)
  for _ = 1, 4 do long = long .. long time.sleep(1) end
  process.send(ticker, "ready", process.pid())
  process.inbox():receive()
  local digest = hash.hmac_sha256(long, long)
  print("out")
  return digest
end }
-- entry: ticker
return { main = function(hashers)
  local ready, all = process.listen("ready"), {}
  for n = 1, hashers do all[n] = ready:receive() end
  for n = 1, hashers do process.send(all[n], "go") end
  for _ = 1, 5 do time.sleep(1) end
  print("ticked")
end }"#;

#[test]
fn one_call_over_a_long_string_gives_way_to_others() {
    let lab = Lab::new(Limits { memory: 64 << 20, ..Limits::default() });
    lab.define(HASHER);
    // More than there are workers: each of them has one in the middle of its call.
    let hashers = available_parallelism().map_or(1, usize::from) + 2;
    let ticker = lab.spawn("ticker", vec![Value::Integer(hashers as i64)]);
    let handles: Vec<_> = (0..hashers).map(|_| lab.spawn("hasher", vec![Value::from(ticker.pid().as_str())])).collect();
    assert_eq!(show_outcome(&ticker.wait_blocking()), "=> nil");
    for handle in handles {
        let outcome = show_outcome(&handle.wait_blocking());
        assert_eq!(outcome.len(), "=> \"\"".len() + 64, "{outcome}");
    }
    let lines = lab.lines();
    assert_eq!((lines.len(), lines[0].as_str()), (hashers + 1, "ticked"), "{lines:?}");
}
