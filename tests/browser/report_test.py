#!/usr/bin/env python3
"""Opens the pages of --report in headless Chromium: they draw without a word on the console, and
every figure on them is the one of --format json, in its exact value and as it reads.

usage: report_test.py PROGRAM [PICTURES]; PICTURES is a folder for what the pages look like. Exit
code 77 where there is no Chromium."""
import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

from chromium import run_checks
from looks import check_looks, tooltip
from predict_page import check_compared_timelines, check_prediction_charts
from sweep_page import check_long_table, check_sweep_charts

GUIDE = "scenarios/guide/65b_8_nodes.json"
PREDICT = ["predict", GUIDE]
COMPARE = ["compare", "scenarios/guide/65b_4_nodes.json", GUIDE]
VALIDATE = ["validate", "scenarios/validation/bigscience_v100_gpt2.json",
            "scenarios/validation/megatron_sc21_table1.json", "--quiet"]
SWEEP = ["sweep", "scenarios/guide/7b_1_node.json", "--quiet", "--rows", "-"]
EXAMPLES = "docs/examples/calibration"
CALIBRATE = ["calibrate", "--scenario", f"{EXAMPLES}/scenario.json",
             "--nccl-log", f"{EXAMPLES}/all_reduce.txt", "--kernels", f"{EXAMPLES}/kernels.csv"]
TOPOLOGY = ["topology", "show", GUIDE]
SUITE = ["predict", "scenarios/guide/7b_1_node.json", "scenarios/guide/13b_1_node.json"]

# What a unit of the page is in the JSON's base unit.
UNITS = {"": 1, "s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "%": 1e-2, "h": 1, "days": 24,
         "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "tokens/s": 1, "USD": 1,
         "kWh": 1, "TFLOP": 1e12, "PFLOP": 1e15, "EFLOP": 1e18, "GFLOP": 1e9, "TFLOP/s": 1e12,
         "GFLOP/s": 1e9, "PFLOP/s": 1e15, "GB/s": 1e9, "MB/s": 1e6, "kB/s": 1e3,
         "B/s": 1}


class Content(HTMLParser):
    """The figures (<data>), the charts' elements and the text of a page."""

    def __init__(self, dom):
        super().__init__()
        self.figures, self.bars, self.charts, self.text = [], 0, 0, ""
        self.drawn = self.in_figure = False
        self.stack = []
        self.feed(dom)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.drawn |= tag == "html" and attributes.get("data-drawn") == "yes"
        self.charts += attributes.get("class") == "chart"
        self.bars += tag == "path" and attributes.get("fill", "none").startswith("#")
        self.stack.append(tag)
        self.in_figure = tag == "data"
        if self.in_figure:
            self.figures.append([attributes["data-pointer"], float(attributes["value"]), ""])

    def handle_endtag(self, tag):
        if tag in self.stack:
            while self.stack.pop() != tag:
                pass
        self.in_figure = False

    def handle_data(self, data):
        if self.in_figure:
            self.figures[-1][2] += data
        if not {"script", "style"} & set(self.stack):
            self.text += data


def run(arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True)


def at_pointer(value, pointer):
    for key in pointer.split("/")[1:]:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def check_text(pointer, exact, text):
    """As it reads, in three digits, it is the exact value in the unit it names."""
    match = re.fullmatch(r"([<>] )?([+-]?[\d.,]+(?:e[+-]?\d+)?) ?(.*)", text)
    assert match, f"{pointer} reads {text!r}"
    below_or_above, number, unit = match.groups()
    read = float(number.replace(",", "")) * UNITS[unit]
    if pointer.endswith("_bytes") or "/parts_bytes/" in pointer:
        read *= 1 if unit else 2**30  # tables are in GiB, as their caption says
    if below_or_above:
        assert exact < read if below_or_above == "< " else exact > read, (pointer, exact, text)
        return
    rounding = {"%": 0.0006, "": 0.006 * 2**30 if "bytes" in pointer else 0}.get(unit, 0)
    assert abs(read - exact) <= max(0.006 * abs(exact), rounding), (pointer, exact, text)


