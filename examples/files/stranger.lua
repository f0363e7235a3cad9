-- Without grants there are no such modules.
return function()
  return "env is " .. tostring(_G.env) .. ", fs is " .. tostring(_G.fs) .. ", " .. select(2, pcall(require, "fs"))
end
