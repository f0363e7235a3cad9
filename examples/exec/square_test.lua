local test = require("test")

test.case("squares numbers", function()
    test.eq(test.spawn("app.test.exec:square", 12):wait(), 144)
    test.eq(test.spawn("app.test.exec:square", 0.5):wait(), 0.25)
end)

test.case("refuses everything else", function()
    local err = test.fails(errors.INVALID, test.spawn("app.test.exec:square", "four"):wait())
    test.eq(err:message(), "not a number: four")
end)
