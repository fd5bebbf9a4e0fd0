"""The board in a browser, at the widths of a phone and of a desk: it asks nobody for anything, nothing sticks out, all is in reach.

With ``SCREENSHOTS`` set, the pictures of docs/ are taken again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from assets.reference.units import load_places
from assets.returns.board.site import build
from pipelines.sample import SMALL, generate
from tests.e2e.conftest import Make

WIDTHS = {"desk": (1280, 900), "phone": (390, 844)}
PAGES = ("index.html", "themes/villages.html", "indicators/I26.html", "senders/22333.html", "datasets/villages.html")
DOCS = Path(__file__).parents[2] / "docs"

FAINT = """
const part = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4; };
const light = ([r, g, b]) => .2126 * part(r) + .7152 * part(g) + .0722 * part(b);
const rgba = s => { const [r, g, b, a = 1] = s.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
const under = e => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor);
    if (c[3] > 0) return c; } return [255, 255, 255, 1]; };
const found = [];
const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !e.checkVisibility()) continue;
    const [a, b] = [light(rgba(getComputedStyle(e).color)), light(under(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) found.push([texts.currentNode.data.trim(), (a + .05) / (b + .05)]);
}
return found;
"""
"""Texts whose contrast is below that of WCAG 2.2, 1.4.3 (level AA)."""
CUT = """
return [...document.querySelectorAll('.wide')].filter(
    e => getComputedStyle(e).overflowX != 'visible' || !e.checkVisibility()).length;
"""
"""Tables of which something cannot be seen without scrolling or opening."""
NAMED = {"link", "image", "table", "region", "navigation", "heading", "columnheader", "rowheader"}
"""What a screen reader calls by a name."""


@pytest.fixture(scope="module")
def site(make_world: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public board of a sample province."""
    world, folder = make_world(), tmp_path_factory.mktemp("site")
    names = {s.code: s.name for s in world.pipeline.senders.values() if s.kind == "commune"}
    communes = [(c, names[c]) for c in world.communes[::4]]
    generate(world.home / "inbox", communes=communes, periods=("2025-Q4", "2026-Q1", "2026-Q2"), province=SMALL)
    world.run()
    with world.connection() as connection:
        build(connection, world.pipeline.contracts, load_places(), folder)
    return folder


@pytest.fixture(scope="module", params=list(WIDTHS))
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.fail("chromium is missing: apt-get install --no-install-recommends chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (
        "headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking", "disable-component-update",
        "disable-sync", "disable-quic", "hide-scrollbars", f"user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    found = webdriver.Chrome(options, webdriver.ChromeService(driver))
    width, height = WIDTHS[request.param]
    # a window cannot be as narrow as a phone: the page is told that it is
    found.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": request.param == "phone"},
    )
    yield found
    found.quit()


def test_every_kind_of_page_is_whole_at_both_widths(site: Path, browser: webdriver.Chrome) -> None:
    for page in PAGES:
        browser.get((site / page).as_uri())
        assert not [line for line in browser.get_log("browser") if line["level"] in ("SEVERE", "WARNING")], page
        asked = [m for entry in browser.get_log("performance") if "requestWillBeSent" in (m := entry["message"])]
        assert asked and not [m for m in asked if '"url":"http' in m], page
        # what is wide scrolls within itself
        width = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert width[0] <= width[1], (page, width)
        assert browser.execute_script(FAINT) == [], page
        for image in browser.find_elements(By.TAG_NAME, "img"):
            browser.execute_script("arguments[0].loading = 'eager'; arguments[0].scrollIntoView()", image)
            browser.execute_async_script("arguments[0].decode().then(arguments[1])", image)
            assert image.get_property("naturalWidth"), page
        browser.execute_script("window.scrollTo(0, 0)")


def test_all_is_reached_by_key_in_the_order_of_reading(site: Path, browser: webdriver.Chrome) -> None:
    browser.get((site / "index.html").as_uri())
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    first = browser.switch_to.active_element
    assert first.get_attribute("class") == "skip" and first.is_displayed()
    first.send_keys(Keys.ENTER)
    assert browser.current_url.endswith("#main")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert browser.execute_script("return document.querySelector('main').contains(document.activeElement)")
    # a theme has all that takes the focus: links, tables that scroll, tables to unfold
    browser.get((site / "themes" / "villages.html").as_uri())
    wanted = browser.execute_script(
        "return [...document.querySelectorAll('a[href], summary, [tabindex]')].filter(e => e.checkVisibility())"
    )
    seen = []
    for _ in wanted:
        webdriver.ActionChains(browser).send_keys(Keys.TAB).perform()
        seen.append(browser.switch_to.active_element)
        outline = browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", seen[-1])
        assert outline != "none", seen[-1].get_attribute("outerHTML")
    assert seen == wanted
    folded = next(e for e in wanted if e.tag_name == "summary")
    folded.send_keys(Keys.ENTER)
    assert browser.execute_script("return arguments[0].parentElement.open", folded)


def test_a_screen_reader_has_a_name_for_everything(site: Path, browser: webdriver.Chrome) -> None:
    met = set()
    for page in PAGES:
        browser.get((site / page).as_uri())
        for node in browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]:
            role = node.get("role", {}).get("value")
            if role in NAMED and not node["ignored"]:
                assert node.get("name", {}).get("value"), (page, role)
                met.add(role)
    assert met == NAMED


def test_it_prints_all_that_it_has(site: Path, browser: webdriver.Chrome) -> None:
    browser.get((site / "themes" / "villages.html").as_uri())
    assert len(browser.print_page()) > 10_000
    assert browser.execute_script(CUT) > 0
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    cut = browser.execute_script(CUT)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert cut == 0


def test_the_pictures_of_the_docs(site: Path, browser: webdriver.Chrome, request: pytest.FixtureRequest) -> None:
    width = "phone" if browser.execute_script("return window.innerWidth") < 500 else "desk"
    for page in ("index.html", "indicators/I26.html"):
        browser.get((site / page).as_uri())
        shot = browser.get_screenshot_as_png()
        assert len(shot) > 20_000
        if os.environ.get("SCREENSHOTS"):
            from io import BytesIO

            from PIL import Image

            small = Image.open(BytesIO(shot)).convert("RGB").quantize(64)
            small.save(DOCS / f"board-{Path(page).stem.lower()}-{width}.png", optimize=True)
