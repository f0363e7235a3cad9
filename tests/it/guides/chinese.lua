-- block: spawn
local pid, err = process.spawn("app.test.process:echo_worker", "app:processes", "hello")
if err then
return false, "spawn failed: " .. err
end
-- pid 是生成进程的字符串标识符
print("Started worker:", pid)
-- block: pid
local my_pid = process.pid()
-- 返回当前进程的字符串 PID
-- block: send
-- 通过 PID 发送到进程
local sent, err = process.send(worker_pid, "messages", "hello from parent")
if err then
return false, "send failed: " .. err
end
-- send 返回 (bool, error)
-- block: listen
-- 监听 "messages" 主题消息的 Worker
local function main()
local ch = process.listen("messages")
local msg = ch:receive()
if msg then
-- msg 直接是负载
print("Received:", msg)
return true
end
return false
end
return { main = main }
-- block: inbox
local function main()
local inbox_ch = process.inbox()
local specific_ch = process.listen("specific_topic")
while true do
local result = channel.select({
specific_ch:case_receive(),
inbox_ch:case_receive()
})
if result.channel == specific_ch then
-- 发送到 "specific_topic" 的消息到达这里
local payload = result.value
elseif result.channel == inbox_ch then
-- 发送到任何其他主题的消息到达这里
local msg = result.value
print("Inbox got:", msg.topic, msg.payload)
end
end
end
-- block: echo
-- 将消息回传给发送者的 Worker
local function main()
local ch = process.listen("echo", { message = true })
local msg = ch:receive()
if msg then
local sender = msg:from()
local payload = msg:payload()
if sender then
process.send(sender, "reply", payload)
end
return true
end
return false
end
return { main = main }
-- block: monitor
local events_ch = process.events()
local worker_pid, err = process.spawn_monitored(
"app.test.process:events_exit_worker",
"app:processes"
)
if err then
return false, "spawn failed: " .. err
end
-- 等待 EXIT 事件
local timeout = time.after("3s")
local result = channel.select {
events_ch:case_receive(),
timeout:case_receive(),
}
if result.channel == timeout then
return false, "timeout waiting for EXIT event"
end
local event = result.value
if event.kind == process.event.EXIT then
print("Worker exited:", event.from)
if event.error then
print("Exit error:", event.error)
end
-- 通过 event.result 访问返回值
end
-- block: monitor_later
local events_ch = process.events()
-- 不带监控的生成
local worker_pid, err = process.spawn("app.test.process:long_worker", "app:processes")
if err then
return false, "spawn failed: " .. err
end
-- 显式添加监控
local ok, monitor_err = process.monitor(worker_pid)
if monitor_err then
return false, "monitor failed: " .. monitor_err
end
-- 现在将接收此 worker 的 EXIT 事件
-- block: unmonitor
local ok, err = process.unmonitor(worker_pid)
-- block: spawn_linked
-- 如果父进程崩溃,子进程终止(除非设置了 trap_links)
local pid, err = process.spawn_linked("app.test.process:child_worker", "app:processes")
if err then
return false, "spawn_linked failed: " .. err
end
-- block: link
-- 链接到现有进程
local ok, err = process.link(target_pid)
if err then
return false, "link failed: " .. err
end
-- 取消链接
local ok, err = process.unlink(target_pid)
-- block: trap_links
local function main()
-- 启用 trap_links 以接收 LINK_DOWN 事件而不是崩溃
local ok, err = process.set_options({ trap_links = true })
if not ok then
return false, "set_options failed: " .. err
end
-- 验证 trap_links 已启用
local opts = process.get_options()
if not opts.trap_links then
return false, "trap_links should be true"
end
local events_ch = process.events()
-- 生成将失败的链接进程
local error_pid, err2 = process.spawn_linked(
"app.test.process:error_exit_worker",
"app:processes"
)
if err2 then
return false, "spawn error worker failed: " .. err2
end
-- 等待 LINK_DOWN 事件
local timeout = time.after("2s")
local result = channel.select {
events_ch:case_receive(),
timeout:case_receive(),
}
if result.channel == timeout then
return false, "timeout waiting for LINK_DOWN"
end
local event = result.value
if event.kind == process.event.LINK_DOWN then
print("Linked process died:", event.from)
-- 优雅处理而不是崩溃
return true
end
return false, "expected LINK_DOWN, got: " .. tostring(event.kind)
end
return { main = main }
-- block: register
local function main()
local test_name = "my_service_" .. tostring(os.time())
-- 为当前进程注册名称
local ok, err = process.registry.register(test_name)
if err then
return false, "register failed: " .. err
end
-- 查找注册的名称
local pid, lookup_err = process.registry.lookup(test_name)
if lookup_err then
return false, "lookup failed: " .. lookup_err
end
-- 验证它解析到我们的 PID
if pid ~= process.pid() then
return false, "lookup returned wrong pid"
end
return true
end
return { main = main }
-- block: unregister
-- 显式取消注册
local unregistered = process.registry.unregister(test_name)
if not unregistered then
print("Name was not registered")
end
-- 取消注册后查找返回 nil + error
local pid, err = process.registry.lookup(test_name)
-- pid 将是 nil,err 将是非 nil
-- block: pool
-- 父进程
local time = require("time")
local function main()
local events_ch = process.events()
-- 跟踪生成的 worker
local workers = {}
local worker_count = 5
-- 生成多个受监控的 worker
for i = 1, worker_count do
local worker_pid, err = process.spawn_monitored(
"app.test.process:task_worker",
"app:processes",
{ task_id = i, value = i * 10 }
)
if err then
return false, "spawn worker " .. i .. " failed: " .. err
end
workers[worker_pid] = { task_id = i, started = os.time() }
end
-- 等待所有 worker 完成
local completed = 0
local timeout = time.after("10s")
while completed < worker_count do
local result = channel.select {
events_ch:case_receive(),
timeout:case_receive(),
}
if result.channel == timeout then
return false, "timeout waiting for workers"
end
local event = result.value
if event.kind == process.event.EXIT then
local worker = workers[event.from]
if worker then
if event.error then
print("Worker " .. worker.task_id .. " failed:", event.error)
else
print("Worker " .. worker.task_id .. " completed:", event.result)
end
completed = completed + 1
end
end
end
return true
end
return { main = main }
-- block: pool_worker
-- task_worker.lua
local time = require("time")
local function main(task)
-- 模拟工作
time.sleep("100ms")
-- 处理任务
local result = task.value * 2
return result
end
return { main = main }
