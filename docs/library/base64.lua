---@meta base64

--- Bytes as text and back: Base64 of RFC 4648. It hides nothing and proves nothing.
---@class base64lib
base64 = {}

--- The text of a string of any bytes, with `=` at the end where it is needed.
---
--- Errors:
--- * `INVALID`: data is missing
---
--- ```lua
--- print((base64.encode("Hello, World!"))) --> SGVsbG8sIFdvcmxkIQ==
--- ```
---@param data string
---@return string? text
---@return errors.Error? err
---@nodiscard
function base64.encode(data) end

--- The bytes of a text of `base64.encode`. A line break, a space or a missing `=` is an error.
---
--- Errors:
--- * `INVALID`: the text is missing, or not Base64; the message says where
---
--- ```lua
--- print((base64.decode("SGVsbG8sIFdvcmxkIQ=="))) --> Hello, World!
--- print(base64.decode("SGVs bG8=")) --> nil ` ` at byte 5 is not of this base64
---
--- local text = ("SGVs\nbG8=\n"):gsub("%s", "") -- a text in lines
--- print((base64.decode(text))) --> Hello
--- ```
---@param text string
---@return string? data
---@return errors.Error? err
---@nodiscard
function base64.decode(text) end

--- The same for addresses, names of files and tokens: `-` and `_` in place of `+` and `/`, and no `=`.
---
--- Errors:
--- * `INVALID`: data is missing
---
--- ```lua
--- print((base64.encode("\xfb\xff"))) --> +/8=
--- print((base64.encode_url("\xfb\xff"))) --> -_8
--- ```
---@param data string
---@return string? text
---@return errors.Error? err
---@nodiscard
function base64.encode_url(data) end

--- The bytes of a text of `base64.encode_url`, with or without `=` at the end.
---
--- Errors:
--- * `INVALID`: the text is missing, or not Base64; the message says where
---
--- ```lua
--- local header = base64.decode_url("eyJhbGciOiJIUzI1NiJ9")
--- print(json.decode(header).alg) --> HS256
--- ```
---@param text string
---@return string? data
---@return errors.Error? err
---@nodiscard
function base64.decode_url(text) end

return base64
