//! The dead are silent: once a process has been terminated, nothing that it does has any effect.

use lunarium_tests::{Lab, transcript};

/// A sender that is terminated while it sends as fast as it can: nothing of it comes after what its killer sends itself.
#[test]
fn nothing_of_a_terminated_sender_arrives() {
    let script = r#"
        return { main = function()
            local late, ready = 0, 0
            for round = 1, 40 do
                local topic = "round " .. round
                local ch = process.listen(topic)
                local sender = assert(process.spawn("app:sender", "app:processes", process.pid(), topic))
                ch:receive()
                assert(process.terminate(sender))
                assert(process.send(process.pid(), topic, "marker"))
                while ch:receive() ~= "marker" do ready = ready + 1 end
                -- What comes later would be here after two turns of everybody.
                time.sleep("2ms")
                while not channel.select({ ch:case_receive(), default = true }).default do late = late + 1 end
                process.unlisten(ch)
            end
            print(late, ready > 0)
        end }
        -- entry: sender
        return { main = function(to, topic) while true do process.send(to, topic, "again") end end }
    "#;
    assert_eq!(transcript(script), "0\ttrue\n=> nil\n");
}

/// What the dead print, log and write: at most the call under way when it ended.
#[test]
fn a_terminated_process_prints_logs_and_names_nothing() {
    let lab = Lab::default();
    lab.define(
        r#"
        return { main = function()
            for round = 1, 20 do
                local ch = process.listen("ready")
                local talker = assert(process.spawn("app:talker", "app:processes", process.pid()))
                ch:receive()
                assert(process.terminate(talker))
                print("ended " .. talker)
                process.unlisten(ch)
            end
        end }
        -- entry: talker
        return { main = function(to)
            process.send(to, "ready")
            while true do
                print("talker " .. process.pid())
                process.registry.register("name of " .. process.pid())
            end
        end }
        "#,
    );
    let outcome = lab.spawn("main", Vec::new()).wait_blocking();
    assert!(outcome.failure().is_none(), "{outcome:?}");
    lab.settle();
    let lines = lab.printed();
    for (place, line) in lines.iter().enumerate() {
        let Some(pid) = line.strip_prefix("ended ") else { continue };
        let talked = lines[place..].iter().filter(|line| **line == format!("talker {pid}")).count();
        assert!(talked <= 1, "{pid} printed {talked} lines after its end");
    }
}
