#!/usr/bin/env python3
"""The page of `stepcast serve` in headless Chromium: a field is edited, and the figures become those
that `predict --format json` prints for the scenario edited alike.

usage: serve_test.py PROGRAM [PICTURES]. Exit code 77 where there is no Chromium."""
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "serve"))
from chromium import run_checks
from server import Server

GUIDE = "scenarios/guide/65b_8_nodes.json"
FIGURES = ("[...document.querySelectorAll('#answer data')].map((one) =>"
           " [one.dataset.pointer, one.value, one.textContent])")
EXPECTED = ["/step_time_s", "/memory/peak_bytes", "/oom_probability", "/tokens_per_s", "/mfu",
            "/cost/usd_per_million_tokens", "/breakdown_s/compute"]


def predicted(program, *arguments):
    answer = subprocess.run([program, "predict", *arguments, "--format", "json"],
                            check=True, capture_output=True, text=True)
    return json.loads(answer.stdout)


def at_pointer(value, pointer):
    for key in pointer.split("/")[1:]:
        value = value[int(key) if isinstance(value, list) else key]
    return value


def check_figures(page, now, baseline):
    """Every figure of the page is that of one result or the other, to the last digit."""
    shown = page.value(FIGURES)
    for pointer, exact, text in shown:
        result = baseline if pointer.startswith("/baseline") else now
        expected = at_pointer(result, pointer.removeprefix("/baseline"))
        assert float(exact) == float(expected), (pointer, exact, expected)
        assert text, pointer
    pointers = {pointer for pointer, _, _ in shown}
    missing = [key for key in EXPECTED if key not in pointers]
    assert not missing, missing


def answered(page):
    return int(page.value("document.documentElement.dataset.answered") or 0)


def wait_for_answer(page, before):
    page.wait_for(f"Number(document.documentElement.dataset.answered) > {before}"
                  " && !document.querySelector('#answer.waiting')")


def field(key):
    return f"[data-field='{key}']"


def edit(page, key, text):
    """Types into a field; how long until the answer is there, in seconds."""
    page.click(field(key))
    page.value(f"document.querySelector(\"{field(key)}\").select()")
    before = answered(page)
    start = time.monotonic()
    page.type(text)
    wait_for_answer(page, before)
    return time.monotonic() - start


def open_page(browser, address):
    page = browser.open(address)
    wait_for_answer(page, 0)
    page.wait_for("document.querySelector(\"#answer data[data-pointer^='/baseline']\") !== null")
    return page


def check_edit(page, program):
    first = predicted(program, GUIDE)
    check_figures(page, first, first)
    seconds = edit(page, "/plan/tensor_parallel", "8")
    edited = predicted(program, GUIDE, "--set", "plan.tensor_parallel=8",
                       "--set", "plan.data_parallel=null")
    assert edited["step_time_s"] != first["step_time_s"]
    check_figures(page, edited, first)
    assert not page.console(), page.console()
    print(f"from the key to the answer: {1000 * seconds:.0f} ms")
    return first, edited


def check_link(browser, page, first, edited):
    """The address alone brings back scenario and baseline."""
    other = open_page(browser, page.value("location.href"))
    check_figures(other, edited, first)
    other.close()


def check_download(page, program, folder, edited):
    page.value("globalThis.keep = (blob) => { globalThis.kept = blob.text(); return 'data:,kept'; };"
               "URL.createObjectURL = globalThis.keep")
    page.click("#download")
    file = folder / "downloaded.json"
    file.write_text(page.value("globalThis.kept"))
    assert predicted(program, str(file))["step_time_s"] == edited["step_time_s"]


def check_baseline(page, edited):
    before = answered(page)
    page.click("#save")
    wait_for_answer(page, before)
    check_figures(page, edited, edited)


def check_wrong(page):
    """What cannot be says where, what and the way out, and the next edit is answered again."""
    edit(page, "/cluster/nodes", "3")
    text = page.value("document.querySelector('#answer').textContent")
    assert "cannot be predicted" in text and "Way out" in text, text
    edit(page, "/batch/micro_batch", "0")
    assert page.value(f"document.querySelector(\"{field('/batch/micro_batch')}\").ariaInvalid") == "true"
    edit(page, "/batch/micro_batch", "1")
    edit(page, "/cluster/nodes", "8")
    assert page.value(f"{FIGURES}.length") > 20


def check_all(browser, program, folder, pictures):
    with Server(program, GUIDE) as server:
        page = open_page(browser, server.address)
        first, edited = check_edit(page, program)
        page.picture(pictures / "serve.png")
        check_link(browser, page, first, edited)
        check_download(page, program, folder, edited)
        check_baseline(page, edited)
        check_wrong(page)
        page.close()
        assert server.stop() == 0


if __name__ == "__main__":
    run_checks(check_all)
