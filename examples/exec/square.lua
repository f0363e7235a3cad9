local function main(n)
    if type(n) ~= "number" then
        error(errors.new { message = "not a number: " .. tostring(n), kind = errors.INVALID })
    end
    return n * n
end

return { main = main }
