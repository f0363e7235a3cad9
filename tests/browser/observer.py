"""The observer page in a real browser: `just browser`. With `--measure N`, how a table of N processes feels instead.

A host with three tenants is started, one of which calls its processes what a page must not believe; `lunarium observe` gives
the address. Pictures are left in target/browser.
"""

import argparse
import http.client
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from driver import Browser

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURES = ROOT / "target" / "browser"
MARKUP = "<script>document.title='owned'</script>"
BIDI = "safe\u202etxt.exe"
SHOWN_BIDI = "safe\\u{202e}txt.exe"
ENTER, ESCAPE, DOWN, RIGHT, END = "\ue007", "\ue00c", "\ue015", "\ue014", "\ue010"

INDEX = """version: "1.0"
namespace: app
entries:
  - {name: worker, kind: process.lua, source: "file://worker.lua"}
  - {name: main, kind: process.lua, source: "file://main.lua"}
  - {name: service, kind: process.service, process: main, host: "app:processes", lifecycle: {start_timeout: 300s}}
"""

MAIN = """return { main = function()
  process.set_options({ trap_links = true })
  process.registry.register("main")
  for i = 1, %(count)d do
    local name = i == 1 and %(markup)s or i == 2 and %(bidi)s or ""
    local pid = process.spawn_linked_monitored("app:worker", "app:processes", name)
    if i %% 7 == 0 then process.send(pid, "never", i) end
  end
  logger:info(%(markup)s, { field = %(bidi)s })
  local events = process.events()
  repeat local event = events:receive() until event.kind == process.event.CANCEL
end }
"""

WORKER = """return { main = function(name)
  if name ~= "" then process.registry.register(name) end
  local junk = {}
  for i = 1, 1000 do junk[i] = i end
  while true do
    process.events():receive()
  end
end }
"""


def lua(text):
    return '"' + "".join(c if c.isascii() and c not in '"\\' else "".join(f"\\x{byte:02x}" for byte in c.encode()) for c in text) + '"'


def application(folder, count, main=MAIN):
    folder.mkdir(parents=True)
    (folder / "_index.yaml").write_text(INDEX)
    (folder / "main.lua").write_text(main % {"count": count, "markup": lua(MARKUP), "bidi": lua(BIDI)})
    (folder / "worker.lua").write_text(WORKER)


