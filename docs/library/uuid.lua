---@meta uuid

--- Identifiers that nobody else has (RFC 9562). Their chance is that of `random.bytes`.
---@class uuidlib
uuid = {}

--- A random one: it tells nothing.
---
--- ```lua
--- print(uuid.parse(uuid.v4()).version) --> 4
--- ```
---@return string uuid
---@nodiscard
function uuid.v4() end

--- One that begins with the time, so that they sort by it: good keys for a database. Those of one process are in the order in
--- which they were made, whatever the clock does. It tells when it was made.
---
--- ```lua
--- local first, second = uuid.v7(), uuid.v7()
--- print(first < second) --> true
--- ```
---@return string uuid
---@nodiscard
function uuid.v7() end

--- Whether a value is the text of a UUID, in a form that `uuid.parse` reads.
---
--- ```lua
--- print((uuid.validate("0190163d-8694-739b-aea5-966c26f8ad91"))) --> true
--- print((uuid.validate("0190163d"))) --> false
--- ```
---@param value any
---@return boolean valid
---@nodiscard
function uuid.validate(value) end

--- What a UUID tells. With hyphens or without, in braces, or as `urn:uuid:…`; large and small letters are the same.
---
--- Errors:
--- * `INVALID`: the text is missing, or not a UUID
---
--- ```lua
--- local id = uuid.parse("{0190163D-8694-739B-AEA5-966C26F8AD91}")
--- print(id.text, id.version, id.timestamp) --> 0190163d-8694-739b-aea5-966c26f8ad91 7 1718360049
---
--- print(uuid.parse("1234")) --> nil `1234` is not a UUID
--- ```
---@param text string
---@return uuid.Parts? parts
---@return errors.Error? err
---@nodiscard
function uuid.parse(text) end

--- What `uuid.parse` gives.
---@class uuid.Parts
---@field text string the usual form, in small letters
---@field version? integer 1 to 8; none where the layout isn't that of RFC 9562
---@field timestamp? integer of version 7: when it was made, in Unix seconds
local parts = {}

return uuid
