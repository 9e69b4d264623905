#!/usr/bin/env python3
"""What `stepcast serve` makes of requests that it should not take: 1,000 malformed ones cost neither a
crash nor memory, nothing outside the folder is read, and Ctrl-C leaves no request half answered.

usage: requests_test.py PROGRAM"""
import copy
import json
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server import Server

GUIDE = "scenarios/guide/65b_8_nodes.json"
SLOW = "scenarios/guide/deepseek_v3_2048_h800.json"
SMALL = {
    "schema": 1,
    "model": {"num_layers": 4, "hidden_size": 512, "num_attention_heads": 8, "vocab_size": 1024},
    "cluster": {"node": "dgx_a100_80gb", "nodes": 2, "fabric": "hdr_rail"},
    "plan": {"tensor_parallel": 2, "pipeline_parallel": 2},
    "batch": {"global_batch": 64, "sequence_length": 128},
    "price": "aws_p4d_24xlarge",
}
JUNK = [None, True, -1, 0, 1e308, -1e-308, 2**63, 10**30, "", "\x00", "\ud800", "400", "NaN GiB", "é" * 999,
        [], {}, [[]], {"base": "x"}, {"base": 1}, [1, "a", None], "../../../../etc/passwd",
        "/proc/self/environ.json", "a/../../b.json", "./" * 500 + "x.json", "x" * 5000]


