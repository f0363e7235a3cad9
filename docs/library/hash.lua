---@meta hash

--- Digests of strings. `sha256` for what must not be forged, `hmac_sha256` for what only who has the secret may have made, `xxh3`
--- for what is only to be spread or recognised, fast. None of them is for passwords: for those they are too fast.
---
--- Time and memory are the process's own: a long string takes CPU time, and is interrupted like any other code.
---@class hashlib
hash = {}

--- SHA-256 (FIPS 180-4).
---
--- Errors:
--- * `INVALID`: data is missing
---
--- ```lua
--- print((hash.sha256("abc"))) --> ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
--- print(#hash.sha256("abc", true)) --> 32
--- ```
---@param data string
---@param raw? boolean the 32 bytes themselves, in place of 64 hexadecimal digits
---@return string? digest
---@return errors.Error? err
---@nodiscard
function hash.sha256(data, raw) end

--- HMAC with SHA-256 (RFC 2104): what to sign a message with, and to check who has. Compare it with `hash.equals`.
---
--- Errors:
--- * `INVALID`: data or secret is missing
---
--- ```lua
--- local body, signature = "amount=250", "sha256=7f8a4f18a03bf7ebd2f5e6f05bd32ad62ab7a0cb0ea0ac4ea3d9dc1a3ae5a5a2"
--- local expected = "sha256=" .. hash.hmac_sha256(body, "the secret of both")
--- print((hash.equals(signature, expected))) --> false
--- ```
---@param data string
---@param secret string
---@param raw? boolean the 32 bytes themselves, in place of 64 hexadecimal digits
---@return string? digest
---@return errors.Error? err
---@nodiscard
function hash.hmac_sha256(data, secret, raw) end

--- XXH3 with 64 bits: fast, and no protection: whoever wants to finds texts with one digest.
---
--- Errors:
--- * `INVALID`: data is missing
---
--- ```lua
--- print((hash.xxh3("abc"))) --> 78af5f94892f3950
--- local worker = string.unpack(">I8", (hash.xxh3("customer 17", true))) % 4 -- the same for each customer
--- ```
---@param data string
---@param raw? boolean the 8 bytes themselves, in place of 16 hexadecimal digits
---@return string? digest
---@return errors.Error? err
---@nodiscard
function hash.xxh3(data, raw) end

--- Whether two digests are the same. How long it takes tells nobody how much of them is, as `==` would. Of their lengths it may.
---
--- Errors:
--- * `INVALID`: one of them is missing
---
--- ```lua
--- print((hash.equals(hash.sha256("a"), hash.sha256("a")))) --> true
--- ```
---@param a string
---@param b string
---@return boolean? same
---@return errors.Error? err
---@nodiscard
function hash.equals(a, b) end

return hash
