---@meta json

--- JSON, both ways. Integers and floats are kept apart: `1` and `1.0`.
---@class jsonlib
---@field null userdata JSON's `null`, where a value must stand: in a table, `nil` would be no entry
json = {}

--- The JSON text of a value. A table whose keys are exactly 1 to n is an array; an empty table is `{}`; a table with other
--- keys is an object, whose keys must be strings. A table used twice is written twice.
---
--- Errors:
--- * `INVALID`: a value that JSON can't hold: a function, a coroutine, other objects, not-a-number, an infinity, a string
---   that isn't UTF-8, a key that isn't a string, a table inside itself or nested too deep. The message says where it
---   stands
---
--- ```lua
--- print(json.encode({ 1, 2.0, "three", true, json.null })) --> [1,2.0,"three",true,null] nil
--- print((json.encode({ name = "Ada" }))) --> {"name":"Ada"}
--- print((json.encode({}))) --> {}
---
--- local text, err = json.encode({ handlers = { print } })
--- print(text, err:kind() == errors.INVALID) --> nil true
--- ```
---@param value any
---@return string? text
---@return errors.Error? err
---@nodiscard
function json.encode(value) end

--- The value of a JSON text. `null` is `json.null`. An integer beyond 64 bits becomes a float. Of a key that stands twice,
--- the last holds.
---
--- Errors:
--- * `INVALID`: the text is missing, or not JSON; the message says line and column; nested too deep
---
--- ```lua
--- local order = json.decode('{"id": 7, "items": ["tea", "milk"], "note": null}')
--- print(order.id, #order.items, order.items[2], order.note == json.null) --> 7 2 milk true
---
--- local value, err = json.decode('{"id": }')
--- print(value, err:kind() == errors.INVALID) --> nil true
--- ```
---@param text string
---@return any value
---@return errors.Error? err
---@nodiscard
function json.decode(text) end

return json
