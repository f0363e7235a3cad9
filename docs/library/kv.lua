---@meta kv

--- A store of keys and values that outlives processes. `require("kv")` finds it in a process whose entry or host has a
--- [grant](../kv.md#grants), and nothing else does: it is no global.
---
--- A key is text of 1 to 512 bytes, a value whatever [can be sent](../messages.md) but nil. What a call has answered is on the disk: no
--- crash takes it back. Each change gives its entry a new version, higher than every one before in the store, so a version is
--- never given twice, not even to a key that was deleted in between.
---
--- Every call waits (only its coroutine does) and raises [where one can't wait](coroutine.md), and for an argument of the wrong type. Writes of
--- one process come in their order. A write under way when its process ends is carried out as a whole or not at all.
---
--- All calls fail alike, beside what they say themselves: `INVALID` for a key that can't be one; `PERMISSION_DENIED` for one
--- that isn't granted; `UNAVAILABLE` when the disk fails or the node has no store; and those that write: `RESOURCE_EXHAUSTED`
--- when the store holds what it may (`details().limit` is `kv.bytes`) or the disk is full (`disk`, retryable), `RATE_LIMITED`
--- when too many writes wait (retryable).
---
--- What it counts, how it is kept and how to make a backup: [The store](../kv.md).
---@class kvlib
local kv = {}

--- A key's value; its version comes third.
---
--- Errors:
--- * `NOT_FOUND`: no such key, or it has expired
---
--- ```lua
--- local kv = require("kv")
--- kv.set("colours/1", { "red", "blue" })
--- local value, _, version = kv.get("colours/1")
--- print(value[2], version) --> blue 1
---
--- local none, err = kv.get("colours/2")
--- print(none, err:kind() == errors.NOT_FOUND) --> nil true
--- ```
---@param key string
---@return any value
---@return errors.Error? err
---@return integer? version
---@nodiscard
function kv.get(key) end

--- Sets a key's value. Without `ttl` it stays until it is deleted, also when it had a time before.
---
--- Errors:
--- * `INVALID`: the value is nil
--- * `CONFLICT`: the key doesn't have the version of `if_version`; `details().version` is what it has, 0 without a key
---
--- ```lua
--- local kv = require("kv")
--- local version = kv.set("users/7", { name = "Ada" }, { if_version = 0 })
--- print(version) --> 1
---
--- -- Somebody else was faster: read again, then try again.
--- local again, err = kv.set("users/7", { name = "Eva" }, { if_version = 0 })
--- print(again, err:kind() == errors.CONFLICT, err:details().version) --> nil true 1
---
--- kv.set("session/7", "token", { ttl = "30m" })
--- ```
---@param key string
---@param value any
---@param options? kv.Options
---@return integer? version
---@return errors.Error? err
function kv.set(key, value, options) end

--- What a write depends on, and what becomes of its entry.
---@class kv.Options
---@field ttl? string|integer|time.Duration after this time the key is gone; an integer is milliseconds
---@field if_version? integer only if the key has this version; 0: only if there is no such key
local options = {}

--- Takes a key away.
---
--- Errors:
--- * `CONFLICT`: as for `kv.set`
---
--- ```lua
--- local kv = require("kv")
--- kv.set("a", 1)
--- print(kv.delete("a"), kv.delete("a")) --> true false
--- ```
---@param key string
---@param options? { if_version?: integer }
---@return boolean? was_there
---@return errors.Error? err
function kv.delete(key, options) end

--- Adds to a key's integer, in one step. A key that isn't there counts as 0, and takes `ttl`; one that is there keeps the time that it
--- has, so a count with a `ttl` begins anew once in that time.
---
--- Errors:
--- * `INVALID`: the value is no integer (a float is none); the sum has more than 64 bits
--- * `CONFLICT`: as for `kv.set`
---
--- ```lua
--- local kv = require("kv")
--- print((kv.increment("visits"))) --> 1
--- print((kv.increment("visits", 41))) --> 42
--- print((kv.increment("requests/7", 1, { ttl = "1m" }))) --> 1
--- ```
---@param key string
---@param by? integer 1 by default
---@param options? kv.Options
---@return integer? sum
---@return errors.Error? err
---@return integer? version
function kv.increment(key, by, options) end

--- The keys that begin so, in the order of their bytes, with values and versions: a page, and where the next one begins. A page has 256 KiB
--- at most (or half of the limit `message`), but always one entry; it can be shorter than `limit`, or empty, where much has expired or is
--- large: only without `next` there is no more. Between two pages others may write.
---
--- Errors:
--- * `INVALID`: `limit` isn't from 1 to 1,000; the prefix is longer than 512 bytes
--- * `PERMISSION_DENIED`: the prefix isn't within a granted one
---
--- ```lua
--- local kv = require("kv")
--- for i = 1, 5 do kv.set("orders/" .. i, i * 10) end
--- local after
--- repeat
---     local page, err, next = kv.list("orders/", { limit = 2, after = after })
---     for _, entry in ipairs(assert(page, err)) do print(entry.key, entry.value, entry.version) end
---     after = next
--- until not after
--- --> orders/1 10 1
--- --> orders/2 20 2
--- --> orders/3 30 3
--- --> orders/4 40 4
--- --> orders/5 50 5
--- ```
---@param prefix string may be empty
---@param options? kv.Listing
---@return kv.Entry[]? page
---@return errors.Error? err
---@return string? next what `after` is for the next page; nil after the last
---@nodiscard
function kv.list(prefix, options) end

--- Which part of a list.
---@class kv.Listing
---@field limit? integer entries at most, up to 1,000; 100 by default
---@field after? string begin behind this key
---@field values? boolean with the values; true by default
local listing = {}

--- An entry of a page.
---@class kv.Entry
---@field key string
---@field value any nil without `values`, and where it is larger than a page of this process can be: `kv.get` has it
---@field version integer
local entry = {}

return kv
