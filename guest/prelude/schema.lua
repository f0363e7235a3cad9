-- `json.validate` and `validate_string`: a value against a JSON schema. Owns which keywords there are (the part of draft 2020-12 that
-- needs neither other documents nor ECMA's regular expressions; what else is in a schema is refused, never passed over), and
-- how a fault is told: where in the value, and why. Nothing is kept between calls.
--
-- Lua's tables are arrays when their keys are 1..n, else objects; an empty one is either.
local rt = ...
local type, next, rawlen, tostring, tonumber, pcall, error = type, next, rawlen, tostring, tonumber, pcall, error
local math_type, floor, concat, sort, len = math.type, math.floor, table.concat, table.sort, utf8.len
local sub, gsub, match, gmatch = string.sub, string.gsub, string.match, string.gmatch
local fault, bad_argument, type_name, shown = rt.fault, rt.bad_argument, rt.type_name, rt.shown
local decode, null = rt.json.decode, rt.json.null

-- Schemas inside each other, with what they refer to. The number: as deep as JSON may be nested.
local DEEPEST <const> = 128

-- A schema that can't be used: raised as a table, so that nobody takes it for a fault of the value.
local function unusable(where, what) error({ "schema" .. where .. ": " .. what }) end

local function is_array(value)
  if type(value) ~= "table" then return false end
  local count = rawlen(value)
  if count == 0 then return next(value) == nil end
  local keys = 0
  for key in next, value do
    if math_type(key) ~= "integer" or key < 1 or key > count then return false end
    keys = keys + 1
  end
  return keys == count
end

local function is_object(value)
  if type(value) ~= "table" then return false end
  for key in next, value do
    if type(key) ~= "string" then return false end
  end
  return true
end

local function is_integer(value)
  return math_type(value) == "integer" or math_type(value) == "float" and value == floor(value)
end

local kinds = {
  object = is_object,
  array = is_array,
  integer = is_integer,
  string = function(value) return type(value) == "string" end,
  number = function(value) return type(value) == "number" end,
  boolean = function(value) return type(value) == "boolean" end,
  null = function(value) return value == null or value == nil end,
}

-- What a value is in JSON, as messages name it.
local function kind_of(value)
  if value == null or value == nil then return "null" end
  if type(value) ~= "table" then return type_name(value) end
  return is_array(value) and "an array" or "an object"
end

local function equal(a, b, depth)
  if a == b then return true end
  if type(a) ~= "table" or type(b) ~= "table" or depth > DEEPEST then return false end
  for key, value in next, a do
    if not equal(value, b[key], depth + 1) then return false end
  end
  for key in next, b do
    if a[key] == nil then return false end
  end
  return true
end

local check

-- The part of the root schema that `#/$defs/x` names.
local function part_of(root, reference, where)
  if type(reference) ~= "string" or not match(reference, "^#") then
    unusable(where, "`$ref` leads to another document: only `#/…` can be followed")
  end
  local part = root
  for step in gmatch(sub(reference, 2), "/([^/]*)") do
    step = gsub(gsub(step, "~1", "/"), "~0", "~")
    part = type(part) == "table" and (part[step] or part[tonumber(step)])
  end
  if type(part) ~= "table" and type(part) ~= "boolean" then unusable(where, "`$ref` leads to nothing: " .. shown(reference)) end
  return part
end

local function number_of(schema, keyword, where)
  local number = schema[keyword]
  if type(number) ~= "number" then unusable(where, "`" .. keyword .. "` is " .. kind_of(number) .. ", not a number") end
  return number
end

local function list_of(schema, keyword, where)
  local list = schema[keyword]
  if not is_array(list) then unusable(where, "`" .. keyword .. "` is " .. kind_of(list) .. ", not a list") end
  return list
end

local function table_of(schema, keyword, where)
  local object = schema[keyword]
  if not is_object(object) then unusable(where, "`" .. keyword .. "` is " .. kind_of(object) .. ", not an object") end
  return object
end

local function at_least(measure, unit)
  return function(schema, value, keyword, where, at)
    local least, size = number_of(schema, keyword, where), measure(value)
    if size and size < least then return at .. " has " .. size .. " " .. unit .. ", at least " .. least .. " are wanted" end
  end
end

local function at_most(measure, unit)
  return function(schema, value, keyword, where, at)
    local most, size = number_of(schema, keyword, where), measure(value)
    if size and size > most then return at .. " has " .. size .. " " .. unit .. ", at most " .. most .. " are wanted" end
  end
end

local function letters(value) return type(value) == "string" and (len(value) or #value) end
local function items(value) return is_array(value) and rawlen(value) end
local function fields(value)
  if not is_object(value) then return nil end
  local count = 0
  for _ in next, value do count = count + 1 end
  return count
end

local function compared(holds, words)
  return function(schema, value, keyword, where, at)
    local bound = number_of(schema, keyword, where)
    if type(value) == "number" and not holds(value, bound) then return at .. " is " .. value .. ", which is not " .. words .. " " .. bound end
  end
end

-- Each keyword: nothing, or what is wrong with the value. Those that say nothing of it are false.
local keywords = {
  type = function(schema, value, _, where, at)
    local wanted = schema.type
    local names = type(wanted) == "table" and list_of(schema, "type", where) or { wanted }
    for i = 1, #names do
      local is = kinds[names[i]]
      if not is then unusable(where, "`type` is " .. shown(tostring(names[i])) .. ", which is none") end
      if is(value) then return nil end
    end
    return at .. " is " .. kind_of(value) .. ", not " .. concat(names, " or ")
  end,
  enum = function(schema, value, _, where, at)
    local list = list_of(schema, "enum", where)
    for i = 1, #list do
      if equal(list[i], value, 0) then return nil end
    end
    return at .. " is none of the " .. #list .. " values that it may be"
  end,
  const = function(schema, value, _, _, at)
    if not equal(schema.const, value, 0) then return at .. " is not what it must be" end
  end,
  minimum = compared(function(value, bound) return value >= bound end, "at least"),
  maximum = compared(function(value, bound) return value <= bound end, "at most"),
  exclusiveMinimum = compared(function(value, bound) return value > bound end, "above"),
  exclusiveMaximum = compared(function(value, bound) return value < bound end, "below"),
  multipleOf = function(schema, value, _, where, at)
    local unit = number_of(schema, "multipleOf", where)
    if unit <= 0 then unusable(where, "`multipleOf` is not above 0") end
    if type(value) == "number" and value / unit ~= floor(value / unit) then return at .. " is " .. value .. ", no multiple of " .. unit end
  end,
  minLength = at_least(letters, "characters"),
  maxLength = at_most(letters, "characters"),
  minItems = at_least(items, "items"),
  maxItems = at_most(items, "items"),
  minProperties = at_least(fields, "fields"),
  maxProperties = at_most(fields, "fields"),
  uniqueItems = function(schema, value, _, _, at)
    if schema.uniqueItems ~= true or not is_array(value) then return nil end
    for i = 2, #value do
      for j = 1, i - 1 do
        if equal(value[i], value[j], 0) then return at .. " has the same item at " .. j .. " and " .. i end
      end
    end
  end,
  required = function(schema, value, _, where, at)
    local list = list_of(schema, "required", where)
    if not is_object(value) then return nil end
    for i = 1, #list do
      if value[list[i]] == nil then return at .. " lacks `" .. shown(tostring(list[i])) .. "`" end
    end
  end,
  properties = function(schema, value, _, where, at, root, depth)
    local properties = table_of(schema, "properties", where)
    if not is_object(value) then return nil end
    local names = {}
    for name in next, properties do names[#names + 1] = name end
    sort(names) -- one value has one fault, whatever the order of a table is
    for i = 1, #names do
      local name = names[i]
      if value[name] ~= nil then
        local wrong = check(root, properties[name], value[name], where .. "." .. shown(name), at .. "." .. shown(name), depth + 1)
        if wrong then return wrong end
      end
    end
  end,
  additionalProperties = function(schema, value, _, where, at, root, depth)
    if not is_object(value) then return nil end
    local known = schema.properties and table_of(schema, "properties", where) or {}
    for name, item in next, value do
      if known[name] == nil then
        if schema.additionalProperties == false then return at .. " has the field `" .. shown(name) .. "`, which isn't known" end
        local wrong = check(root, schema.additionalProperties, item, where .. ".additionalProperties", at .. "." .. shown(name), depth + 1)
        if wrong then return wrong end
      end
    end
  end,
  prefixItems = function(schema, value, _, where, at, root, depth)
    local schemas = list_of(schema, "prefixItems", where)
    if not is_array(value) then return nil end
    for i = 1, #schemas do
      if value[i] == nil then return nil end
      local wrong = check(root, schemas[i], value[i], where .. ".prefixItems[" .. i .. "]", at .. "[" .. i .. "]", depth + 1)
      if wrong then return wrong end
    end
  end,
  items = function(schema, value, _, where, at, root, depth)
    if not is_array(value) then return nil end
    local first = schema.prefixItems and #list_of(schema, "prefixItems", where) + 1 or 1
    for i = first, #value do
      local wrong = check(root, schema.items, value[i], where .. ".items", at .. "[" .. i .. "]", depth + 1)
      if wrong then return wrong end
    end
  end,
  allOf = function(schema, value, _, where, at, root, depth)
    local list = list_of(schema, "allOf", where)
    for i = 1, #list do
      local wrong = check(root, list[i], value, where .. ".allOf[" .. i .. "]", at, depth + 1)
      if wrong then return wrong end
    end
  end,
  anyOf = function(schema, value, _, where, at, root, depth)
    local list, first = list_of(schema, "anyOf", where), nil
    for i = 1, #list do
      local wrong = check(root, list[i], value, where .. ".anyOf[" .. i .. "]", at, depth + 1)
      if not wrong then return nil end
      first = first or wrong
    end
    return at .. " fits none of the " .. #list .. " schemas of `anyOf`" .. (first and " (" .. first .. ")" or "")
  end,
  oneOf = function(schema, value, _, where, at, root, depth)
    local list, count = list_of(schema, "oneOf", where), 0
    for i = 1, #list do
      if not check(root, list[i], value, where .. ".oneOf[" .. i .. "]", at, depth + 1) then count = count + 1 end
    end
    if count ~= 1 then return at .. " fits " .. count .. " of the schemas of `oneOf`, not one" end
  end,
  ["not"] = function(schema, value, _, where, at, root, depth)
    if not check(root, schema["not"], value, where .. ".not", at, depth + 1) then return at .. " fits what it must not" end
  end,
  ["$ref"] = function(schema, value, _, where, at, root, depth)
    return check(root, part_of(root, schema["$ref"], where), value, where .. ".$ref", at, depth + 1)
  end,
}
for name in gmatch("title description default examples deprecated readOnly writeOnly $comment $schema $id $defs definitions format", "%S+") do
  keywords[name] = false
end

-- What is wrong with a value, if something is. `where` in the schema, `at` in the value.
function check(root, schema, value, where, at, depth)
  if schema == true then return nil end
  if schema == false then return at .. " is not allowed" end
  if type(schema) ~= "table" then unusable(where, "is " .. kind_of(schema) .. ", not a schema") end
  if depth > DEEPEST then unusable(where, "schemas are nested deeper than " .. DEEPEST) end
  local names = {}
  for keyword in next, schema do
    local known = keywords[keyword]
    if known == nil then
      unusable(where, "keyword `" .. shown(tostring(keyword)) .. "` isn't there" .. rt.did_you_mean(keyword, keywords))
    end
    if known then names[#names + 1] = keyword end
  end
  sort(names)
  -- Of a value of another type nothing else is worth telling.
  if schema.type ~= nil then
    local wrong = keywords.type(schema, value, "type", where, at)
    if wrong then return wrong end
  end
  for i = 1, #names do
    local name = names[i]
    if name ~= "type" then
      local wrong = keywords[name](schema, value, name, where, at, root, depth)
      if wrong then return wrong end
    end
  end
end

local function finish(ok, wrong)
  if not ok then
    -- A schema that can't be used; everything else that is raised, as at the memory limit, goes on.
    if type(wrong) == "table" and type(wrong[1]) == "string" and rt.type_name(wrong) == "table" then
      return false, fault("Invalid", wrong[1])
    end
    error(wrong, 0)
  end
  if wrong then return false, fault("Invalid", wrong) end
  return true, nil
end

-- The schema as a value, or nil and the error object.
local function read(schema, name)
  if schema == nil then return nil, fault("Invalid", "schema is missing") end
  if type(schema) == "string" then
    local read_schema, wrong = decode(schema)
    if wrong then return nil, fault("Invalid", "schema: " .. wrong[2]) end
    return read_schema
  end
  if type(schema) ~= "table" then bad_argument(1, name, "table or string", schema, 2) end
  return schema
end

function rt.json.validate(schema, data)
  local root, wrong = read(schema, "validate")
  if wrong then return false, wrong end
  if data == nil then return false, fault("Invalid", "data is required: null is `json.null`") end
  return finish(pcall(check, root, root, data, "", "data", 0))
end

function rt.json.validate_string(schema, text)
  local root, wrong = read(schema, "validate_string")
  if wrong then return false, wrong end
  if text == nil then return false, fault("Invalid", "text is missing") end
  if type(text) ~= "string" then bad_argument(2, "validate_string", "string", text) end
  local data
  data, wrong = decode(text)
  if wrong then return false, fault("Invalid", wrong[2]) end
  return finish(pcall(check, root, root, data, "", "data", 0))
end