def check_figures(content, result):
    for pointer, exact, text in content.figures:
        expected = at_pointer(result, pointer)
        assert exact == expected, (pointer, exact, expected)
        check_text(pointer, exact, text)


class Pages:
    """The pages that a program writes, in a browser."""

    def __init__(self, browser, program, folder, pictures):
        self.browser, self.program, self.folder = browser, program, folder
        self.pictures = pictures

    def write(self, name, arguments):
        page_file = self.folder / f"{name}.html"
        result = json.loads(run([self.program, *arguments, "--format", "json",
                                 "--report", str(page_file)]).stdout)
        return result, page_file

    def check(self, name, arguments, keys):
        """The result, its page's content, and the page, still open."""
        result, page_file = self.write(name, arguments)
        page = self.browser.open(page_file)
        assert not page.console(), page.console()
        content = Content(page.dom())
        assert content.drawn, "the page has not finished drawing"
        check_figures(content, result)
        shown = {pointer for pointer, _, _ in content.figures}
        missing = [key for key in keys(result) if key not in shown]
        assert not missing, f"not on the page: {missing}"
        assert content.charts >= 2 and content.bars >= 5 * content.charts, content.charts
        page.picture(self.pictures / f"{name}.png")
        return result, content, page


def result_keys(result, at=""):
    """Where the figures are that a page must show of a result."""
    keys = ["/step_time_s", "/step_time_interval_s/0", "/step_time_interval_s/1", "/tokens_per_s",
            "/mfu", "/memory/peak_bytes", "/memory/capacity_bytes", "/oom_probability"]
    keys += [f"/cost/{key}" for key in result.get("cost", {})]
    keys += [f"/breakdown_s/{key}" for key, time in result["breakdown_s"].items() if time != 0]
    for index, stage in enumerate(result["memory"]["per_stage"]):
        keys += [f"/memory/per_stage/{index}/parts_bytes/{key}"
                 for key, size in stage["parts_bytes"].items() if size != 0]
    return [at + key for key in keys]


def comparison_keys(result):
    keys = [key for index, one in enumerate(result["scenarios"])
            for key in result_keys(one, f"/scenarios/{index}")]
    for index, moved in enumerate(result["moved"]):
        keys += [f"/moved/{index}/breakdown/{key}/change_s"
                 for key, part in moved["breakdown"].items() if part["change_s"] != 0]
    return keys


def validation_keys(result):
    keys = [f"/runs/{index}/{key}" for index, run in enumerate(result["runs"])
            for key in ("predicted", "measured", "error") if run[key] is not None]
    for at, figures in [("", result), *((f"/suites/{index}", suite)
                                        for index, suite in enumerate(result["suites"]))]:
        keys += [f"{at}/{key}" for key in ("step_time_mape", "step_time_bias", "peak_memory_mape",
                                           "interval_coverage_90") if figures[key] is not None]
    return keys + [f"/oom_reliability/{index}/{key}"
                   for index, one in enumerate(result["oom_reliability"])
                   for key in ("mean_probability", "ran", "failed")
                   if one["ran"] + one["failed"] > 0]


def calibration_keys(result):
    keys = [f"/errors/{index}/{key}" for index in range(len(result["errors"]))
            for key in ("median_before", "median_after", "median_left_out")]
    keys += [f"/constants/{index}/{key}" for index, one in enumerate(result["constants"])
             if one["prior_kept"] != 1 for key in ("prior", "value", "spread")]
    return keys + [f"/bus_bandwidths/{curve}/points/{point}/{key}"
                   for curve, one in enumerate(result["bus_bandwidths"])
                   for point in range(len(one["points"]))
                   for key in ("measured_bytes_per_s", "fitted_bytes_per_s")]


def sweep_keys(result):
    keys = [f"/layouts_{key}" for key in ("valid", "bounded", "simulated")]
    return keys + [f"/rows/0/{key}" for key in ("step_time_s", "peak_bytes", "mfu")] + \
        result_keys(result["best"], "/best")


def figure_text(content, pointer):
    return next(text for at, _, text in content.figures if at == pointer)