def exchange(port, raw, whole):
    """What comes back for bytes, whatever they are; after those that are no whole request the client
    says that nothing more comes."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        received = b""
        try:
            connection.sendall(raw)
            if not whole:
                connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(1 << 16):
                received += more
        except OSError:
            pass  # closed while there was still something to read
        return received


def request(port, method="POST", path="/predict", headers=(), body=b"{}", length=None):
    head = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}",
            f"Content-Length: {len(body) if length is None else length}",
            "Content-Type: application/json", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def places(value, at=()):
    """Every path into a JSON value."""
    yield at
    items = value.items() if isinstance(value, dict) else ()
    for key, inside in items:
        yield from places(inside, (*at, key))


def mutated(chance):
    """The small scenario with one value replaced, a key renamed, or a key too many."""
    scenario = copy.deepcopy(SMALL)
    path = chance.choice([one for one in places(scenario) if one])
    parent = scenario
    for key in path[:-1]:
        parent = parent[key]
    kind = chance.randrange(3)
    if kind == 0:
        parent[path[-1]] = chance.choice(JUNK)
    elif kind == 1:
        parent[path[-1] + chance.choice(["x", " ", "/", "~"])] = parent.pop(path[-1])
    else:
        parent[chance.choice(["base", "calibration", "runs", "defaults", "search", "faults"])] = \
            chance.choice(JUNK)
    return json.dumps(scenario).encode()


def broken_json(chance):
    text = json.dumps(SMALL).encode()
    kind = chance.randrange(5)
    if kind == 0:
        return text[:chance.randrange(len(text))]
    if kind == 1:
        return chance.choice([b"[", b'{"a":', b"[{\"b\":"]) * chance.randrange(1, 30000)
    if kind == 2:
        at = chance.randrange(len(text))
        return text[:at] + bytes([chance.randrange(256)]) + text[at + 1:]
    if kind == 3:
        return bytes(chance.randrange(256) for _ in range(chance.randrange(2000)))
    return text + text


def no_request(port, chance):
    good = request(port, body=json.dumps(SMALL).encode())
    return chance.choice([
        lambda: good[:chance.randrange(len(good))],
        lambda: bytes(chance.randrange(256) for _ in range(chance.randrange(1, 3000))),
        lambda: request(port, length=chance.choice(["-1", "abc", 2**64, 10**12, 999])),
        lambda: request(port, headers=["Transfer-Encoding: chunked"], body=b"ffffffffffffffff\r\n{"),
        lambda: b"GET / HTTP/9.9\r\n\r\n",
        lambda: b"\r\n" * 5000,
    ])()


def broken_http(port, chance):
    return chance.choice([
        lambda: request(port, headers=["Content-Encoding: gzip"], body=b"\x1f\x8b" + b"\0" * 500),
        lambda: request(port, headers=["Content-Type: multipart/form-data; boundary=x"]),
        lambda: request(port, headers=[f"Range: bytes={chance.choice(['1-2,', '-,', '1' * 8100])}-"]),
        lambda: request(port, headers=["Range: bytes=" + "1-2," * 2000]),
        lambda: request(port, headers=[f"X-Long: {'x' * 20000}"]),
        lambda: request(port, headers=["Host: evil.example"]),
        lambda: request(port, headers=["Origin: http://evil.example"]),
        lambda: request(port, path="/" + "x" * chance.randrange(20000)),
        lambda: request(port, path="/predict%00", method="GET"),
        lambda: request(port, method=chance.choice(["PUT", "TRACE", "CONNECT", "predict", ""])),
        lambda: request(port, body=b" " * (300 * 1024)),
    ])()


def malformed(port, number):
    """Bytes, and whether they are a whole request."""
    chance = random.Random(number)
    kind = number % 4
    if kind == 0:
        return no_request(port, chance), False
    if kind == 1:
        return broken_http(port, chance), True
    return request(port, body=mutated(chance) if kind == 2 else broken_json(chance)), True


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def fill_stacks(server):
    """The HTTP library reads Range with a regular expression that recurses: once every thread has seen
    the longest, no stack grows any more."""
    raw = request(server.port, headers=[f"Range: bytes={'1' * 8100}-"])
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda _: exchange(server.port, raw, True), range(640)))


def check_malformed(server):
    """Each whole request gets an answer of its own kind; what is none is let go."""
    right = server.predict(SMALL)
    assert right[0] == 200
    statuses = {}
    lock = threading.Lock()

    def send(number):
        raw, whole = malformed(server.port, number)
        status = status_of(exchange(server.port, raw, whole))
        with lock:
            statuses[status] = statuses.get(status, 0) + 1
        assert status is None or status < 500, (number, status, raw[:500])

    fill_stacks(server)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(1000)))
        processes = server.processes()
        before = server.memory()
        list(pool.map(send, range(1000, 2000)))
    grown = server.memory() - before
    print(f"1,000 malformed requests after as many: memory {before / 2**20:.1f} MiB, grown by"
          f" {grown / 2**10:.0f} KiB; answers {dict(sorted(statuses.items(), key=str))}")
    assert statuses[400] > 500, statuses
    assert grown < 3 * 2**20, grown
    assert server.processes() == processes, "a worker has died"
    again = server.predict(SMALL)
    for answer in (right, again):
        del answer[1]["result"]["engine"]["wall_time_s"]
    assert again == right


def check_refusals(server):
    json_type = {"Content-Type": "application/json"}
    text = json.dumps(SMALL)

    def refused(status, method, path, body=None, headers=None):
        got, head, answer = server.ask(method, path, body, headers)
        assert got == status, (method, path, headers, got, answer)
        assert json.loads(answer)["error"]["problem"], answer
        return head

    refused(404, "GET", "/nothing")
    refused(404, "GET", "/../../etc/passwd")
    refused(404, "GET", "/%2e%2e/%2e%2e/etc/passwd")
    assert refused(405, "GET", "/predict")["Allow"] == "POST"
    assert refused(405, "PUT", "/")["Allow"] == "GET"
    refused(415, "POST", "/predict", text, {"Content-Type": "text/plain"})
    refused(415, "POST", "/predict", text, {**json_type, "Content-Encoding": "gzip"})
    refused(413, "POST", "/predict", " " * (256 * 1024 + 1), json_type)
    for host in ["evil.example", f"evil.example:{server.port}", "127.0.0.1", ""]:
        refused(403, "POST", "/predict", text, {**json_type, "Host": host})
    twice = exchange(server.port, request(server.port, headers=["Host: evil.example"]), True)
    assert status_of(twice) == 403, twice
    refused(403, "POST", "/predict", text, {**json_type, "Origin": "http://evil.example"})
    own = {**json_type, "Host": f"localhost:{server.port}",
           "Origin": f"http://localhost:{server.port}"}
    assert server.ask("POST", "/predict", text, own)[0] == 200
    status, head, body = server.ask("HEAD", "/")
    assert (status, body) == (200, b"") and head["X-Frame-Options"] == "DENY"


def check_messages(server):
    """Where, what was found, what was expected, and a way out."""
    def error(**changes):
        status, answer = server.predict({**SMALL, **changes})
        assert status == 400, answer
        return answer["error"]

    wrong = error(model="llama_65")
    assert wrong["pointer"] == "/model" and wrong["hint"] == 'did you mean "llama_65b" or "llama_7b"?'
    wrong = error(plan={"tensor_parallel": "two"})
    assert wrong["pointer"] == "/plan/tensor_parallel"
    assert wrong["problem"] == 'found "two", expected a whole number', wrong
    status, answer = server.predict('{"schema": 1,')
    assert status == 400 and answer["error"]["pointer"].startswith("line 1"), answer


def check_bounds(server):
    """More than a request may cost is refused in time, and others are answered meanwhile."""
    huge = {**SMALL, "batch": {"global_batch": 50000000, "sequence_length": 128}}
    start = time.monotonic()
    status, answer = server.predict(huge)
    seconds = time.monotonic() - start
    assert status == 422 and "predict has no limit" in answer["error"]["hint"], answer
    assert seconds < 20, seconds
    print(f"too much: \"{answer['error']['problem']}\", after {seconds:.1f} s")


def check_folder(program):
    """Files beside the folder are not read by any way; those in it are."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "given"
        folder.mkdir()
        (root / "secret.json").write_text(json.dumps(SMALL["model"]))
        (folder / "own.json").write_text(json.dumps(SMALL["model"]))
        (folder / "link.json").symlink_to(root / "secret.json")
        (folder / "away").symlink_to(root)
        scenario = folder / "scenario.json"
        scenario.write_text(json.dumps(SMALL))
        with Server(program, str(scenario)) as server:
            assert server.predict({**SMALL, "model": "own.json"})[0] == 200
            assert server.predict({**SMALL, "model": "../given/own.json"})[0] == 200
            outside = ["../secret.json", str(root / "secret.json"), "link.json", "away/secret.json",
                       "../given/../secret.json", "../no_such_file.json", "/etc/passwd",
                       "away/given/link.json"]
            for path in outside:
                for model in (path, {"base": path}):
                    status, answer = server.predict({**SMALL, "model": model})
                    assert status == 400, (path, answer)
                    assert "leads out of the folder" in answer["error"]["problem"], answer
            for key in ("price", "calibration"):
                status, answer = server.predict({**SMALL, key: "../secret.json"})
                assert status == 400 and "leads out" in answer["error"]["problem"], answer


