local test = require("test")

-- A store in a table, and a server that knows one price.
local function world(status)
  local stored, asked = {}, 0
  test.module("kv", {
    get = function(key) return stored[key] end,
    set = function(key, value) stored[key] = value return 1 end,
  })
  test.module("http", {
    get = function(url)
      asked = asked + 1
      test.eq(url, "http://localhost:8642/prices/tea.json")
      time.sleep("2s")
      return { status = status, body = '{"cents": 320}' }
    end,
  })
  return function() return asked end
end

test.case("asks the server once", function()
  local asked = world(200)
  local prices = require("prices")
  local cents, source = prices.of("tea")
  test.eq(cents, 320)
  test.eq(source, "the server")
  cents, source = prices.of("tea")
  test.eq(cents, 320)
  test.eq(source, "the store")
  test.eq(asked(), 1)
end)

test.case("tells what the server answers", function()
  world(404)
  local cents, why = require("prices").of("tea")
  test.eq(cents, nil)
  test.eq(why, "the server answers 404")
end)
