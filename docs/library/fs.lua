---@meta fs

--- Files under directories that were granted. The module is there, as a global and for `require`, only in a process whose
--- entry or host has a [grant](../applications.md#grants), or that was started with one; elsewhere `fs` is nil. A directory
--- is read-only unless it was granted for writing.
---
--- A path begins with a granted directory's `path` as it is written there; `.`, `..` and doubled slashes are taken out first.
--- When several grants fit, the longest holds. Nothing leads out of a granted directory, neither `..` nor a symbolic link. (A
--- hard link is the file itself: whoever can make one inside of the directory grants the file.)
---
--- Every call waits (only its coroutine does) and raises [where one can't wait](coroutine.md). One read or write takes at
--- most the limit `message`, 1 MiB. Special files (pipes, devices, sockets) are refused. Nothing stays open between calls.
---
--- All calls fail alike, beside what they say themselves: `INVALID` for a missing or unusable path, and where it isn't a plain
--- file; `PERMISSION_DENIED` outside of every granted directory, for a change in a read-only one, and where a policy or the
--- system doesn't allow it; `NOT_FOUND` when there is no such file; `RESOURCE_EXHAUSTED` when the disk is full, or the
--- directory holds what [its grant](../applications.md#grants) allows (`details().limit` is `grant.bytes`); `UNAVAILABLE` for
--- whatever else the system says.
---
--- Eight calls of a process are under way at once; more wait their turn. Between them there is no order. A call that is under
--- way when its process ends is carried out as a whole.
---
--- The examples have the directory `data`, writable.
---@class fslib
fs = {}

--- The bytes of a file, or a piece of them.
---
--- Errors:
--- * `INVALID`: more than one read may take, naming size and limit: read it in pieces; a directory; an unknown option
--- * `NOT_FOUND`: no such file
---
--- Permission: `fs.read` on the path.
---
--- ```lua
--- fs.write("data/greeting.txt", "hello, world")
--- print(fs.read("data/greeting.txt")) --> hello, world nil
--- print((fs.read("data/greeting.txt", { offset = 7, length = 3 }))) --> wor
--- ```
---@param path string
---@param piece? fs.Piece the whole file by default
---@return string? bytes
---@return errors.Error? err
---@nodiscard
function fs.read(path, piece) end

--- A piece of a file.
---@class fs.Piece
---@field offset? integer bytes before it; 0 by default
---@field length? integer the most bytes; fewer come at the end of the file
local piece = {}

--- Writes a file: makes it, or replaces what is in it. Not in one step: who reads meanwhile may see a part, and a file that
--- can't be written whole is left as far as it got.
---
--- Errors:
--- * `INVALID`: more than one write may take; a directory
--- * `NOT_FOUND`: its directory doesn't exist
---
--- Permission: `fs.write` on the path.
---
--- ```lua
--- print(fs.write("data/a.txt", "first")) --> true nil
--- print((fs.read("data/a.txt"))) --> first
--- ```
---@param path string
---@param bytes string
---@return true? ok
---@return errors.Error? err
function fs.write(path, bytes) end

--- Adds to the end of a file, which is made when it doesn't exist.
---
--- Errors:
--- * `INVALID`: more than one write may take; a directory
--- * `NOT_FOUND`: its directory doesn't exist
---
--- Permission: `fs.write` on the path.
---
--- ```lua
--- fs.write("data/log.txt", "one ")
--- print(fs.append("data/log.txt", "two")) --> true nil
--- print((fs.read("data/log.txt"))) --> one two
--- ```
---@param path string
---@param bytes string
---@return true? ok
---@return errors.Error? err
function fs.append(path, bytes) end

--- What is in a directory, sorted by name.
---
--- Errors:
--- * `NOT_FOUND`: no such directory
--- * `INVALID`: not a directory
--- * `RESOURCE_EXHAUSTED`: more than 10,000 names, or a list larger than the limit `message`
---
--- Permission: `fs.read` on the path.
---
--- ```lua
--- fs.mkdir("data/box")
--- fs.write("data/box/a.txt", "a")
--- for _, item in ipairs((fs.list("data/box"))) do print(item.name, item.type) end --> a.txt file
--- ```
---@param path string
---@return fs.Item[]? items
---@return errors.Error? err
---@nodiscard
function fs.list(path) end

--- Something in a directory.
---@class fs.Item
---@field name string
---@field type "file"|"directory"|"link"|"other"
local item = {}

--- What is known of a file or directory; of a link, what it leads to.
---
--- Errors:
--- * `NOT_FOUND`: no such file
---
--- Permission: `fs.read` on the path.
---
--- ```lua
--- fs.write("data/five.txt", "12345")
--- local stat = fs.stat("data/five.txt")
--- print(stat.type, stat.size, stat.modified:year() > 2000) --> file 5 true
--- ```
---@param path string
---@return fs.Stat? stat
---@return errors.Error? err
---@nodiscard
function fs.stat(path) end

--- What `fs.stat` tells.
---@class fs.Stat
---@field type "file"|"directory"|"other"
---@field size integer bytes
---@field modified time.Time
---@field readonly boolean whether it was granted for reading only
local stat = {}

--- Removes a file, or an empty directory.
---
--- Errors:
--- * `NOT_FOUND`: no such file
--- * `INVALID`: a directory that isn't empty; a granted directory itself
---
--- Permission: `fs.write` on the path.
---
--- ```lua
--- fs.write("data/old.txt", "x")
--- print(fs.remove("data/old.txt")) --> true nil
--- print(select(2, fs.read("data/old.txt")):kind() == errors.NOT_FOUND) --> true
--- ```
---@param path string
---@return true? ok
---@return errors.Error? err
function fs.remove(path) end

--- Makes a directory; the one around it must exist.
---
--- Errors:
--- * `ALREADY_EXISTS`: there is something of that name
--- * `NOT_FOUND`: the directory around it doesn't exist
---
--- Permission: `fs.write` on the path.
---
--- ```lua
--- print(fs.mkdir("data/new")) --> true nil
--- print(select(2, fs.mkdir("data/new")):kind() == errors.ALREADY_EXISTS) --> true
--- ```
---@param path string
---@return true? ok
---@return errors.Error? err
function fs.mkdir(path) end

--- Gives a file or directory another name, within one granted directory. A file of the new name is replaced.
---
--- Errors:
--- * `NOT_FOUND`: no such file
--- * `INVALID`: from one granted directory into another; a granted directory, or what holds one
---
--- Permission: `fs.write` on both paths.
---
--- ```lua
--- fs.write("data/from.txt", "x")
--- print(fs.rename("data/from.txt", "data/to.txt")) --> true nil
--- print((fs.read("data/to.txt"))) --> x
--- ```
---@param from string
---@param to string
---@return true? ok
---@return errors.Error? err
function fs.rename(from, to) end

return fs
