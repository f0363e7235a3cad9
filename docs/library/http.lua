---@meta http

--- Requests to HTTP servers. The module is found by `require("http")`, only in a process whose entry or host has a
--- [grant](../applications.md#http) that says which servers; it is no global. `lunarium run` has it, an embedding program that
--- [adds it](../modules.md#ours).
---
--- A grant's URL and the request's are compared part by part: scheme, host, port, path, method. A redirect is compared again. A host's
--- name is resolved without the C library, and the connection goes to an address that was checked: public ones, and those that the
--- grant names. Certificates are checked against Mozilla's list. No proxy is used, no cookie kept, no connection used again,
--- and no compressed answer asked for (one that comes all the same is handed over as it is).
---
--- Every call waits (only its coroutine does). A status of 400 and more is an answer, no error. All calls fail alike:
--- `INVALID` for a URL or an option that can't be used, for a redirect that leads nowhere or the sixth one; `PERMISSION_DENIED` when no
--- grant allows the request, or the host has only addresses that aren't public; `NOT_FOUND` when there is no such host;
--- `UNAVAILABLE` when it can't be reached, vanishes (both retryable), can't prove who it is or doesn't speak HTTP; `TIMEOUT`;
--- `RESOURCE_EXHAUSTED` when headers or body of the answer are too large; `RATE_LIMITED`, retryable, when the node has
--- [too much of it](../limits.md#http). Of the last two, `details().limit` names the limit.
---
--- The examples have a server at `https://api.example.com`, and a grant for GET and POST on `https://api.example.com/v1/*`.
---@class httplib
local http = {}

--- Gets what is at a URL.
---
--- URLs have one form here: no user name, no `.` or `..` as a segment, however it is encoded; a host in ASCII (`xn--…`), without a
--- dot at its end; addresses as four numbers or in brackets. What follows a `#` isn't sent.
---
--- Permission: `module.call` on `http.get`.
---
--- ```lua
--- local http = require("http")
--- local response, err = http.get("https://api.example.com/v1/greeting", { timeout = "2s" })
--- print(response.status, response.headers["content-type"], response.body) --> 200 text/plain hello
---
--- print((http.get("https://api.example.com/v1/nothing")).status) --> 404
---
--- local _, err = http.get("https://api.example.com/admin")
--- print(err, err:kind() == errors.PERMISSION_DENIED) --> no grant allows GET https://api.example.com/admin true
--- ```
---@param url string
---@param options? http.Options
---@return http.Response? response
---@return errors.Error? err
---@nodiscard
function http.get(url, options) end

--- Makes a request.
---
--- Permission: `module.call` on `http.request`.
---
--- ```lua
--- local http = require("http")
--- local response = http.request {
---   method = "POST",
---   url = "https://api.example.com/v1/orders",
---   headers = { ["content-type"] = "application/json" },
---   body = json.encode({ item = "tea" }),
--- }
--- print(response.status, json.decode(response.body).item) --> 201 tea
--- ```
---@param request http.Request
---@return http.Response? response
---@return errors.Error? err
function http.request(request) end

--- How a request is made.
---@class http.Options
---@field headers? table<string, string> at most 64, and 16 KiB; ASCII. Those that say how the message travels (`host`, `content-length`, `connection`, `proxy-…` and the like) are the client's own. `user-agent` and `accept` have a default. A redirect to another server takes only `accept`, `accept-language`, `content-type` and `user-agent` along
---@field timeout? string|integer|time.Duration for all of it, redirects and body included; 30 s by default, which is also the most
---@field redirects? integer how many are followed, 0 to 5; 5 by default. With 0 a redirect is the answer. 301, 302 and 303 become GET without a body (HEAD stays HEAD), 307 and 308 are sent as they were
local options = {}

--- A request: the [options](#type-httpoptions), and what is asked of whom.
---@class http.Request: http.Options
---@field url string
---@field method? string `GET` (default), `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`
---@field body? string
local request = {}

--- An answer.
---@class http.Response
---@field status integer 200, 404 and so on
---@field headers table<string, string> by their names in lower case. One that comes several times is joined by `, `, `set-cookie` by line breaks
---@field body string its bytes; empty when there are none
---@field url string where it came from, after redirects
local response = {}

return http
