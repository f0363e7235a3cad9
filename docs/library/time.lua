---@meta time

--- Time: sleeping, timers, points in time and spans of it.
---
--- A **duration** is given as text in Go's notation (`"300ms"`, `"1.5h"`, `"1h30m"`; units `ns us µs ms s m h`), as an
--- integral number of milliseconds, or as a [`Duration`](#type-timeduration). Where one waits for it, a negative one is
--- `INVALID`; 0 is fine for `sleep`, `after` and a cancel's deadline, not for timers and tickers. The longest is about 292
--- years.
---
--- A wait ends at the next quarter of a millisecond after its time, never before: `sleep("1us")` too.
---
--- A process may have 10,000 timers pending (limit `timers`): sleeps, `after`s, timers and tickers together.
---
--- A **zone** is a name of the IANA database (`"Europe/Berlin"`, in any case), `"UTC"`, or an offset, `"+02:00"`. There is
--- no local zone. A Time lies from 0000-01-02 to 9999-12-30, so that the year has four digits in every zone.
---
--- Time and Duration objects can be compared, printed, concatenated and sent; a Time keeps its zone. A field that they lack
--- reads as nil.
---@class timelib
---@field NANOSECOND time.Duration
---@field MICROSECOND time.Duration
---@field MILLISECOND time.Duration
---@field SECOND time.Duration
---@field MINUTE time.Duration
---@field HOUR time.Duration
time = {}

-- # Waiting

--- Waits. Only the calling coroutine does; `sleep(0)` lets the others run and the mailbox be looked at. Raises
--- [where one can't wait](coroutine.md).
---
--- Errors:
--- * `INVALID`: the duration is missing, unusable or negative
--- * `RESOURCE_EXHAUSTED`: limit `timers`
---
--- ```lua
--- print(time.sleep("1ms")) --> true nil
--- print(time.sleep("soon")) --> nil `soon` is not a duration
--- ```
---@param duration string|integer|time.Duration
---@return true? ok
---@return errors.Error? err
function time.sleep(duration) end

--- A channel that gives one Time when the duration is over, and is closed then. For a timeout in `channel.select`.
---
--- Errors:
--- * `INVALID`: the duration is missing, unusable or negative
--- * `RESOURCE_EXHAUSTED`: limit `timers`
---
--- ```lua
--- local answers = process.listen("answer")
--- local got = channel.select({ answers:case_receive(), time.after("5ms"):case_receive() })
--- print(got.channel == answers and "answered" or "timed out") --> timed out
--- ```
---@param duration string|integer|time.Duration
---@return channel<time.Time>? ch
---@return errors.Error? err
---@nodiscard
function time.after(duration) end

--- A timer that gives one Time on its channel when the duration is over, and can be stopped or set again.
---
--- Errors:
--- * `INVALID`: the duration is missing, unusable, negative or 0
--- * `RESOURCE_EXHAUSTED`: limit `timers`
---
--- ```lua
--- local timer = time.timer("1ms")
--- local at, ok = timer:channel():receive()
--- print(at:after(time.unix(0)), ok) --> true true
--- ```
---@param duration string|integer|time.Duration
---@return time.Timer? timer
---@return errors.Error? err
---@nodiscard
function time.timer(duration) end

--- A timer that gives a Time again and again, until it is stopped. A tick that nobody has received when the next is due
--- makes the next one drop; ticks that are late are skipped, and the others keep their beat.
---
--- Errors:
--- * `INVALID`: the duration is missing, unusable, negative or 0
--- * `RESOURCE_EXHAUSTED`: limit `timers`
---
--- ```lua
--- local ticker = time.ticker("1ms")
--- local ticks = ticker:channel()
--- for _ = 1, 3 do ticks:receive() end
--- print(ticker:stop()) --> true
--- print(ticks:receive()) --> nil false
--- ```
---@param duration string|integer|time.Duration
---@return time.Ticker? ticker
---@return errors.Error? err
---@nodiscard
function time.ticker(duration) end

--- A timer.
---@class time.Timer
local timer = {}

--- Its channel; the same every time.
---
--- ```lua
--- local timer = time.timer("1ms")
--- print(channel.select({ timer:channel():case_receive() }).ok) --> true
--- ```
---@return channel<time.Time> ch
---@nodiscard
function timer:channel() end

--- Its channel, by another name.
---
--- ```lua
--- local timer = time.timer("1h")
--- print(timer:response() == timer:channel()) --> true
--- ```
---@return channel<time.Time> ch
---@nodiscard
function timer:response() end

--- Stops it. A Time that came and wasn't received is dropped. A ticker's channel is closed; a timer's isn't, since it can be
--- reset.
---
--- ```lua
--- local timer = time.timer("1h")
--- print(timer:stop(), timer:stop()) --> true false
--- ```
---@return boolean pending whether it was still to fire
function timer:stop() end

--- Sets it again, from now. A Time that came and wasn't received is dropped. For a ticker the duration is its new beat.
---
--- Errors:
--- * `INVALID`: the duration is missing, unusable, negative or 0; a ticker that was stopped
--- * `RESOURCE_EXHAUSTED`: limit `timers`
---
--- ```lua
--- local timer = time.timer("1h")
--- print(timer:reset("1ms")) --> true
--- print(timer:channel():receive() ~= nil) --> true
--- ```
---@param duration string|integer|time.Duration
---@return boolean? pending whether it was still to fire
---@return errors.Error? err
function timer:reset(duration) end

--- A ticker: the methods are a timer's.
---@class time.Ticker: time.Timer
local ticker = {}

-- # Points in time

--- The time now, in UTC.
---
--- ```lua
--- local before = time.now()
--- time.sleep("2ms")
--- print(time.now():sub(before) >= time.MILLISECOND) --> true
--- ```
---@return time.Time now
---@nodiscard
function time.now() end

--- The time that many seconds and nanoseconds after 1970 began, in UTC.
---
--- Errors:
--- * `INVALID`: the seconds are missing; outside of the range of a Time
---
--- ```lua
--- print(time.unix(0)) --> 1970-01-01T00:00:00Z
--- print(time.unix(1767323045, 500000000)) --> 2026-01-02T03:04:05.5Z
--- ```
---@param seconds integer
---@param nanoseconds? integer
---@return time.Time? instant
---@return errors.Error? err
---@nodiscard
function time.unix(seconds, nanoseconds) end

--- A date and a time of day in a zone. Nothing is carried over: each value must be in its range. A time of day that a change
--- of clocks skips is what the clocks would have shown without it; of one that comes twice, the first is meant.
---
--- Errors:
--- * `INVALID`: year, month or day is missing; a value is out of its range, which the message names; an unknown zone
---
--- ```lua
--- print((time.date(2026, 7, 1, 12, 30))) --> 2026-07-01T12:30:00Z
--- print((time.date(2026, 7, 1, 12, 0, 0, 0, "Europe/Berlin"))) --> 2026-07-01T12:00:00+02:00
--- print(time.date(2026, 2, 30)) --> nil day 30 is not from 1 to 28, the days of 2026-02
--- ```
---@param year integer 0 to 9999
---@param month integer 1 to 12
---@param day integer 1 to 31
---@param hour? integer 0 by default, as all that follow
---@param minute? integer
---@param second? integer 0 to 59
---@param nanosecond? integer
---@param zone? string `"UTC"` by default
---@return time.Time? instant
---@return errors.Error? err
---@nodiscard
function time.date(year, month, day, hour, minute, second, nanosecond, zone) end

--- Reads a time: RFC 3339 by default, or as a pattern of strptime says. Without a time of day it is midnight, without a zone
--- UTC; a date must be there. Text and pattern have at most 255 bytes each.
---
--- Errors:
--- * `INVALID`: the text is missing, or isn't of that form; an unusable pattern; an unknown zone, or one that isn't at the
---   offset which is named, too
---
--- ```lua
--- print((time.parse("2026-01-02T03:04:05+02:00"))) --> 2026-01-02T03:04:05+02:00
--- print((time.parse("02.01.2026", "%d.%m.%Y"))) --> 2026-01-02T00:00:00Z
---
--- local none, err = time.parse("tomorrow")
--- print(none, err:kind() == errors.INVALID) --> nil true
--- ```
---@param text string
---@param pattern? string RFC 3339 by default
---@return time.Time? instant
---@return errors.Error? err
---@nodiscard
function time.parse(text, pattern) end

--- A point in time, to the nanosecond, in a time zone. `a < b`, `a == b` and so on compare the points, whatever the zones;
--- `instant + duration`, `instant - duration` are points, `a - b` is a Duration. `tostring` gives RFC 3339. The operators
--- raise what `add` returns as an error.
---@class time.Time
---@operator add(time.Duration): time.Time
---@operator sub(time.Duration): time.Time
---@operator sub(time.Time): time.Duration
---@operator concat(any): string
local instant = {}

--- The point that much later, in the same zone. A Duration may be negative here: that much earlier.
---
--- Errors:
--- * `INVALID`: the duration is missing or unusable; outside of the range of a Time
---
--- ```lua
--- local start = time.unix(0)
--- print(start:add("1h30m")) --> 1970-01-01T01:30:00Z
--- print(start + 90 * time.SECOND, start:add(-time.SECOND)) --> 1970-01-01T00:01:30Z 1969-12-31T23:59:59Z
--- ```
---@param duration string|integer|time.Duration
---@return time.Time? instant
---@return errors.Error? err
---@nodiscard
function instant:add(duration) end

--- How much later it is than another; negative when it is earlier.
---
--- ```lua
--- local start = time.unix(0)
--- print(time.unix(90):sub(start), start - time.unix(90)) --> 1m30s -1m30s
--- ```
---@param other time.Time
---@return time.Duration span
---@nodiscard
function instant:sub(other) end

--- Whether it is later.
---
--- ```lua
--- print(time.unix(1):after(time.unix(0)), time.unix(1) > time.unix(0)) --> true true
--- ```
---@param other time.Time
---@return boolean after
---@nodiscard
function instant:after(other) end

--- Whether it is earlier.
---
--- ```lua
--- print(time.unix(1):before(time.unix(0)), time.unix(1) < time.unix(0)) --> false false
--- ```
---@param other time.Time
---@return boolean before
---@nodiscard
function instant:before(other) end

--- Whether it is the same point, whatever the zones.
---
--- ```lua
--- print(time.unix(1):equal(time.unix(0, 1000000000)), time.unix(1) == time.unix(1)) --> true true
--- ```
---@param other time.Time
---@return boolean equal
---@nodiscard
function instant:equal(other) end

--- Whole seconds since 1970 began.
---
--- ```lua
--- print(time.unix(5, 900000000):unix()) --> 5
--- ```
---@return integer seconds
---@nodiscard
function instant:unix() end

--- Nanoseconds since 1970 began.
---
--- Errors:
--- * `INVALID`: more than 64 bits, that is before 1678 or after 2262
---
--- ```lua
--- print(time.unix(5, 900000000):unix_nano()) --> 5900000000
--- ```
---@return integer? nanoseconds
---@return errors.Error? err
---@nodiscard
function instant:unix_nano() end

--- Writes it: as RFC 3339 by default, or as a pattern of strftime says, of at most 255 bytes. Beside the usual ones there
--- are `%f` (the fraction of the second), `%:z` (`+02:00`) and `%Q` (the zone's name).
---
--- Errors:
--- * `INVALID`: an unusable pattern
---
--- ```lua
--- local t = time.unix(1767323045)
--- print(t:format()) --> 2026-01-02T03:04:05Z
--- print((t:format("%d.%m.%Y %H:%M"))) --> 02.01.2026 03:04
--- ```
---@param pattern? string
---@return string? text
---@return errors.Error? err
---@nodiscard
function instant:format(pattern) end

--- The year, in its zone.
---
--- ```lua
--- print(time.unix(1767323045):year()) --> 2026
--- ```
---@return integer year
---@nodiscard
function instant:year() end

--- The month, 1 to 12, in its zone.
---
--- ```lua
--- print(time.unix(1767323045):month()) --> 1
--- ```
---@return integer month
---@nodiscard
function instant:month() end

--- The day of the month, 1 to 31, in its zone.
---
--- ```lua
--- print(time.unix(1767323045):day()) --> 2
--- ```
---@return integer day
---@nodiscard
function instant:day() end

--- The hour, 0 to 23, in its zone.
---
--- ```lua
--- print(time.unix(1767323045):hour()) --> 3
--- ```
---@return integer hour
---@nodiscard
function instant:hour() end

--- The minute, 0 to 59.
---
--- ```lua
--- print(time.unix(1767323045):minute()) --> 4
--- ```
---@return integer minute
---@nodiscard
function instant:minute() end

--- The second, 0 to 59.
---
--- ```lua
--- print(time.unix(1767323045):second()) --> 5
--- ```
---@return integer second
---@nodiscard
function instant:second() end

--- The nanosecond of the second.
---
--- ```lua
--- print(time.unix(0, 7):nanosecond()) --> 7
--- ```
---@return integer nanosecond
---@nodiscard
function instant:nanosecond() end

--- The day of the week, from 0 on Sunday to 6, in its zone.
---
--- ```lua
--- print(time.unix(1767323045):weekday()) --> 5
--- ```
---@return integer weekday
---@nodiscard
function instant:weekday() end

--- The day of the year, 1 to 366, in its zone.
---
--- ```lua
--- print(time.unix(1767323045):year_day()) --> 2
--- ```
---@return integer day
---@nodiscard
function instant:year_day() end

--- Year, month and day, in its zone.
---
--- ```lua
--- print(time.unix(1767323045):date()) --> 2026 1 2
--- ```
---@return integer year
---@return integer month
---@return integer day
---@nodiscard
function instant:date() end

--- Hour, minute and second, in its zone.
---
--- ```lua
--- print(time.unix(1767323045):clock()) --> 3 4 5
--- ```
---@return integer hour
---@return integer minute
---@return integer second
---@nodiscard
function instant:clock() end

--- So many years, months and days later, at the same hour of its zone; negative: earlier. A day that the month doesn't have is one of
--- the next, as in Go: a month after 31 January is 3 March, or the 2nd.
---
--- Errors:
--- * `INVALID`: beyond the years that there are
---
--- ```lua
--- print(time.date(2024, 12, 29):add_date(1, 2, 3):format("%Y-%m-%d")) --> 2026-03-04 nil
--- ```
---@param years? integer 0 by default
---@param months? integer
---@param days? integer
---@return time.Time? instant
---@return errors.Error? err
---@nodiscard
function instant:add_date(years, months, days) end

--- Whether it is the first moment of the year 1, which Go's times begin with.
---
--- ```lua
--- print(time.date(1, 1, 1):is_zero(), time.now():is_zero()) --> true false
--- ```
---@return boolean zero
---@nodiscard
function instant:is_zero() end

--- RFC 3339, as `tostring` and `format()` give it.
---
--- ```lua
--- print(time.unix(1767323045):format_rfc3339()) --> 2026-01-02T03:04:05Z
--- ```
---@return string text
---@nodiscard
function instant:format_rfc3339() end

--- The name of the zone in which it reads.
---
--- ```lua
--- print(time.now():location(), time.now():in_location("Asia/Tokyo"):location()) --> UTC Asia/Tokyo
--- ```
---@return string zone
---@nodiscard
function instant:location() end

--- The same point in another zone.
---
--- Errors:
--- * `INVALID`: the zone is missing or unknown
---
--- ```lua
--- local t = time.unix(1767323045):in_location("Asia/Tokyo")
--- print(t, t:hour(), t == time.unix(1767323045)) --> 2026-01-02T12:04:05+09:00 12 true
--- ```
---@param zone string `"Europe/Berlin"`, `"UTC"`, `"+02:00"`
---@return time.Time? instant
---@return errors.Error? err
---@nodiscard
function instant:in_location(zone) end

--- The same point in UTC.
---
--- ```lua
--- print(time.unix(0):utc()) --> 1970-01-01T00:00:00Z
--- ```
---@return time.Time instant
---@nodiscard
function instant:utc() end

--- The nearest multiple of a duration since the year 1, as in Go: `round("1h")` gives a full hour of UTC. Halves go up. The
--- zone stays.
---
--- Errors:
--- * `INVALID`: the duration is missing, unusable, negative or 0
---
--- ```lua
--- print((time.unix(1767323045):round("1m"))) --> 2026-01-02T03:04:00Z
--- ```
---@param duration string|integer|time.Duration
---@return time.Time? instant
---@return errors.Error? err
---@nodiscard
function instant:round(duration) end

--- The last multiple of a duration since the year 1, as in Go. The zone stays.
---
--- Errors:
--- * `INVALID`: the duration is missing, unusable, negative or 0
---
--- ```lua
--- print((time.unix(1767323045):truncate("1h"))) --> 2026-01-02T03:00:00Z
--- ```
---@param duration string|integer|time.Duration
---@return time.Time? instant
---@return errors.Error? err
---@nodiscard
function instant:truncate(duration) end

-- # Spans of time

--- Reads a duration in Go's notation. It may be negative.
---
--- Errors:
--- * `INVALID`: the text is missing, or no duration; longer than 292 years
---
--- ```lua
--- print((time.parse_duration("90m"))) --> 1h30m0s
--- print(time.parse_duration("soon")) --> nil `soon` is not a duration
--- ```
---@param text string
---@return time.Duration? duration
---@return errors.Error? err
---@nodiscard
function time.parse_duration(text) end

--- A span of time, in whole nanoseconds; it may be negative. Multiply the constants: `5 * time.SECOND`. Durations add,
--- subtract and compare; by a number they multiply and divide; by a Duration they divide to a number. `tostring` gives Go's
--- notation. Beyond 292 years arithmetic raises "duration is out of range".
---@class time.Duration
---@operator add(time.Duration): time.Duration
---@operator add(time.Time): time.Time
---@operator sub(time.Duration): time.Duration
---@operator mul(number): time.Duration
---@operator div(number): time.Duration
---@operator div(time.Duration): number
---@operator unm: time.Duration
---@operator concat(any): string
local duration = {}

--- In nanoseconds.
---
--- ```lua
--- print((5 * time.MICROSECOND):nanoseconds()) --> 5000
--- ```
---@return integer nanoseconds
---@nodiscard
function duration:nanoseconds() end

--- In whole microseconds; the rest is dropped.
---
--- ```lua
--- print((1500 * time.NANOSECOND):microseconds()) --> 1
--- ```
---@return integer microseconds
---@nodiscard
function duration:microseconds() end

--- In whole milliseconds; the rest is dropped.
---
--- ```lua
--- print((1.5 * time.SECOND):milliseconds()) --> 1500
--- ```
---@return integer milliseconds
---@nodiscard
function duration:milliseconds() end

--- In seconds, a float.
---
--- ```lua
--- print((1500 * time.MILLISECOND):seconds()) --> 1.5
--- ```
---@return number seconds
---@nodiscard
function duration:seconds() end

--- In minutes, a float.
---
--- ```lua
--- print((90 * time.SECOND):minutes()) --> 1.5
--- ```
---@return number minutes
---@nodiscard
function duration:minutes() end

--- In hours, a float.
---
--- ```lua
--- print((90 * time.MINUTE):hours(), time.HOUR / time.MINUTE) --> 1.5 60.0
--- ```
---@return number hours
---@nodiscard
function duration:hours() end

return time