def check_predictions(pages):
    result, content, page = pages.check("predict", PREDICT, lambda result: result_keys(result)
                                        + [f"/claims/{key}/claimed"
                                           for key in result.get("claims", {})]
                                        + ["/links/0/utilisation", "/links/0/carried_bytes"])
    for text in [result["title"], result["bottleneck"], *result.get("warnings", [])]:
        assert text in content.text, text
    page.hover(".chart path[fill='#3f7fd9']")
    assert figure_text(content, "/breakdown_s/compute") in tooltip(page, 0), tooltip(page, 0)
    check_prediction_charts(page, result)
    page.close()
    pages.check("suite", SUITE, lambda results: [
        key for index, one in enumerate(results) for key in result_keys(one, f"/{index}")])
    hostile = "title=</script><script>console.error(1)</script><!-- <b>bold</b>"
    result, content, page = pages.check("hostile", [*PREDICT, "--set", hostile], result_keys)
    assert result["title"] == hostile.removeprefix("title=") and result["title"] in content.text


def check_comparison(pages):
    result, content, page = pages.check("compare", COMPARE, comparison_keys)
    assert result["moved"][0]["answer"] in content.text
    fall = ".chart[aria-label^='From the step']"
    page.hover(f"{fall} path[fill='#2e9e6b'], {fall} path[fill='#c8553d']")
    text = tooltip(page, 1)
    changes = {figure for at, _, figure in content.figures if at.endswith("change_s")}
    assert any(text.endswith(change) for change in changes), (text, changes)
    check_compared_timelines(page, len(result["scenarios"]))
    page.close()


def check_validation(pages):
    result, content, page = pages.check("validate", VALIDATE, validation_keys)
    for text in ["predicted = measured", "happened as foreseen", "n = "]:
        assert text in content.text, text
    page.hover(".chart path[fill='#3f7fd9']", 2)
    assert "measured " in tooltip(page, 0) and "error " in tooltip(page, 0), tooltip(page, 0)
    page.close()


def check_sweep(pages):
    result, content, page = pages.check("sweep", SWEEP, sweep_keys)
    assert result["title"] in content.text
    check_sweep_charts(page, result)
    page.close()
    check_long_table(pages.browser, pages.folder / "sweep.html", pages.pictures)


def check_calibration(pages):
    """A measured point says what was measured there, and what the fit makes of it."""
    result, content, page = pages.check("calibrate", CALIBRATE, calibration_keys)
    assert len(result["bus_bandwidths"][0]["points"]) == 46
    page.hover(".chart path[fill='#6b7480']", 30)
    text = tooltip(page, 0)
    assert "measured " in text and "90 % of rows between " in text, text
    shown = {figure for at, _, figure in content.figures if at.endswith("measured_bytes_per_s")}
    assert any(f"measured {figure}" in text for figure in shown), text
    page.close()


def topology_keys(result):
    return [f"/link_classes/{index}/bandwidth_bytes_per_s"
            for index in range(len(result["link_classes"]))]


def check_topology(pages):
    """A node and a network of 8 nodes: drawn in full, and a device says what it is."""
    result, content, page = pages.check("topology", TOPOLOGY, topology_keys)
    for name in ["node7", "leaf7", "spine", "gpu7", "nvswitch", "nic7"]:
        assert name in content.text, name
    page.hover(".chart path[fill='#2e6e52']")
    assert "node0/nvswitch" in tooltip(page, 1), tooltip(page, 1)
    page.close()
    # 1,024 nodes, 20 of them a leaf: 51 full groups look alike, the 4 nodes of the last do not.
    arguments = ["topology", "show", "--node", "dgx_a100_80gb", "--nodes", "1024",
                 "--fabric", "hdr_rail"]
    result, content, page = pages.check("topology_1024", arguments, topology_keys)
    for name in ["node0 \u00d7 1020", "node1020 \u00d7 4"]:
        assert name in content.text, content.text
    page.close()


def check_all(pages):
    check_topology(pages)
    check_sweep(pages)
    check_calibration(pages)
    check_predictions(pages)
    check_comparison(pages)
    check_validation(pages)
    for name in ("predict", "compare", "validate", "sweep", "calibrate", "topology"):
        check_looks(pages.browser, pages.folder / f"{name}.html", pages.pictures)


if __name__ == "__main__":
    run_checks(lambda *given: check_all(Pages(*given)))
