---@meta random

--- Bytes that nobody can guess: for keys, tokens, and what is to happen once.
---
--- They are a stream of ChaCha20. Its key is the process's own: it follows from a key of the node, which the operating system gave,
--- and from the pid (by SHA-256), so that whatever one process sees of its bytes tells nothing about another's, and neither does
--- `math.random`, which may be guessed from what it gave before. In a test a program of yours can give the node a seed
--- (`seed` of its builder); then a process of the same pid gets the same bytes again.
---@class randomlib
random = {}

--- So many random bytes. They count as the process's memory, like each string.
---
--- Errors:
--- * `INVALID`: count is missing, or less than zero
---
--- ```lua
--- local token = base64.encode_url(random.bytes(32))
--- print(#token) --> 43
--- print(random.bytes(-1)) --> nil count is -1, not a number of bytes from 0
--- ```
---@param count integer
---@return string? bytes
---@return errors.Error? err
---@nodiscard
function random.bytes(count) end

return random
