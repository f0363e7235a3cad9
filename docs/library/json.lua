---@meta json

--- JSON, both ways. Integers and floats are kept apart: `1` and `1.0`.
---@class jsonlib
---@field null userdata JSON's `null`, where a value must stand: in a table, `nil` would be no entry. It prints as `null` and can be sent
json = {}

--- The JSON text of a value. A table whose keys are exactly 1 to n is an array; an empty table is `{}`; a table whose keys are
--- strings is an object, in the order of its keys. A table used twice is written twice. Error objects, Time and Duration are
--- written as their text; `nil` alone is `null`. Metatables are not asked.
---
--- Errors:
--- * `INVALID`: a value that JSON can't hold: a function, a coroutine, another object, not-a-number, an infinity, a string
---   that isn't UTF-8, an array with holes, keys of several types, a table inside itself, more than 128 deep. The message
---   says where it stands
---
--- ```lua
--- print(json.encode({ 1, 2.0, "three", true, json.null })) --> [1,2.0,"three",true,null] nil
--- print((json.encode({ name = "Ada", age = 36 }))) --> {"age":36,"name":"Ada"}
--- print((json.encode({}))) --> {}
--- print(json.encode({ handlers = { "a", print } })) --> nil value.handlers[2] is a function
---
--- print((json.encode({ name = "Ada" }, { indent = 2 })))
--- --> {
--- -->   "name": "Ada"
--- --> }
--- ```
---@param value any
---@param options? json.EncodeOptions
---@return string? text
---@return errors.Error? err
---@nodiscard
function json.encode(value, options) end

--- Options of `json.encode`.
---@class json.EncodeOptions
---@field indent? boolean|integer spread over lines, with this many spaces, 1 to 16; `true` is 2
local encode_options = {}

--- The value of a JSON text. `null` is `json.null`. An integer beyond 64 bits becomes a float. Of a key that stands twice,
--- the last holds.
---
--- Errors:
--- * `INVALID`: the text is missing, or not JSON, or more than 128 deep; the message says line and column
---
--- ```lua
--- local order = json.decode('{"id": 7, "items": ["tea", "milk"], "note": null}')
--- print(order.id, #order.items, order.items[2], order.note == json.null) --> 7 2 milk true
---
--- local value, err = json.decode('[1,]')
--- print(value, err) --> nil trailing comma at line 1 column 4
--- ```
---@param text string
---@return any value
---@return errors.Error? err
---@nodiscard
function json.decode(text) end

--- Whether a value is what a JSON schema says: `true`, or `false` and what is wrong with it and where.
---
--- The schema is a table, or its JSON text. Keywords are those of draft 2020-12 that need neither other documents nor regular
--- expressions: `type enum const`, `minimum maximum exclusiveMinimum exclusiveMaximum multipleOf`, `minLength maxLength`, `items
--- prefixItems minItems maxItems uniqueItems`, `properties required additionalProperties minProperties maxProperties`, `allOf
--- anyOf oneOf not`, `$ref` to a part of the same schema. `format` and descriptions say nothing. Any other keyword is refused.
---
--- Errors:
--- * `INVALID`: the value isn't so; the schema is unusable, the text then begins with `schema`; no schema, or no value
---
--- ```lua
--- local schema = { type = "object", properties = { name = { type = "string", minLength = 1 } }, required = { "name" } }
--- print(json.validate(schema, { name = "Ada" })) --> true nil
--- print(json.validate(schema, { name = 7 })) --> false data.name is number, not string
--- print(json.validate({ typ = "object" }, {})) --> false schema: keyword `typ` isn't there: did you mean `type`?
--- ```
---@param schema table|string
---@param value any
---@return boolean valid
---@return errors.Error? err
---@nodiscard
function json.validate(schema, value) end

--- The same for a JSON text.
---
--- Errors:
--- * `INVALID`: as for `json.validate`; the text is missing, or not JSON
---
--- ```lua
--- print(json.validate_string({ type = "array", maxItems = 2 }, "[1,2,3]")) --> false data has 3 items, at most 2 are wanted
--- ```
---@param schema table|string
---@param text string
---@return boolean valid
---@return errors.Error? err
---@nodiscard
function json.validate_string(schema, text) end

return json