class Running:
    """The host and its address for a browser, for as long as the block."""

    def __init__(self, command, count):
        self.command, self.count = command, count

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="lunarium-observed-")
        root = pathlib.Path(self.folder.name)
        application(root / "shop", self.count)
        application(root / "quiet", 3)
        application(root / "broken", 0, "return {\n")
        (root / "node.yaml").write_text("tenants:\n" + "".join(
            f"  - {{name: {name}, path: {name}, processes: 8100}}\n" for name in ("shop", "quiet", "broken")))
        self.socket = root / "admin.sock"
        self.processes = []
        self.start("serve", str(root / "node.yaml"), "--admin", f"unix:{self.socket}", "--processes", "8200")
        until(self.socket.exists, "the host's socket")
        return self

    def start(self, *arguments):
        process = subprocess.Popen([self.command, *arguments], stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
        self.processes.append(process)
        return process

    def observe(self):
        """An address that counts once."""
        process = self.start("observe", "--node", str(self.socket))
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+/#key=\w+", line)
            if found:
                return found[0]
        raise AssertionError("`lunarium observe` has printed no address")

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait()
        self.folder.cleanup()


def until(what, name, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s there is no {name}")
        time.sleep(0.05)


def ask(base, path, method="GET", **headers):
    request = urllib.request.Request(base + path, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()}, data=b"" if method == "POST" else None)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def text(browser, selector):
    return browser.run("return document.querySelector(arguments[0])?.textContent ?? null", selector)


def shows(browser, selector, wanted):
    def shown():
        found = browser.run("return [...document.querySelectorAll(arguments[0])].map((element) => element.textContent)", selector)
        return any(wanted in one for one in found)
    shown.__doc__ = f"{selector} shows {wanted!r}"
    browser.until(shown)


def curves(browser):
    """How many curves have more than a point."""
    return browser.run("return [...document.querySelectorAll('.plot .curve')].filter((path) => (path.getAttribute('d') ?? '').includes('L')).length")


def go(browser, address):
    browser.run("location.hash = arguments[0]", address)


def check(condition, what):
    if not condition:
        raise AssertionError(what)
    print(f"ok: {what}", flush=True)


def who_may_use_the_address(base, key, session):
    check(ask(base, "/")[0] == 200, "the shell is anybody's")
    check(ask(base, "/v1/tenants")[0] == 401, "without the session nothing is told")
    check(ask(base, "/v1/tenants", Authorization="Bearer " + "0" * 64)[0] == 401, "nor with another one")
    good = {"Authorization": f"Bearer {session}"}
    check(ask(base, "/v1/tenants", **good)[0] == 200, "with it everything is")
    check(ask(base, "/observe/session", "POST", Authorization=f"Bearer {key}")[0] == 401, "a key counts once")
    check(ask(base, "/v1/tenants", Host="evil.example", **good)[0] == 403, "a name that was made lead here is refused")
    check(ask(base, "/", Host="evil.example")[0] == 403, "the shell too")
    check(ask(base, "/v1/tenants", Origin="http://evil.example", **good)[0] == 403, "another origin is refused")
    check(ask(base, "/v1/tenants", Sec_Fetch_Site="cross-site", **good)[0] == 403, "another site is refused")
    check(ask(base, f"/v1/tenants?token={session}", **good)[0] == 400, "a token in a URL is refused")


def pages_from_elsewhere_get_nothing(browser, base, session):
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>elsewhere</title>")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    browser.go(f"http://127.0.0.1:{server.server_port}/")
    result = browser.wait_for(
        "const [url, token, done] = arguments;"
        "const get = (options) => fetch(url, options).then(() => 'read', () => 'refused');"
        "Promise.all([get({}), get({ headers: { Authorization: `Bearer ${token}` } })]).then(done)", base + "/v1/tenants", session)
    check(result == ["refused", "refused"], "a page from elsewhere reads nothing, whatever it knows")
    browser.log()
    server.shutdown()


def the_shell_runs_nothing_else(browser):
    owned = browser.run(
        "const script = document.createElement('script');"
        "try { script.textContent = 'window.owned = 1'; document.body.append(script); } catch {}"
        "try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned = 2\">'); } catch {}"
        "return window.owned ?? null")
    check(owned is None, "no inline script runs, and no text becomes markup")
    names = browser.run("return performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin).filter((origin) => origin !== location.origin)")
    check(names == [], "nothing was asked for from elsewhere")
    browser.log()


def functions(running, browser):
    address = running.observe()
    base, key = address.split("/#key=")
    browser.go(address)
    shows(browser, ".cards h2 a", "shop")
    check(browser.run("return location.hash") in ("", "#/"), "the key leaves the address")
    session = browser.run("return sessionStorage.getItem('lunarium-token')")
    check(session and session != key, "and is exchanged for a session")
    who_may_use_the_address(base, key, session)

    shows(browser, ".cards .badge", "failed")
    shows(browser, ".cards .why", "Lua does not compile")
    shows(browser, ".cards .bar", "processes")
    browser.until(lambda: curves(browser) >= 5)
    browser.picture(PICTURES / "tenants.png")
    print("ok: tenants with bars, and curves that the host has kept", flush=True)

    go(browser, "#/t/shop")
    shows(browser, ".counted", f"{running.count + 1:,} processes")
    browser.picture(PICTURES / "processes.png")
    browser.press("/")
    browser.type(".tools input", "<SCRIPT>")
    shows(browser, ".counted", f"1 of {running.count + 1:,}")
    shows(browser, ".line:not([hidden]) .of-entry", MARKUP)
    check(browser.run("return document.title !== 'owned' && document.scripts.length === 1"), "a process named <script> is text")
    browser.run("const field = document.querySelector('.tools input'); field.value = 'exe'; field.dispatchEvent(new Event('input'))")
    shows(browser, ".line:not([hidden]) .of-entry", SHOWN_BIDI)
    check(browser.run("return !/[\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]/.test(document.documentElement.outerHTML)"), "what turns a text around is spelled out")

    browser.run("const field = document.querySelector('.tools input'); field.value = ''; field.dispatchEvent(new Event('input'))")
    shows(browser, ".counted", f"{running.count + 1:,} processes")
    browser.click(".titles .of-memory")
    browser.until(lambda: browser.run("return document.querySelector('.titles .of-memory').getAttribute('aria-sort')") == "descending")
    sizes = browser.until(lambda: browser.run(
        "return [...document.querySelectorAll('.line:not([hidden])')].sort((a, b) => a.at - b.at).map((line) => line.querySelector('.of-memory').textContent)"))
    unit = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}
    numbers = [float(size.split()[0]) * unit[size.split()[1]] for size in sizes]
    check(numbers == sorted(numbers, reverse=True) and len(numbers) > 5, "sorted by memory")
    browser.run("document.querySelector('.grid').focus()")

    def ends():
        # Each time: the order may change under who is selected.
        browser.press(END)
        return browser.run("return document.querySelector('.line[aria-selected=\"true\"]')?.at") == running.count

    browser.until(ends)
    print("ok: the last row by keyboard", flush=True)
    browser.press(ENTER)
    browser.until(lambda: text(browser, "h1.pid"))
    check("/p/" in browser.run("return location.hash"), "Enter opens a process")
    one_process(browser)
    graph_and_log(browser)
    the_shell_runs_nothing_else(browser)
    narrow(browser)
    pages_from_elsewhere_get_nothing(browser, base, session)

    browser.go(address)
    shows(browser, "#main", "opened already")
    browser.picture(PICTURES / "used.png")
    print("ok: the address that was printed leads nowhere a second time", flush=True)


