"""``lienthong contracts template``: one workbook or all that are due, never over one that is there, and what is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.pipelines.cli.conftest import House

CALL = ("contracts", "template", "--sender", "22366", "--period")


def test_a_workbook_for_its_owner_with_the_last_list_and_never_written_over(house: House, tmp_path: Path) -> None:
    file = tmp_path / "thon.xlsx"
    done = house(*CALL, "2026-Q3", "villages", "--out", str(file))
    assert (done.code, stat.S_IMODE(file.stat().st_mode)) == (0, 0o600) and str(file) in done.err.replace("\n", "")
    page = load_workbook(file).worksheets[0]
    own = house.query(
        "select count(*) from mart_v1.villages_history where commune_code = '22366' and valid_to is null and carried_since is null"
    )[0][0]
    assert own > 1 and sum(page.cell(n, 1).value is not None for n in range(9, page.max_row + 1)) == own
    before = file.read_bytes()
    again = house(*CALL, "2026-Q3", "villages", "--out", str(file))
    assert again.code == 2 and "name another file" in again.err and file.read_bytes() == before


def test_all_that_is_due(house: House, tmp_path: Path) -> None:
    assert house(*CALL, "2026-Q3", "--all", "--out", str(tmp_path / "quy_3")).code == 0
    made = {p.name for p in (tmp_path / "quy_3").iterdir()}
    assert made == {"digital_transformation_22366_2026-Q3.xlsx", "villages_22366_2026-Q3.xlsx"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("2026-Q3",), "name a dataset"),
        (("2026-Q3", "villages", "--all"), "name a dataset"),
        (("2026-Q3", "thon"), "there is no dataset thon"),
        (("2026-Q3", "organizations"), "22366 does not send organizations"),
        (("2026-09", "villages"), "villages is sent by the quarter"),
        (("quy 3", "villages"), "not a period"),
        (("2026-H1", "--all"), "nothing is due"),
        (("2026-Q3", "villages", "--sender", "99999"), "there is no sender 99999"),
    ],
)
def test_what_is_refused(house: House, asked: tuple[str, ...], said: str) -> None:
    done = house(*CALL, *asked)
    assert done.code == 2 and said in done.err
