"""`lienthong ui` for real: Dagster's web server, daemon and code server. Files are dropped, and GraphQL says what became of them.

With ``SCREENSHOTS`` set, the pictures of docs/ are taken again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from pipelines.dagster_home import ui_command
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, text_csv

DOCS = Path(__file__).parents[2] / "docs"
BOUND = 300
"""Seconds until something must have happened: two cores may be busy."""
MATRIX = """
query { assetNodeOrError(assetKey: {path: ["inbox", "villages"]}) { ... on AssetNode { assetPartitionStatuses {
    ... on MultiPartitionStatuses { primaryDimensionName ranges { primaryDimStartKey primaryDimEndKey secondaryDim {
        ... on DefaultPartitionStatuses { materializedPartitions } } } } } } } }
"""


def _until(found: Callable[[], Any], what: str, server: subprocess.Popen[bytes], log: Path) -> Any:
    end = time.monotonic() + BOUND
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"dagster ended: {log.read_text(errors='replace')[-2000:]}")
        if value := found():
            return value
        time.sleep(1)
    pytest.fail(f"{what} did not happen within {BOUND} s: {log.read_text(errors='replace')[-3000:]}")


class Running:
    """Dagster, up."""

    def __init__(self, world: World, url: str, server: subprocess.Popen[bytes], log: Path) -> None:
        self.world, self.url, self.server, self.log = world, url, server, log

    def ask(self, query: str) -> Any:
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        assert "errors" not in said, said
        return said["data"]

    def matrix(self) -> set[tuple[str, str]]:
        """(period, sender) of what is green in the matrix of inbox/villages."""
        found = self.ask(MATRIX)["assetNodeOrError"]["assetPartitionStatuses"]
        cells = {
            (first, second)
            for part in found["ranges"]
            for first in {part["primaryDimStartKey"], part["primaryDimEndKey"]}
            for second in part["secondaryDim"]["materializedPartitions"]
        }
        return cells if found["primaryDimensionName"] == "period" else {(b, a) for a, b in cells}

    def until(self, found: Callable[[], Any], what: str) -> Any:
        return _until(found, what, self.server, self.log)


@pytest.fixture(scope="module")
def running(make_world: Make, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    world = make_world()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments, environment = ui_command(replace(world.settings, settle_seconds=0.5), host="127.0.0.1", port=port)
    log = tmp_path_factory.mktemp("dagster") / "log"
    with log.open("wb") as out:
        # from a folder that has packages of the same names nowhere near
        server = subprocess.Popen(
            arguments, env=environment, cwd=log.parent, stdout=out, stderr=out, start_new_session=True
        )
    up = Running(world, f"http://127.0.0.1:{port}", server, log)

    def answers() -> bool:
        try:
            said = up.ask("query { repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
            return bool(said["repositoriesOrError"]["nodes"])
        except OSError:
            return False

    try:
        up.until(answers, "the web server")
        yield up
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def test_what_is_dropped_is_published_and_the_matrix_says_so(running: Running) -> None:
    world = running.world
    assert running.matrix() == set()
    communes, periods = world.communes[:3], ("2026-Q1", "2026-Q2")
    rows = text_csv([HEAD, ("Thôn A", "Thôn", 70, 300), ("Thôn B", "Thôn", 80, 310)])
    for period in periods:
        for commune in communes:
            world.drop(commune, rows, "thon.csv", period=period)
    # one that is refused must not be green
    refused = world.home / "inbox" / "2026-Q2" / world.communes[3]
    refused.mkdir()
    (refused / "thon.csv").write_text("Cột lạ,Cột khác\n1,2\n", encoding="utf-8")
    told = "select count(*) from intake.submission where state in ('accepted', 'rejected') and announced_state = state"
    running.until(lambda: world.rows(told) == [(7,)], "the publish")
    green = running.until(lambda: cells if len(cells := running.matrix()) == 6 else None, "the matrix")
    assert green == {(period, code) for period in periods for code in communes}
    assert world.rows("select count(distinct commune_code) from mart_v1.villages") == [(3,)]
    query = "query { runsOrError(limit: 50) { ... on Runs { results { status jobName } } } }"

    def ended() -> list[dict[str, str]] | None:
        runs: list[dict[str, str]] = running.ask(query)["runsOrError"]["results"]
        return runs if {r["status"] for r in runs} <= {"SUCCESS", "FAILURE"} else None

    runs = running.until(ended, "the end of the run")
    assert {r["status"] for r in runs} == {"SUCCESS"} and "main" in {r["jobName"] for r in runs}


def test_the_graph_and_the_matrix_can_be_seen(running: Running, tmp_path: Path) -> None:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.fail("chromium is missing: apt-get install --no-install-recommends chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "no-first-run",
        "hide-scrollbars",
        f"user-data-dir={tmp_path}",
    ):
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        browser.set_window_size(1500, 950)
        for page, name, words in (
            ("/asset-groups", "dagster-graph", ("inbox", "staging", "core", "marts")),
            ("/assets/inbox/villages?view=partitions", "dagster-matrix", ("2026-Q2", running.world.communes[0])),
        ):
            browser.get(running.url + page)

            def shown(words: tuple[str, ...] = words) -> bool:
                text = browser.execute_script("return document.body.innerText")
                return all(word in text for word in words)

            running.until(shown, page)
            time.sleep(3)  # what is drawn moves into its place
            if name == "dagster-matrix":  # the period that was sent
                browser.find_element(By.XPATH, "//*[text()='2026-Q2']").click()
                time.sleep(2)
            if os.environ.get("SCREENSHOTS"):
                browser.save_screenshot(str(DOCS / f"{name}.png"))
    finally:
        browser.quit()