def one_process(browser):
    shows(browser, ".facts-list", "app:worker")
    shows(browser, ".bars .bar", "mailbox messages")
    age = text(browser, ".facts-list div:nth-child(5) dd")
    browser.until(lambda: text(browser, ".facts-list div:nth-child(5) dd") != age)
    print("ok: one process, live", flush=True)
    browser.picture(PICTURES / "process.png")
    browser.click("button.danger")
    browser.until(lambda: browser.run("return document.querySelector('dialog')?.open"))
    check(browser.run("return document.activeElement.textContent") == "Leave it", "what is safe has the focus")
    browser.picture(PICTURES / "confirmation.png")
    browser.press(ESCAPE)
    browser.until(lambda: browser.run("return document.querySelector('dialog') === null"))
    check(browser.run("return document.querySelector('.why').hidden"), "who leaves it leaves it")
    browser.click("button.danger")
    browser.until(lambda: browser.run("return document.querySelector('dialog')?.open"))
    browser.click("dialog button.danger")
    shows(browser, "#said", "was terminated")
    shows(browser, ".why", "has ended")
    check(browser.run("return document.querySelector('button.danger').disabled"), "terminated, and told how it ended")


TERMINATE = """
const [pid, done] = arguments;
const headers = { Authorization: `Bearer ${sessionStorage.getItem("lunarium-token")}`, "Content-Type": "application/json" };
fetch(`/v1/tenants/shop/processes/${encodeURIComponent(pid)}/terminate`, { method: "POST", headers, body: "{}" }).then((answer) => done(answer.status));
"""


def graph_and_log(browser):
    go(browser, "#/t/quiet/graph")
    shows(browser, ".tools [role=status]", "4 processes")
    browser.run("document.querySelector('canvas').focus({ preventScroll: true })")
    browser.press(RIGHT, RIGHT)
    shows(browser, ".about", "Linked with")
    drawn = browser.run("const canvas = document.querySelector('canvas'); return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0)")
    check(drawn, "a graph, and what hangs on the chosen one")
    go(browser, "#/t/shop/graph")
    shows(browser, ".tools [role=status]", "processes")
    time.sleep(4)
    browser.picture(PICTURES / "graph.png")
    go(browser, "#/t/shop/log")
    shows(browser, ".log .text", MARKUP)
    shows(browser, ".log .field", SHOWN_BIDI)
    check(browser.run("return document.title") != "owned", "the log shows markup as text")
    browser.picture(PICTURES / "log.png")
    go(browser, "#/t/shop/charts")
    browser.until(lambda: curves(browser) >= 5)
    browser.picture(PICTURES / "charts.png")
    go(browser, "#/t/shop/events")
    # One after the other is ended: nobody tells when the page has begun to listen.
    numbers = iter(range(0x20, 0x80))

    def an_end():
        """an end is among the events"""
        browser.wait_for(TERMINATE, f"{{app:processes|0x{next(numbers):05x}}}")
        return "has ended" in (text(browser, ".log") or "")
    browser.until(an_end)
    browser.picture(PICTURES / "events.png")
    print("ok: curves of the tenant, and its events as they happen", flush=True)
    go(browser, "#/t/shop/services")
    shows(browser, ".services .badge", "running")
    browser.picture(PICTURES / "services.png")
    print("ok: services with their state", flush=True)


