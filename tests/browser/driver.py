"""A browser, driven: WebDriver spoken to chromedriver, with the standard library alone.

Owns the processes that it starts. Refuses to know a page.
"""

import base64
import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Stale(Exception):
    """An element is gone, or isn't there yet."""


class Browser:
    """One window of a headless Chromium."""

    def __init__(self, width=1280, height=860, dark=True):
        self.profile = tempfile.TemporaryDirectory(prefix="lunarium-browser-")
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.base = f"http://127.0.0.1:{int(line.rsplit(' ', 1)[1].strip().rstrip('.'))}"
                break
        else:
            raise RuntimeError("chromedriver has ended")
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
            f"--user-data-dir={self.profile.name}", f"--window-size={width},{height}",
        ]
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        wanted = {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"}, "timeouts": {"script": 120_000}, "unhandledPromptBehavior": "ignore",
        }
        self.session = None
        self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def close(self):
        try:
            if self.session:
                self.call("DELETE", self.path(""))
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.profile.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            if value["error"] in ("stale element reference", "no such element", "element not interactable", "element click intercepted"):
                raise Stale(value["message"]) from None
            raise RuntimeError(f"{value['error']}: {value['message']}") from None

    def path(self, path):
        return f"/session/{self.session}{path}"

    def go(self, url):
        self.call("POST", self.path("/url"), {"url": url})

    def run(self, script, *arguments):
        """What a script returns."""
        return self.call("POST", self.path("/execute/sync"), {"script": script, "args": list(arguments)})

    def wait_for(self, script, *arguments):
        """What a script returns once that is something."""
        return self.call("POST", self.path("/execute/async"), {"script": script, "args": list(arguments)})

    def find(self, selector):
        found = self.call("POST", self.path("/element"), {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def click(self, selector):
        self.call("POST", self.path(f"/element/{self.find(selector)}/click"), {})

    def type(self, selector, text):
        self.call("POST", self.path(f"/element/{self.find(selector)}/value"), {"text": text})

    def press(self, *keys):
        """Presses keys one after the other, wherever the focus is."""
        actions = [step for key in keys for step in ({"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        self.call("POST", self.path("/actions"), {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def resize(self, width, height):
        self.call("POST", self.path("/window/rect"), {"width": width, "height": height})

    def log(self):
        """What the console said since it was asked."""
        return self.call("POST", self.path("/se/log"), {"type": "browser"})

    def picture(self, file):
        with open(file, "wb") as out:
            out.write(base64.b64decode(self.call("GET", self.path("/screenshot"))))

    def until(self, what, seconds=60):
        """What `what` returns once that is something."""
        last = None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                last = what()
            except Stale as gone:
                last = None
                del gone
            if last:
                return last
            time.sleep(0.05)
        raise AssertionError(f"after {seconds} s it isn't so: {getattr(what, '__doc__', None) or what}")
