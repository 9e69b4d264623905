"""Headless Chromium over its DevTools pipe: pages that are opened, asked, used and printed. The
protocol's words: https://chromedevtools.github.io/devtools-protocol/."""
import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe"]


class Chromium:
    """A browser without a network but this machine. It reads commands on descriptor 3 and answers on 4."""

    def __init__(self, program, profile):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()

        def take_pipes():
            # Out of the way first: either may be 3 or 4 itself.
            high = [os.dup(commands), os.dup(answers)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}"], preexec_fn=take_pipes,
            close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        self.numbers = itertools.count(1)
        self.received = b""
        self.events = []

    def read(self):
        while b"\0" not in self.received:
            more = os.read(self.answers, 1 << 16)
            assert more, "the browser has ended"
            self.received += more
        message, self.received = self.received.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, **parameters):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def open(self, page_file, **screen):
        """A page by its file, or by its address."""
        return Page(self, page_file, **screen)

    def close(self):
        self.send("Browser.close")
        self.process.wait(timeout=20)


class Page:
    """A page that has finished drawing, on a screen of `width` and `height`."""

    def __init__(self, browser, page_file, width=1100, height=900, scheme="light"):
        self.browser = browser
        self.target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.resize(width, height)
        self.send("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send("Page.navigate", url=page_file if isinstance(page_file, str) else page_file.as_uri())
        self.wait_for("document.documentElement?.dataset.drawn === 'yes'")

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def resize(self, width, height):
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 500)

    def value(self, expression):
        """What an expression of JavaScript is worth, awaited."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        assert "exceptionDetails" not in answer, (expression, answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait_for(self, expression, seconds=20):
        end = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < end, f"not within {seconds} s: {expression}; {self.console()}"
            time.sleep(0.02)

    def console(self):
        """All that the page complained of so far."""
        said = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            if event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown",
                                   "Log.entryAdded"):
                said.append(event["params"])
        return said

    def dom(self):
        return self.value("document.documentElement.outerHTML")

    def middle_of(self, selector, index=0):
        """Where an element is on the screen, once it has been scrolled into view."""
        return self.value(
            f"(() => {{ const one = document.querySelectorAll({json.dumps(selector)})[{index}];"
            "one.scrollIntoView({ block: 'center' }); const box = one.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()")

    def mouse(self, kind, x, y, **more):
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def move_to(self, x, y):
        # Twice: a chart shows its tooltip for a mouse that moves within it.
        self.mouse("mouseMoved", x - 1, y)
        self.mouse("mouseMoved", x, y)

    def hover(self, selector, index=0):
        self.move_to(*self.middle_of(selector, index))

    def click(self, selector, index=0):
        x, y = self.middle_of(selector, index)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    def drag(self, start, end):
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, button="left", buttons=1, clickCount=1)
        for step in range(1, 6):
            at = [a + (b - a) * step / 5 for a, b in zip(start, end)]
            self.mouse("mouseMoved", *at, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)

    def type(self, text):
        for key in text:
            for kind in ("keyDown", "keyUp"):
                self.send("Input.dispatchKeyEvent", type=kind, key=key,
                          **({"text": key} if kind == "keyDown" else {}))

    def picture(self, file):
        height = self.value("document.documentElement.scrollHeight")
        width = self.value("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 12000), "scale": 1}
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(shot["data"]))

    def print(self, file):
        """The page on A4 with the browser's own margins of 1 cm."""
        printed = self.send("Page.printToPDF", paperWidth=8.27, paperHeight=11.69,
                            printBackground=True)
        file.write_bytes(base64.b64decode(printed["data"]))

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)


def run_checks(check):
    """Runs `check(browser, program, folder, pictures)` as the command line says: PROGRAM [PICTURES].
    Exit code 77 where there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("skipped: there is no chromium (scripts/install_packages installs it)")
        sys.exit(77)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else folder
        pictures.mkdir(parents=True, exist_ok=True)
        browser = Chromium(chromium, folder / "profile")
        try:
            check(browser, sys.argv[1], folder, pictures)
        finally:
            browser.close()
