local test = require("test")

test.case("answers whoever asks", function()
    local replies = process.listen("reply")
    local worker = test.spawn("app.test.process:echo_worker")
    worker:send("echo", { text = "again", list = { 1, 2 } })
    test.same(replies:receive(), { text = "again", list = { 1, 2 } })
    test.eq(worker:wait(), true)
end)
