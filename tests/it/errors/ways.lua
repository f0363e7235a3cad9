-- Every way an error object can go, each a function from the error to what arrives. `main.lua` is put around it.
local ways = {
    { "pcall and error", function(err) return select(2, pcall(error, err)) end },
    { "raised again", function(err) return select(2, pcall(function() error(select(2, pcall(error, err))) end)) end },
    { "raised with a level", function(err) return select(2, pcall(error, err, 2)) end },
    { "assert", function(err) return select(2, pcall(assert, nil, err)) end },
    { "the handler of xpcall", function(err)
        local seen
        xpcall(error, function(e) seen = e end, err)
        return seen
    end },
    { "xpcall", function(err) return select(2, xpcall(error, function(e) return e end, err)) end },
    { "coroutine.resume", function(err) return select(2, coroutine.resume(coroutine.create(error), err)) end },
    { "coroutine.close", function(err)
        local co = coroutine.create(function()
            local _ <close> = setmetatable({}, { __close = function() error(err) end })
            coroutine.yield()
        end)
        coroutine.resume(co)
        return select(2, coroutine.close(co))
    end },
    { "coroutine.wrap after a wait", function(err)
        return select(2, pcall(coroutine.wrap(function() time.sleep(0) error(err) end)))
    end },
    { "coroutine.yield", function(err) return coroutine.wrap(function() coroutine.yield(err) end)() end },
    { "the argument of coroutine.spawn", function(err)
        local ch = channel.new(1)
        coroutine.spawn(function(e) time.sleep(0) ch:send(e) end, err)
        return (ch:receive())
    end },
    { "__close", function(err)
        local seen
        pcall(function()
            local _ <close> = setmetatable({}, { __close = function(_, e) seen = e end })
            error(err)
        end)
        return seen
    end },
    { "a buffered channel", function(err)
        local ch = channel.new(1)
        ch:send(err)
        return (ch:receive())
    end },
    { "a channel", function(err)
        local ch = channel.new()
        coroutine.spawn(function() ch:send(err) end)
        return (ch:receive())
    end },
    { "select", function(err)
        local ch = channel.new(1)
        channel.select { ch:case_send(err) }
        return channel.select { ch:case_receive() }.value
    end },
    { "send to a listener", function(err)
        process.send(process.pid(), "heard", err)
        return (process.listen("heard"):receive())
    end },
    { "send inside a table", function(err)
        process.send(process.pid(), "heard", { deep = { err } })
        return process.listen("heard"):receive().deep[1]
    end },
    { "send beside others", function(err)
        process.send(process.pid(), "heard", 1, err)
        return process.listen("heard"):receive()[2]
    end },
    { "send to the inbox", function(err)
        process.send(process.pid(), "t", err)
        return process.inbox():receive():payload()
    end },
    { "a payload sent on without a call", function(err)
        process.send(process.pid(), "t", err)
        process.send(process.pid(), "heard", process.inbox():receive().payload)
        return (process.listen("heard"):receive())
    end },
    { "there and back", function(err)
        process.send(spawn("echoes"), "t", err)
        return process.inbox():receive():payload()
    end },
    { "an argument of spawn, a result", function(err) return exit_of("gives", err).result.value end },
    { "inside a result", function(err) return exit_of("gives", { deep = { err } }).result.value.deep[1] end },
    { "false, err: the event's error", function(err) return exit_of("gives", false, err).error end },
    { "nil, err: the result's error", function(err) return exit_of("gives", nil, err).result.error end },
    { "raised: the event's error", function(err) return exit_of("raises", err).error end },
    { "raised: the result's error", function(err) return exit_of("raises", err).result.error end },
    { "raised by another coroutine", function(err) return exit_of("raises_beside", err).error end },
    { "raised beneath a callback", function(err) return exit_of("raises_below", err).error end },
    { "LINK_DOWN's error", function(err) return down_of("raises", err).error end },
    { "LINK_DOWN's result", function(err) return down_of("raises", err).result.error end },
    { "LINK_DOWN of false, err", function(err) return down_of("gives", false, err).error end },
    { "a result of exec", function(err) return (process.exec("app:gives", "app:processes", err)) end },
    { "exec of false, err", function(err) return select(2, process.exec("app:gives", "app:processes", false, err)) end },
    { "exec of who raises", function(err) return select(2, process.exec("app:raises", "app:processes", err)) end },
    { "exec of who execs", function(err)
        return select(2, process.exec("app:execs", "app:processes", "app:raises", err))
    end },
    { "an argument of upgrade", function(err)
        return process.exec("app:upgrades", "app:processes", "app:gives", err)
    end },
    { "raised after an upgrade", function(err)
        return select(2, process.exec("app:upgrades", "app:processes", "app:raises", err))
    end },
    { "unread at an upgrade", function(err) return process.exec("app:leaves", "app:processes", err) end },
    { "an EXIT unread at an upgrade", function(err)
        return process.exec("app:leaves_events", "app:processes", err)
    end },
    { "a context value", function(err)
        process.with_context { err = err }:spawn_monitored("app:reads_context", "app:processes")
        return process.events():receive().result.value
    end },
    { "an inherited context value", function(err)
        process.with_context { err = err }
            :spawn_monitored("app:execs", "app:processes", "app:reads_context")
        return process.events():receive().result.value
    end },
    { "a spawner's first message", function(err)
        process.with_context {}:with_message("t", err):spawn_monitored("app:waits", "app:processes")
        return process.events():receive().result.value
    end },
    { "a spawner's message to a holder", function(err)
        local spawner = process.with_context {}:with_name("holder")
        spawner:spawn_monitored("app:waits", "app:processes")
        spawner:with_message("t", err):spawn("app:waits", "app:processes")
        return process.events():receive().result.value
    end },
    { "details of another error", function(err)
        local outer = errors.new { message = "outer", details = { inner = err } }
        process.send(process.pid(), "heard", outer)
        return process.listen("heard"):receive():details().inner
    end },
    { "details of an uncaught error", function(err)
        return exit_of("raises", errors.new { message = "outer", details = { err } }).error:details()[1]
    end },
    { "wrapped", function(err)
        local wrapped = errors.wrap(err, "more")
        assert(tostring(wrapped) == "more: " .. err and wrapped:message() == err:message())
        return errors.new { message = err:message(), kind = wrapped:kind(), retryable = wrapped:retryable(),
            details = wrapped:details() }, wrapped:stack()
    end },
    { "wrapped and raised elsewhere", function(err)
        local ended = exit_of("raises", errors.wrap(err, "more")).error
        assert(tostring(ended) == "more: " .. err)
        return errors.new { message = err:message(), kind = ended:kind(), retryable = ended:retryable(),
            details = ended:details() }, ended:stack()
    end },
}