def narrow(browser):
    browser.resize(400, 860)
    for address in ("#/", "#/t/shop", "#/t/shop/graph", "#/t/shop/charts", "#/t/shop/log"):
        for theme in ("light", "dark"):
            browser.run("document.documentElement.dataset.theme = arguments[0]", theme)
            go(browser, address)
            browser.until(lambda: browser.run("return document.querySelector('.view .card, .view .plot') !== null"))
            wide = browser.run("return document.documentElement.scrollWidth - innerWidth")
            check(wide <= 0, f"{address} fits a narrow screen, {theme}")
    browser.picture(PICTURES / "narrow.png")
    browser.run("delete document.documentElement.dataset.theme")
    browser.resize(1280, 860)


FRAMES = """
const [seconds, done] = arguments;
const grid = document.querySelector('.grid'), times = [];
const end = performance.now() + seconds * 1000;
let last = performance.now(), down = true;
const frame = (now) => {
  times.push(now - last);
  last = now;
  grid.scrollTop += down ? 137 : -137;
  if (grid.scrollTop + grid.clientHeight >= grid.scrollHeight - 1) down = false;
  if (grid.scrollTop <= 0) down = true;
  // Rows that are in sight and not filled.
  now < end ? requestAnimationFrame(frame) : done(times.slice(1));
};
requestAnimationFrame(frame);
"""


def metrics(running):
    """How long the text for Prometheus takes, which is made once a second at most."""
    times = []
    for _ in range(10):
        time.sleep(1.1)
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(running.socket))
        began = time.perf_counter()
        connection.request("GET", "/metrics")
        size = len(connection.getresponse().read())
        times.append((time.perf_counter() - began) * 1000)
        connection.close()
    times.sort()
    print(f"GET /metrics: {size} bytes, half in {times[5]:.1f} ms, longest {times[-1]:.1f} ms", flush=True)


def measure(running, browser):
    browser.go(running.observe())
    shows(browser, ".cards h2 a", "shop")
    go(browser, "#/t/shop")
    browser.until(lambda: f"{running.count + 1:,} processes" in (text(browser, ".counted") or ""), 300)
    metrics(running)
    for name, still in (("scrolling", False), ("at rest, sorted anew every two seconds", True)):
        script = FRAMES.replace("grid.scrollTop += down ? 137 : -137;", "") if still else FRAMES
        times = sorted(browser.wait_for(script, 20))
        at = lambda part: times[min(len(times) - 1, int(part * len(times)))]
        print(f"{name}: {len(times)} frames in 20 s; half {at(0.5):.1f} ms, 95 of 100 {at(0.95):.1f} ms, 99 of 100 {at(0.99):.1f} ms, longest {times[-1]:.1f} ms; "
              f"{sum(time > 50 for time in times)} longer than 50 ms", flush=True)
    browser.picture(PICTURES / "many.png")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", help="the built `lunarium`")
    parser.add_argument("--measure", type=int, metavar="N")
    options = parser.parse_args()
    PICTURES.mkdir(parents=True, exist_ok=True)
    with Running(options.command, options.measure or 300) as running, Browser() as browser:
        try:
            measure(running, browser) if options.measure else functions(running, browser)
        except BaseException:
            browser.picture(PICTURES / "failed.png")
            print(*(line["message"] for line in browser.log()), sep="\n", file=sys.stderr)
            raise
        said = [line["message"] for line in browser.log() if line["level"] == "SEVERE" and "favicon" not in line["message"]]
        # Only that the key of the second visit was refused, and what was asked of processes that have ended.
        said = [message for message in said if "401" not in message and "404" not in message]
        check(said == [], f"the console has nothing to complain about: {said}")


if __name__ == "__main__":
    main()
