"""A running `stepcast serve`, on a port of its own."""
import http.client
import json
import signal
import subprocess
from pathlib import Path


class Server:
    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([program, "serve", *arguments, "--port", "0"],
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), self.address
        self.port = int(self.address.rstrip("/").rsplit(":", 1)[1])

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def predict(self, body):
        """Status and JSON of the answer to a scenario."""
        text = body if isinstance(body, (str, bytes)) else json.dumps(body)
        status, _, answer = self.ask("POST", "/predict", text, {"Content-Type": "application/json"})
        return status, json.loads(answer)

    def processes(self):
        """The server and its worker processes that are there all the time."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def memory(self):
        """Bytes that they have in memory together."""
        pages = [int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in self.processes()]
        return 4096 * sum(pages)

    def stop(self, how=signal.SIGINT, seconds=20):
        """Its exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
