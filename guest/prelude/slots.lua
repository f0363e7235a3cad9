local CH <const>, SENDS <const>, VALUE <const>, TASK <const>, PREV <const>, NEXT <const> = 1, 2, 3, 4, 5, 6
local CO <const>, GOT <const>, TOPIC <const>, SENDER <const>, OK <const>, FROM <const>, CASES <const> = 7, 8, 9, 10, 11, 12, 13
local BUF <const>, HEAD <const>, TAIL <const>, CAP <const>, CLOSED <const>, KIND <const> = 1, 2, 3, 4, 5, 6
local SOURCE <const>, RFIRST <const>, RLAST <const>, SFIRST <const>, SLAST <const>, OWNED <const> = 7, 8, 9, 10, 11, 12
local PAYLOADS <const>, MESSAGES <const>, EVENTS <const> = 1, 2, 3
local DUE <const>, SERIAL <const>, PLACE <const>, ACT <const>, TARGET <const>, EVERY <const> = 1, 2, 3, 4, 5, 6
local CURRENT <const>, LIVE <const>, QUEUE <const>, LAST <const>, DEPTH <const>, STACK <const> = 1, 2, 3, 4, 5, 6
