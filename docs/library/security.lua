---@meta security

--- Who a process acts for (its actor) and which policies decide what it may do (its scope). Both are set where it is
--- started ([`with_actor`, `with_scope`](process.md#starting-with-context), or `security:` of a service or a host) and
--- inherited by what it starts. How policies decide: [permissions](../permissions.md).
---
--- The examples have a policy `app:readers` of the group `app:team`, which allows `document.read` on everything.
---@class securitylib
security = {}

--- The actor of this process, or nil.
---
--- ```lua
--- print(security.actor()) --> nil
--- ```
---@return security.Actor? actor
---@nodiscard
function security.actor() end

--- The scope of this process, or nil.
---
--- ```lua
--- print(security.scope()) --> nil
--- ```
---@return security.Scope? scope
---@nodiscard
function security.scope() end

--- Whether this process may do something, by its actor and scope. Actions and resources may be an application's own.
---
--- Errors:
--- * `INVALID`: action or resource is missing or longer than 4 KiB; the attributes can't travel or have more than 16 KiB
---
--- ```lua
--- print(security.can("document.read", "document:1")) --> true
---
--- local reader = process.with_context({}):with_scope(security.named_scope("app:team"))
--- reader:spawn_monitored("app:child", "app:processes", "document.read")
--- print(process.events():receive().result) --> true
--- reader:spawn_monitored("app:child", "app:processes", "document.write")
--- print(process.events():receive().result) --> false
--- -- entry: child
--- return { main = function(action) return (security.can(action, "document:1")) end }
--- ```
---@param action string
---@param resource string
---@param attributes? table<string, any> what conditions see as `meta.…`
---@return boolean? can
---@return errors.Error? err
---@nodiscard
function security.can(action, resource, attributes) end

--- Makes an actor. That alone gives it to nobody: see `with_actor`.
---
--- Errors:
--- * `INVALID`: the id is missing, empty or longer than 255 bytes; a key that isn't a string; values that can't travel, or
---   have more than 16 KiB
---
--- ```lua
--- local actor = security.new_actor("user:ada", { role = "admin" })
--- print(actor:id(), actor:meta().role) --> user:ada admin
--- ```
---@param id string
---@param meta? table<string, any> what conditions see as `actor.meta.…`
---@return security.Actor? actor
---@return errors.Error? err
---@nodiscard
function security.new_actor(id, meta) end

--- A policy of the application, by its entry's id.
---
--- Errors:
--- * `INVALID`: the id is missing
--- * `NOT_FOUND`: no such policy
---
--- ```lua
--- print(security.policy("app:readers"):id()) --> app:readers
---
--- local policy, err = security.policy("app:nothing")
--- print(policy, err:kind() == errors.NOT_FOUND) --> nil true
--- ```
---@param id string `namespace:name`
---@return security.Policy? policy
---@return errors.Error? err
---@nodiscard
function security.policy(id) end

--- Makes a scope of policies; without any, an empty one. That allows nothing. A policy that stands twice counts once. One of more than 256
--- can be made, and no process gets it: the spawn is `INVALID`.
---
--- Errors:
--- * `INVALID`: something else than a policy in the list
---
--- ```lua
--- local scope = security.new_scope({ security.policy("app:readers") })
--- print(#scope:policies(), #security.new_scope():policies()) --> 1 0
--- ```
---@param policies? security.Policy[]
---@return security.Scope? scope
---@return errors.Error? err
---@nodiscard
function security.new_scope(policies) end

--- The scope of the policies that name a group in `groups:`.
---
--- Errors:
--- * `INVALID`: the group is missing
--- * `NOT_FOUND`: no policy names it
---
--- ```lua
--- print(security.named_scope("app:team"):policies()[1]:id()) --> app:readers
---
--- local scope, err = security.named_scope("app:nobody")
--- print(scope, err:kind() == errors.NOT_FOUND) --> nil true
--- ```
---@param group string `namespace:name`
---@return security.Scope? scope
---@return errors.Error? err
---@nodiscard
function security.named_scope(group) end

--- Somebody on whose behalf a process acts.
---@class security.Actor
local actor = {}

--- Its id.
---
--- ```lua
--- print(security.new_actor("user:ada"):id()) --> user:ada
--- ```
---@return string id
---@nodiscard
function actor:id() end

--- What is known of it. A fresh copy each time; an empty table when nothing is.
---
--- ```lua
--- print(security.new_actor("user:ada", { team = "ops" }):meta().team) --> ops
--- ```
---@return table<string, any> meta
---@nodiscard
function actor:meta() end

--- A policy: an entry of kind `security.policy`.
---@class security.Policy
local policy = {}

--- Its entry's id.
---
--- ```lua
--- print(security.policy("app:readers"):id()) --> app:readers
--- ```
---@return string id
---@nodiscard
function policy:id() end

--- What it alone says of an actor (nil: nobody), an action and a resource, whoever asks: `"undefined"` when it isn't about that.
---
--- Errors:
--- * `INVALID`: as for `security.can`
--- * `NOT_FOUND`: the policy isn't there any more
---
--- ```lua
--- local readers = security.policy("app:readers")
--- print(readers:evaluate(security.new_actor("ada"), "document.read", "document:1")) --> allow
--- print(readers:evaluate(nil, "document.write", "document:1")) --> undefined
--- ```
---@param actor security.Actor?
---@param action string
---@param resource string
---@param attributes? table<string, any> what conditions see as `meta.…`
---@return "allow"|"deny"|"undefined"|nil decision
---@return errors.Error? err
---@nodiscard
function policy:evaluate(actor, action, resource, attributes) end

--- A list of policies. Immutable.
---@class security.Scope
local scope = {}

--- Its policies.
---
--- ```lua
--- local policies = security.named_scope("app:team"):policies()
--- print(#policies, policies[1], policies[1]:id()) --> 1 policy `app:readers` app:readers
--- ```
---@return security.Policy[] policies
---@nodiscard
function scope:policies() end

--- What its policies say together of an actor (nil: nobody), an action and a resource, whoever asks: `"deny"` when one of them denies,
--- else `"allow"` when one allows, else `"undefined"`. It gives nobody anything: what this process may do itself is
--- `security.can`.
---
--- Errors:
--- * `INVALID`: as for `security.can`
--- * `NOT_FOUND`: a policy of it isn't there any more
---
--- ```lua
--- local ada = security.new_actor("user:ada")
--- print(security.named_scope("app:team"):evaluate(ada, "document.read", "document:1")) --> allow
--- print(security.new_scope():evaluate(ada, "document.read", "document:1")) --> undefined
--- ```
---@param actor security.Actor?
---@param action string
---@param resource string
---@param attributes? table<string, any> what conditions see as `meta.…`
---@return "allow"|"deny"|"undefined"|nil decision
---@return errors.Error? err
---@nodiscard
function scope:evaluate(actor, action, resource, attributes) end

--- Whether a policy is in it.
---
--- ```lua
--- local scope = security.named_scope("app:team")
--- print(scope:contains("app:readers"), scope:contains("app:writers")) --> true false
--- ```
---@param policy security.Policy|string a policy, or its id
---@return boolean? contains
---@return errors.Error? err
---@nodiscard
function scope:contains(policy) end

--- A new scope with one more policy.
---
--- ```lua
--- local scope = security.new_scope({}):with(security.policy("app:readers"))
--- print(scope:policies()[1]:id()) --> app:readers
--- ```
---@param policy security.Policy
---@return security.Scope? scope
---@return errors.Error? err
---@nodiscard
function scope:with(policy) end

--- A new scope with one policy less.
---
--- ```lua
--- print(#security.named_scope("app:team"):without("app:readers"):policies()) --> 0
--- ```
---@param policy security.Policy|string a policy, or its id
---@return security.Scope? scope
---@return errors.Error? err
---@nodiscard
function scope:without(policy) end

return security
