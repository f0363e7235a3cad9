-- Where things are in the prelude's tables; put before each of its chunks (src/turn/slots.rs has the same for Rust).
-- One declaration each: in a list, Lua makes only the last name a compile-time constant.
-- A node in a channel's queue: a task, or a case of a select (which has the select's next case in MORE).
local CH <const> = 1 local SENDS <const> = 2 local VALUE <const> = 3 local TASK <const> = 4
local PREV <const> = 5 local NEXT <const> = 6 local MORE <const> = 7
-- A task has these too.
local CO <const> = 7 local GOT <const> = 8 local TOPIC <const> = 9 local SENDER <const> = 10
local OK <const> = 11 local FROM <const> = 12 local CASES <const> = 13 local ARRIVED <const> = 14
local TURNS <const> = 15
-- A channel, and what its KIND may be.
local BUF <const> = 1 local HEAD <const> = 2 local TAIL <const> = 3 local CAP <const> = 4
local CLOSED <const> = 5 local KIND <const> = 6
local SOURCE <const> = 7 local RFIRST <const> = 8 local RLAST <const> = 9 local SFIRST <const> = 10
local SLAST <const> = 11 local OWNED <const> = 12
local PAYLOADS <const> = 1 local MESSAGES <const> = 2 local EVENTS <const> = 3
-- An entry in the heap of timers.
local DUE <const> = 1 local SERIAL <const> = 2 local PLACE <const> = 3 local ACT <const> = 4
local TARGET <const> = 5 local EVERY <const> = 6
-- The scheduler's state.
local CURRENT <const> = 1 local LIVE <const> = 2 local QUEUE <const> = 3 local LAST <const> = 4
local DEPTH <const> = 5 local STACK <const> = 6
local FIRST <const> = 7 local TIMERS <const> = 8 local POLLING <const> = 9 local MAIN <const> = 10
local SPAWNED <const> = 11
local FAILED <const> = 12 local FAILED_MEMORY <const> = 13 local STARTING <const> = 14
-- What a process is told when it starts, and what most processes change: in one place, so that they share the other pages.
local PID <const> = 15 local FRAME <const> = 16 local CONTEXT <const> = 17
local MOST_TIMERS <const> = 18 local MOST_COROUTINES <const> = 19 local MOST_LISTENERS <const> = 20
local LAST_SERIAL <const> = 21 local HEAP <const> = 22 local UNSEEN <const> = 23
local INBOX_ASKED <const> = 24 local EVENTS_ASKED <const> = 25
-- Calls from outside: the chunk's table and the name of what the process runs, or false; and those that came before it had returned.
local FUNCTIONS <const> = 26 local OWN <const> = 27 local EARLY <const> = 28
