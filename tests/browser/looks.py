"""What holds of every page: it follows a dark screen, fits a phone, prints whole charts, and says a
value where the mouse rests."""

PHONE = (390, 844)
PAPER = 717  # A4 between Chromium's margins of 1 cm, at 96 pixels an inch
PAPER_HEIGHT = 1047

# The contrast of every text of a chart with what it stands on, by WCAG 2.1; the least of them.
LEAST_CONTRAST = """(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((one) => one / 255)
      .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) =>
    (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const ground = light(getComputedStyle(document.querySelector("section")).backgroundColor);
  const texts = [...document.querySelectorAll(".chart svg text")];
  return { ground, least: Math.min(...texts.map((text) =>
    contrast(light(getComputedStyle(text).fill), ground))) };
})()"""

CHARTS = """[...document.querySelectorAll(".chart svg")].map((svg) => {
  const box = svg.getBoundingClientRect();
  return { right: box.right, width: box.width, height: box.height, marks: svg.querySelectorAll("path").length };
})"""


def check_dark(browser, page_file, pictures):
    page = browser.open(page_file, scheme="dark")
    found = page.value(LEAST_CONTRAST)
    assert found["ground"] < 0.05 and found["least"] >= 3, found
    page.picture(pictures / f"{page_file.stem}_dark.png")
    assert not page.console(), page.console()
    page.close()


def check_phone(browser, page_file, pictures):
    page = browser.open(page_file, width=PHONE[0], height=PHONE[1])
    assert page.value("document.documentElement.scrollWidth") <= PHONE[0], "the page scrolls sideways"
    charts = page.value(CHARTS)
    assert all(chart["right"] <= PHONE[0] for chart in charts), charts
    page.picture(pictures / f"{page_file.stem}_phone.png")
    page.close()


def check_paper(browser, page_file, pictures):
    # A listener that was added last hears of the charts as they go to paper.
    page = browser.open(page_file, scheme="dark")
    page.value(f"window.addEventListener('beforeprint', () => {{ window.printed = {CHARTS};"
               "window.ink = getComputedStyle(document.documentElement)"
               ".getPropertyValue('--paper').trim(); })")
    shown = page.value(CHARTS)
    page.print(pictures / f"{page_file.stem}.pdf")
    printed = page.value("window.printed")
    assert len(printed) == len(shown)
    for chart in printed:
        assert chart["width"] <= PAPER and chart["height"] <= PAPER_HEIGHT, chart
        assert chart["marks"] > 0, "an empty chart"
    assert page.value("window.ink") == "#ffffff", "paper is white"
    page.wait_for("document.documentElement.dataset.printing === undefined")
    assert [chart["right"] for chart in page.value(CHARTS)] == [chart["right"] for chart in shown]
    page.close()


def tooltip(page, chart):
    """What a chart says of the mark under the mouse."""
    box = f"document.querySelectorAll('.chart')[{chart}]"
    page.wait_for(f"[...{box}.children].some((one) => !one.querySelector('svg') && "
                  "one.style.opacity !== '0' && one.innerText)")
    return page.value(f"[...{box}.children].filter((one) => !one.querySelector('svg'))"
                      ".map((one) => one.innerText).join(' ')")


def check_looks(browser, page_file, pictures):
    check_dark(browser, page_file, pictures)
    check_phone(browser, page_file, pictures)
    check_paper(browser, page_file, pictures)
