-- Gives processes names: `register` registers and looks up its own, and this one gives its name back.
local function main()
    local events_ch = process.events()
    assert(process.spawn_monitored("app.test.process:register", "app:processes"))
    print("Registered and found:", events_ch:receive().result)

    local test_name = "my_service"
    process.registry.register(test_name)

    -- Unregister explicitly
    local unregistered = process.registry.unregister(test_name)
    if not unregistered then
        print("Name was not registered")
    end

    -- Lookup after unregister returns nil + error
    local pid, err = process.registry.lookup(test_name)
    -- pid will be nil, err will be non-nil
    print("After unregister:", pid, err:kind())
    return true
end

return { main = main }
