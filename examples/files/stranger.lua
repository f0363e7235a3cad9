-- Without grants there are no such modules.
return function()
  return "env is " .. tostring(env) .. ", fs is " .. tostring(fs) .. ", " .. select(2, pcall(require, "fs"))
end
