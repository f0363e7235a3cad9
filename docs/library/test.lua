---@meta test

--- Tests of scripts: cases, what is compared in them, and a clock of their own. `require("test")` finds it in files whose names end with
--- `_test.lua`, when `lunarium test` runs them. How tests are run and written: [Testing](../testing.md).
---
--- What doesn't hold raises an error with the line of the test. Values are compared by `==` in `eq` and `ne`, by their contents in `same`
--- and `contains`; a `note` stands before the message.
---@class testlib
local test = {}

-- # Cases

--- A case: it runs in a process of its own, which runs the whole file before. Cases of a file have different names, 1 to 200 bytes
--- long.
---
--- ```lua
--- local test = require("test")
--- test.case("lists keep their order", function()
---   local list = { "b", "a" }
---   table.sort(list)
---   test.same(list, { "a", "b" })
--- end)
--- ```
---@param name string
---@param f fun()
function test.case(name, f) end

--- A case that isn't run, and is told.
---
--- ```lua
--- local test = require("test")
--- test.skip("does what nobody has written yet", function() test.fail("not yet") end)
--- test.case("another", function() end)
--- ```
---@param name string
---@param f fun()
function test.skip(name, f) end

-- # What has to hold

--- Equal: `got == want`.
---
--- ```lua
--- local test = require("test")
--- test.case("numbers", function() test.eq(1 + 1, 2, "the sum") end)
--- ```
---@param got any
---@param want any
---@param note? string
function test.eq(got, want, note) end

--- Not equal.
---
--- ```lua
--- local test = require("test")
--- test.case("tables are their own", function() test.ne({}, {}) end)
--- ```
---@param got any
---@param other any
---@param note? string
function test.ne(got, other, note) end

--- Tables with the same keys and the same values, however deep. A failure shows which lines of both differ. What has a metatable,
--- such as an error or a duration, is compared by `==`.
---
--- ```lua
--- local test = require("test")
--- test.case("orders", function()
---   test.same({ item = "tea", counts = { 1, 2 } }, { counts = { 1, 2 }, item = "tea" })
--- end)
--- ```
---@param got any
---@param want any
---@param note? string
function test.same(got, want, note) end

--- A text that contains another, a table that contains a value.
---
--- ```lua
--- local test = require("test")
--- test.case("parts", function()
---   test.contains("two words", "word")
---   test.contains({ "a", { 1 } }, { 1 })
--- end)
--- ```
---@param whole any
---@param part any
---@param note? string
function test.contains(whole, part, note) end

--- Neither nil nor false; a failure tells the second value, as `nil, err` has it. All values are returned.
---
--- ```lua
--- local test = require("test")
--- test.case("sends", function() test.ok(process.send(process.pid(), "topic", 1)) end)
--- ```
---@param ... any
---@return any ...
function test.ok(...) end

--- `nil, err` or `false, err`, of this kind (nil: of any). The error is returned.
---
--- ```lua
--- local test = require("test")
--- test.case("nobody is there", function()
---   local err = test.fails(errors.NOT_FOUND, process.send("nobody", "topic"))
---   test.eq(err:retryable(), false)
--- end)
--- ```
---@param kind string?
---@param ... any
---@return any err
function test.fails(kind, ...) end

--- A function that raises an error, whose text contains `text`. The error is returned. What follows are the function's arguments.
---
--- ```lua
--- local test = require("test")
--- test.case("wrong types", function() test.raises(string.rep, "bad argument #2", "x", {}) end)
--- ```
---@param f function
---@param text? string
---@param ... any
---@return any err
function test.raises(f, text, ...) end

--- The case has failed.
---
--- ```lua
--- local test = require("test")
--- test.case("is never reached", function()
---   if process.pid() == "" then test.fail("a process without a pid") end
--- end)
--- ```
---@param message? string
function test.fail(message) end

-- # Time

--- Lets time go on by so much, for every process of the case: from one timer to the next in the order of their times, and what each
--- leads to has happened before the clock moves again. A number is milliseconds.
---
--- ```lua
--- local test = require("test")
--- test.case("an hour is nothing", function()
---   local rang = false
---   coroutine.spawn(function() time.sleep("1h") rang = true end)
---   test.advance("59m")
---   test.eq(rang, false)
---   test.advance("1m")
---   test.eq(rang, true)
--- end)
--- ```
---@param duration string|integer|time.Duration
function test.advance(duration) end

--- Waits until all that can happen now has happened: every process waits. No time goes by.
---
--- ```lua
--- local test = require("test")
--- test.case("both have run", function()
---   local done = 0
---   for _ = 1, 2 do coroutine.spawn(function() done = done + 1 end) end
---   test.settle()
---   test.eq(done, 2)
--- end)
--- ```
function test.settle() end

-- # Processes