def check_stop(program):
    """Ctrl-C: what was asked is answered, nothing is left, and the exit is an answer's."""
    with Server(program, SLOW) as server:
        processes = server.processes()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(server.predict, Path(SLOW).read_text())
            time.sleep(0.3)
            assert server.stop() == 0
            status = running.result()[0]
            assert status in (200, 422), status  # on a busy machine it may have lasted too long
        time.sleep(0.5)
        left = [one for one in processes if Path(f"/proc/{one}").exists()]
        assert not left, left


def check_taken_port(program, server):
    end = subprocess.run([program, "serve", GUIDE, "--port", str(server.port)],
                         capture_output=True, text=True, timeout=60)
    assert end.returncode == 2 and end.stdout == "", end
    assert f"port {server.port} of 127.0.0.1 cannot be had: Address already in use" in end.stderr
    assert "hint: " in end.stderr
    end = subprocess.run([program, "serve", "no/such/file.json"], capture_output=True, text=True,
                         timeout=60)
    assert end.returncode == 2 and end.stdout == "" and "no/such/file.json" in end.stderr, end


def main():
    program = sys.argv[1]
    check_folder(program)
    with Server(program, GUIDE) as server:
        check_refusals(server)
        check_messages(server)
        check_bounds(server)
        check_malformed(server)
        check_taken_port(program, server)
        assert server.stop() == 0
    check_stop(program)


if __name__ == "__main__":
    main()
