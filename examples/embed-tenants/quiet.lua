-- A tenant as most are.
local sum = 0

return {
  add = function(number)
    sum = sum + number
    return sum
  end,
}