--- Starts a process of the application, as the command would: without a parent, on the application's first host, with that host's
--- actor and scope. What keeps it from starting is raised.
---
--- ```lua
--- local test = require("test")
--- test.case("greets", function()
---   local greeter = test.spawn("app:greeter", "Ada")
---   test.eq(greeter:wait(), 3)
---   test.same(greeter:output(), { "hello, Ada" })
--- end)
--- ```
---@param entry string
---@param ... any
---@return test.Process
function test.spawn(entry, ...) end

--- The same on another host.
---
--- ```lua
--- local test = require("test")
--- test.case("greets", function()
---   test.eq(test.spawn_on("app:processes", "app:greeter", "Ada"):wait(), 3)
--- end)
--- ```
---@param host string
---@param entry string
---@param ... any
---@return test.Process
function test.spawn_on(host, entry, ...) end

--- The lines that all processes of the case have printed, up to 256 KiB with what they have logged.
---
--- ```lua
--- local test = require("test")
--- test.case("prints", function()
---   print("one", 2)
---   test.same(test.output(), { "one\t2" })
--- end)
--- ```
---@return string[]
function test.output() end

--- What all processes of the case have logged. Fields keep their types: numbers, booleans and tables are themselves, all else is text.
---
--- ```lua
--- local test = require("test")
--- test.case("logs", function()
---   logger:warn("low", { left = 3 })
---   local line = test.logs()[1]
---   test.eq(line.level .. ": " .. line.message, "warn: low")
---   test.eq(line.fields.left, 3)
--- end)
--- ```
---@return { pid: string, level: string, message: string, fields: table<string, any> }[]
function test.logs() end

--- A process that `test.spawn` has started.
---@class test.Process
---@field pid string
local started = {}

--- Waits for its end: its result, or nil and how it failed. Time goes on meanwhile, as nobody else moves it.
---
--- ```lua
--- local test = require("test")
--- test.case("ends", function() test.eq(test.spawn("app:greeter", "Ada"):wait(), 3) end)
--- ```
---@return any result
---@return errors.Error? err
function started:wait() end

--- `process.send` to it.
---
--- ```lua
--- local test = require("test")
--- test.case("takes messages", function() test.ok(test.spawn("app:doubler"):send("topic", 1)) end)
--- ```
---@param topic string
---@param ... any
---@return boolean? ok
---@return errors.Error? err
function started:send(topic, ...) end

--- `process.call` of it.
---
--- ```lua
--- local test = require("test")
--- test.case("answers", function()
---   test.eq(test.spawn("app:doubler"):call("double", 4), 8)
--- end)
--- ```
---@param name string
---@param ... any
---@return any ...
function started:call(name, ...) end

--- Asks it to end: a CANCEL event. With a deadline it is terminated when it is still there then.
---
--- ```lua
--- local test = require("test")
--- test.case("can be asked", function()
---   local doubler = test.spawn("app:doubler")
---   doubler:cancel("1s")
---   test.eq(doubler:wait(), nil)
---   test.eq(doubler:is_alive(), false)
--- end)
--- ```
---@param deadline? string|integer|time.Duration
---@return boolean? ok
---@return errors.Error? err
function started:cancel(deadline) end

--- Ends it by force.
---
--- ```lua
--- local test = require("test")
--- test.case("is ended", function()
---   local doubler = test.spawn("app:doubler")
---   doubler:terminate()
---   test.fails(errors.CANCELED, doubler:wait())
--- end)
--- ```
---@return boolean? ok
---@return errors.Error? err
function started:terminate() end

--- Whether it hasn't ended.
---
--- ```lua
--- local test = require("test")
--- test.case("lives", function()
---   local doubler = test.spawn("app:doubler")
---   test.eq(doubler:is_alive(), true)
---   doubler:terminate()
---   test.eq(doubler:is_alive(), false)
--- end)
--- ```
---@return boolean
function started:is_alive() end

--- The lines that it has printed.
---
--- ```lua
--- local test = require("test")
--- test.case("prints", function()
---   local greeter = test.spawn("app:greeter", "Ada")
---   greeter:wait()
---   test.same(greeter:output(), { "hello, Ada" })
--- end)
--- ```
---@return string[]
function started:output() end

--- What it has logged, as `test.logs` gives it.
---
--- ```lua
--- local test = require("test")
--- test.case("logs nothing", function()
---   local greeter = test.spawn("app:greeter", "Ada")
---   greeter:wait()
---   test.same(greeter:logs(), {})
--- end)
--- ```
---@return { pid: string, level: string, message: string, fields: table<string, any> }[]
function started:logs() end

-- # Modules

--- Gives the case a module in place of the real one, for every process that is granted it: its functions run in the case's process,
--- each call in a coroutine of its own. A module that isn't given isn't there: no test reaches the world outside.
---
--- Errors raised: a name that can't be a module's, or is the runtime's; what is no function.
---
--- ```lua
--- local test = require("test")
--- test.case("without a server", function()
---   test.module("http", {
---     get = function(url) return { status = 200, body = "from " .. url } end,
---   })
---   test.raises(function() test.module("process", {}) end, "taken")
--- end)
--- ```
---@param name string
---@param functions table<string, function>
function test.module(name, functions) end

return test
