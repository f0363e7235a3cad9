-- Values as text, for who looks at them at a prompt. Owns how much is shown of a value, whatever it is: nothing here runs long or makes
-- much, but for a `__tostring` of the script's own.
local load, type, next, pcall, tostring, rawlen, rawget = load, type, next, pcall, tostring, rawlen, rawget
local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local concat, sort, math_type, length = table.concat, table.sort, math.type, utf8.len

-- Results that are shown; tables inside of tables; fields of one table; of how many of its fields the names are looked at; bytes of a text, of a
-- name, and of all together; columns of a line.
local RESULTS <const>, DEEPEST <const>, FIELDS <const>, LOOKED <const> = 20, 6, 50, 10000
local TEXT <const>, NAME <const>, ALL <const>, WIDTH <const> = 1000, 100, 16384, 88

local NAMED = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function escaped(character) return NAMED[character] or format("\\x%02x", byte(character)) end

-- The beginning of a text, no character cut in two, and what is said of the rest.
local function beginning(text, most)
  if #text <= most then return text, "" end
  local last = most
  while last > most - 4 and last > 0 and find(sub(text, last + 1, last + 1), "[\x80-\xbf]") do last = last - 1 end
  return sub(text, 1, last), "… (" .. #text .. " bytes)"
end

-- Bytes that aren't UTF-8, and what would be control characters. What else can't be seen, who prints spells out.
local function bytes(run)
  if not length(run) then return (gsub(run, ".", escaped)) end
  return (gsub(run, "\xc2([\x80-\x9f])", function(second) return format("\\u{%x}", byte(second)) end))
end

local function quoted(text, most)
  local shown, rest = beginning(text, most)
  shown = gsub(gsub(shown, '[%c"\\]', escaped), "[\x80-\xff]+", bytes)
  return '"' .. shown .. '"' .. rest
end

local function order(a, b)
  local left, right = type(a), type(b)
  if left ~= right then return left < right end
  if left == "number" or left == "string" then return a < b end
  return false
end

return function(metatable)
  -- Bytes that may still be shown, and the tables around what is written.
  local left, around

  -- What an object says of itself; nil: it is a plain table.
  local function object(value)
    local meta = metatable(value)
    if not meta then return nil end
    local says = rawget(meta, "__tostring") ~= nil
    if type(value) == "table" and not says and rawget(meta, "__name") == nil then return nil end
    local ok, text = pcall(tostring, value)
    if not ok then return "<" .. type(value) .. " whose __tostring fails>" end
    local shown, rest = beginning(text, TEXT)
    return shown .. rest
  end

  local piece

  local function name_of(key)
    if type(key) == "string" then
      if #key <= NAME and find(key, "^[%a_][%w_]*$") and load("local " .. key) then return key end
      return "[" .. quoted(key, NAME) .. "]"
    end
    if type(key) == "table" then return "[" .. (object(key) or "table") .. "]" end
    return "[" .. (object(key) or tostring(key)) .. "]"
  end

  -- The fields that aren't in the list, in order, and whether there may be others.
  local function names(value, count)
    local keys, looked, key = {}, 0, next(value)
    while key ~= nil and looked < LOOKED do
      looked = looked + 1
      if not (math_type(key) == "integer" and key >= 1 and key <= count) then keys[#keys + 1] = key end
      key = next(value, key)
    end
    sort(keys, order)
    return keys, key ~= nil
  end

  local function fields(value, indent)
    local count = rawlen(value)
    local parts, keys, others = {}, names(value, count)
    for place = 1, count < FIELDS and count or FIELDS do
      if left <= 0 then break end
      parts[place] = piece(rawget(value, place), indent)
    end
    local items = #parts
    for place = 1, #keys < FIELDS and #keys or FIELDS do
      if left <= 0 then break end
      local name = name_of(keys[place])
      left = left - #name
      parts[#parts + 1] = name .. " = " .. piece(rawget(value, keys[place]), indent)
    end
    local more = count - items + #keys - (#parts - items)
    if others then parts[#parts + 1] = "… more"
    elseif more > 0 then parts[#parts + 1] = "… " .. more .. " more" end
    return parts
  end

  local function of_table(value, indent)
    if around[value] then return "<itself>" end
    if next(value) == nil then return "{}" end
    if #indent >= 2 * DEEPEST then return "{…}" end
    around[value] = true
    local inner = indent .. "  "
    local parts = fields(value, inner)
    around[value] = nil
    local line = concat(parts, ", ")
    if #line + #indent <= WIDTH and not find(line, "\n", 1, true) then return "{ " .. line .. " }" end
    return "{\n" .. inner .. concat(parts, ",\n" .. inner) .. "\n" .. indent .. "}"
  end

  function piece(value, indent)
    if left <= 0 then return "…" end
    local kind, text = type(value), nil
    if kind == "string" then text = quoted(value, TEXT) else text = object(value) end
    if not text and kind == "table" then
      left = left - 4
      return of_table(value, indent)
    end
    text = text or tostring(value)
    left = left - #text - 4
    return text
  end

  -- The results of a call, packed; nil when there is nothing to see.
  return function(results)
    local count = results.n
    if count == 0 or count == 1 and results[1] == nil then return nil end
    left, around = ALL, {}
    local parts = {}
    for place = 1, count < RESULTS and count or RESULTS do parts[place] = piece(results[place], "") end
    if count > RESULTS then parts[RESULTS + 1] = "… " .. count - RESULTS .. " more" end
    local line = concat(parts, "\t")
    if #line <= WIDTH and not find(line, "\n", 1, true) then return line end
    return concat(parts, "\n")
  end
end
