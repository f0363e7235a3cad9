local Account = {}
Account.__index = Account
function Account.new(v) return setmetatable({ value = v }, Account) end
function Account:add(v) self.value = self.value + v return self end
function Account:get() return self.value end
return { main = function()
  local a = Account.new(0)
  for i = 1, 1500000 do a:add(i):get() end
  return a:get()
end }
