-- What a test's process runs: the cases of one file. Owns which of them runs.
local test = require("test")
local traceback, this = debug.traceback, coroutine.running

local function cases()
  require("file")
  return test._cases
end

local function list()
  local names = {}
  for place, case in ipairs(cases()) do names[place] = { name = case[1], skipped = case[3] } end
  return names
end

-- Where the case is.
local running

local function waits() return running and traceback(running) end

local function run(number)
  running = this()
  local case = cases()[number][2]
  test._begin()
  case()
end

return { list = list, run = run, mock = test._mock, waits = waits }
