"""The page of a prediction in use: its timeline says what a span is and zooms, its drawings say how
full a link is."""
import re

from looks import tooltip

TIMELINE = ".chart[aria-label^='What each stage']"
MEMORY = ".chart[aria-label^='Allocated memory']"
NETWORK = ".chart[aria-label^='How full the links of the network']"
TIMES = f"[...document.querySelectorAll(\"{TIMELINE} text\")].map((one) => one.textContent)" \
        ".filter((text) => / s$/.test(text))"


def place_of(page, selector):
    """The position of a chart among all charts."""
    return page.value("[...document.querySelectorAll('.chart')]"
                      f".indexOf(document.querySelector(\"{selector}\"))")


def check_timeline(page, result):
    page.hover(f"{TIMELINE} path[fill='#3f7fd9']", 5)
    text = tooltip(page, place_of(page, TIMELINE))
    assert re.search(r"stage \d+, \w+", text) and "micro-batch" in text, text
    before = page.value(TIMES)
    longest = max(float(text.removesuffix(" s").replace(",", "")) for text in before)
    rounding = 0.05  # the axis ends at the step's end, which its mark writes in three digits
    assert longest <= result["step_time_s"] + rounding, before
    x, y = page.middle_of(TIMELINE)
    for _ in range(4):  # control and the wheel: closer
        page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-240, modifiers=2)
    page.wait_for(f"JSON.stringify({TIMES}) !== {repr(page_json(before))}")
    marks = page.value(f"document.querySelectorAll(\"{TIMELINE} path[fill='#3f7fd9']\").length")
    assert marks > 0, "the zoom shows nothing"


def check_compared_timelines(page, scenarios):
    """One of each scenario, on one scale of time."""
    marks = page.value(f"[...document.querySelectorAll(\"{TIMELINE}\")].map((chart) => "
                       "[...chart.querySelectorAll('text')].map((one) => one.textContent)"
                       ".filter((text) => / s$/.test(text)))")
    assert len(marks) == scenarios and marks[0], marks
    assert all(own == marks[0] for own in marks), marks


def page_json(values):
    """As JSON.stringify writes a list of texts."""
    return "[" + ",".join(f'"{value}"' for value in values) + "]"


def check_memory(page, result):
    stages = {stage["stage"] for stage in result["memory"]["per_stage"]}
    texts = page.value(f"[...document.querySelectorAll(\"{MEMORY} text\")]"
                       ".map((one) => one.textContent)")
    assert {f"stage {stage}" for stage in stages} <= set(texts), texts
    assert any(text.startswith("capacity ") for text in texts), texts
    page.hover(f"{MEMORY} path[transform]", 20)
    assert "allocated" in tooltip(page, place_of(page, MEMORY))


def check_links(page, result):
    network = page.value(f"document.querySelector(\"{NETWORK}\").textContent")
    for name in ["node0", "leaf0", "spine"]:
        assert name in network, network
    page.hover(f"{NETWORK} path[fill='none'][stroke]", 3)
    text = tooltip(page, place_of(page, NETWORK))
    assert re.search(r"GB/s.*full", text, re.S), text


def check_prediction_charts(page, result):
    check_timeline(page, result)
    check_memory(page, result)
    check_links(page, result)
