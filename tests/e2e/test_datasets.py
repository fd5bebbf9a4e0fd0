"""A dataset is one file: contracts written by the test, in a folder of its own, and data run through them; no Python.

Each way in which a contract may speak: facts of a period, increments of several senders, events with validity of their
own, lists; then what happens when a contract changes.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from assets.core.decisions import waive
from schemas.contract import ContractError
from schemas.tables import ShapeRefused
from tests.e2e.conftest import Make
from tests.e2e.flows import World, codes, said, text_csv, worded, workbook


def column(name: str, label: str, kind: str, logical: str = "string", /, **more: Any) -> dict[str, Any]:
    """A column; keys of the standard as they are, further own properties in ``own``."""
    own = {"semanticType": kind, **more.pop("own", {})}
    if "key" in more:
        more |= {"required": True, "primaryKey": True, "primaryKeyPosition": more.pop("key")}
    if "synonyms" in more:
        more["synonyms"] = [{"synonym": s} for s in more["synonyms"]]
    properties = [{"property": k, "value": v} for k, v in own.items()]
    return {"name": name, "businessName": label, "logicalType": logical, **more, "customProperties": properties}


def rule(id_: str, kind: str, severity: str, /, **kwargs: Any) -> dict[str, Any]:
    own = [
        {"property": "message", "value": f"Quy tắc {id_} không đạt."},
        {"property": "remedy", "value": "Kiểm tra lại số liệu."},
    ]
    implementation = {"type": kind, "kwargs": kwargs}
    return {
        "id": id_, "type": "custom", "engine": "greatExpectations", "severity": severity,
        "implementation": implementation, "customProperties": own,
    }  # fmt: skip


def contract(
    dataset: str, title: str, columns: list[dict[str, Any]], /, version: str = "1.0.0", quality: Any = (), **own: Any
) -> dict[str, Any]:
    table: dict[str, Any] = {"name": dataset, "logicalType": "object", "businessName": title, "properties": columns}
    if quality:
        table["quality"] = list(quality)
    return {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": dataset,
        "name": title,
        "version": version,
        "status": "active",
        "description": {"purpose": f"{title}."},
        "team": {"name": "Sở Công Thương"},
        "customProperties": [{"property": k, "value": v} for k, v in own.items()],
        "slaProperties": [{"property": "frequency", "value": 1, "unit": own["periodType"]}],
        "schema": [table],
    }


COMMUNE = column(
    "commune_code", "Mã xã", "commune_code", key=1, relationships=[{"to": "units.code"}], own={"defaultFrom": "sender"}
)

PRICES = contract(
    "market_prices",
    "Giá hàng ở chợ",
    [
        COMMUNE,
        column("goods", "Mặt hàng", "name", key=2, synonyms=["Tên hàng"], logicalTypeOptions={"maxLength": 60}),
        column("grade", "Hạng", "category", enum=[{"value": "A", "label": "Hạng một"}, {"value": "B", "label": "Hạng hai"}]),
        column(
            "price", "Giá", "money", "integer", required=True,
            quality=[rule("price_plausible", "expect_column_values_to_be_between", "error", min_value=500)],
        ),
        column("share", "Tỷ lệ tăng", "percent", "number"),
        column("surveyed_on", "Ngày khảo sát", "date", "date", logicalTypeOptions={"minimum": "2020-01-01"}),
        column("estimate", "Giá ước", "money", "integer"),
    ],
    quality=[
        rule(
            "price_at_most_estimate", "expect_column_pair_values_a_to_be_greater_than_b", "warning",
            column_A="estimate", column_B="price", or_equal=True, ignore_row_if="either_value_is_missing",
        )
    ],
    delivery="facts", validTime="period", senderScope="ownCommune", scope="commune_code", senders=["communes"],
    periodType="month", entityId="price_id",
)  # fmt: skip

LICENCES = contract(
    "licences",
    "Giấy phép",
    [
        column("licence_no", "Số giấy phép", "code", key=1, own={"upper": True}),
        column("holder", "Chủ thể", "name", required=True),
        column("fee", "Lệ phí", "money", "integer", required=True),
    ],
    delivery="increment", validTime="asOf", senderScope="all", senders=["SNV", "STC"], precedence=["STC", "SNV"],
    periodType="quarter", staleAfter="P6M",
)  # fmt: skip

POSTS = contract(
    "posts",
    "Nhiệm kỳ",
    [
        column("post", "Chức danh", "name", key=1),
        column("holder", "Người giữ", "name", required=True),
        column("started", "Từ ngày", "date", "date", required=True),
        column("ended", "Đến ngày", "date", "date", own={"inclusiveEnd": True}),
    ],
    delivery="events", validTime="columns", validFrom="started", validTo="ended", senderScope="all",
    senders=["departments"], periodType="quarter",
)  # fmt: skip

PRICE_HEAD = ("Mặt hàng", "Hạng", "Giá", "Tỷ lệ tăng", "Ngày khảo sát", "Giá ước")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contracts")


@pytest.fixture(scope="module")
def market(make_world: Make, folder: Path) -> World:
    """Three contracts, and a first run of each kind of file."""
    world = make_world(contracts=(folder,))
    for document in (PRICES, LICENCES, POSTS):
        world.contract(document)
    one, two = world.communes[:2]
    rows: list[tuple[Any, ...]] = [
        ("Gạo", "Hạng một", "18.500", "2,5%", "15/01/2026", "19.000"),
        ("Thịt", "B", "120 nghìn đồng", "", "", ""),
        ("Rau", "A", "400", "", "", ""),
        ("Cá", "C", "50.000", "", "", ""),
        ("Muối", "", "5.000", "", "31/02/2026", "4.000"),
        ("Mắm", "", "45.000", "12", "1/2/2026", "40.000"),
    ]
    world.drop(one, text_csv([PRICE_HEAD, *rows], ";", "utf-8-sig", "\r\n"), "gia.csv", period="2026-01")
    book = [("BẢNG GIÁ",), ("STT", *PRICE_HEAD), (1, "Gạo", "A", 18_000, None, None, None), (2, "Cá", "A", 51_000)]
    world.drop(two, workbook(book), "gia.xlsx", period="2026-01")
    world.drop(one, text_csv([PRICE_HEAD, ("Gạo", "A", "19000", "", "", "")]), "gia.csv", period="2026-03")
    licence_head = ("Số giấy phép", "Chủ thể", "Lệ phí")
    world.drop("SNV", workbook([licence_head, ("gp-01", "A", 100), ("GP-02", "B", 200)]), "gp.xlsx", period="2025-Q4")
    world.drop(
        "SNV", workbook([licence_head, ("GP-02", "B", "chưa rõ"), ("GP-03", "C", 300)]), "gp.xlsx", period="2026-Q1"
    )
    world.drop("STC", workbook([licence_head, ("GP-02", "B khác", 222)]), "gp.xlsx", period="2026-Q2")
    world.drop("STC", workbook([licence_head, ("GP-04", "D", 400)]), "gp.xlsx", period="2025-Q4")
    world.drop("SNV", workbook([licence_head, ("GP-04", "D khác", 444)]), "gp_2.xlsx", period="2026-Q1")
    post_head = ("Chức danh", "Người giữ", "Từ ngày", "Đến ngày")
    posts = [
        ("Chủ tịch", "A", "01/07/2025", "31/12/2025"),
        ("Bí thư", "C", "01/07/2025", None),
        ("Phó", "D", "01/07/2025", "30/06/2025"),  # ends before it begins
        ("Ủy viên", "G", "01/07/2025", "01/07/2025"),  # one day
    ]
    world.drop("SNV", workbook([post_head, *posts]), "nk.xlsx", period="2025-Q4")
    world.drop(
        "SNV",
        workbook([post_head, ("Chủ tịch", "B", "1/1/2026", None), ("Bí thư", "E", "15/02/2026", None)]),
        "nk.xlsx",
        period="2026-Q1",
    )
    world.run()
    return world


def _prices(world: World, sender: str) -> list[tuple[Any, ...]]:
    return world.rows(
        "select goods, grade, price, share, surveyed_on, valid_from, valid_to from mart_v1.market_prices "
        "where commune_code = %s order by valid_from, goods",
        [sender],
    )


JANUARY, MARCH = (date(2026, 1, 1), date(2026, 2, 1)), (date(2026, 3, 1), date(2026, 4, 1))


def test_facts_of_a_period(market: World) -> None:
    one, two = market.communes[:2]
    rows = [(r[0], r[1], r[2], None if r[3] is None else float(r[3]), *r[4:]) for r in _prices(market, one)]
    assert rows == [
        ("Gạo", "A", 18_500, 2.5, date(2026, 1, 15), *JANUARY),
        ("Mắm", None, 45_000, 12.0, date(2026, 2, 1), *JANUARY),
        ("Thịt", "B", 120_000, None, None, *JANUARY),
        ("Gạo", "A", 19_000, None, None, *MARCH),
    ]
    assert [(r[0], r[2]) for r in _prices(market, two)] == [("Cá", 51_000), ("Gạo", 18_000)]
    answered = market.submission(f"2026-01/{one}/gia.csv")
    assert said(answered) == {("C4", "price_plausible"), ("B5", "NOT_IN_LIST"), ("E6", "BAD_DATE")}
    assert said(answered, "warning") == {("F6", "price_at_most_estimate"), ("F7", "price_at_most_estimate")}
    assert (answered["counts"]["flagged"], answered["state"]) == (2, "partly")
    worded(answered)


def test_results_of_checks_are_kept(market: World) -> None:
    found = market.rows(
        "select check_id, status, unexpected from staging.check_result c join intake.submission s using (assessment_no) "
        "where s.sender = %s and s.period = '2026-01' order by 1",
        [market.communes[0]],
    )
    assert ("price_plausible", "failed", 1) in found
    assert ("price_at_most_estimate", "failed", 2) in found
    assert {status for _, status, _ in found} == {"passed", "failed"}


def test_increments_of_two_senders_with_precedence_and_staleness(market: World) -> None:
    rows = market.rows(
        "select licence_no, holder, fee, valid_from, valid_to, carried_since from mart_v1.licences_history order by 1, 4"
    )
    q4, q1, q2 = date(2025, 12, 31), date(2026, 3, 31), date(2026, 6, 30)
    assert rows == [
        ("GP-01", "A", 100, q4, q2, None),  # not said again within six months
        ("GP-02", "B", 200, q4, q2, q1),  # its correction was no number: the last value carries on, flagged
        ("GP-02", "B khác", 222, q2, date(2026, 12, 30), None),  # the better sender has spoken
        ("GP-03", "C", 300, q1, date(2026, 9, 30), None),
        ("GP-04", "D", 400, q4, q2, None),
        ("GP-04", "D khác", 444, q2, date(2026, 9, 30), None),  # said in March, heard once the better one fell silent
    ]
    assert market.proved("licences") == len(rows)


def test_events_carry_their_own_validity(market: World) -> None:
    rows = market.rows("select post, holder, valid_from, valid_to from mart_v1.posts_history order by 1, 3")
    assert rows == [
        ("Bí thư", "C", date(2025, 7, 1), date(2026, 2, 15)),
        ("Bí thư", "E", date(2026, 2, 15), None),
        ("Chủ tịch", "A", date(2025, 7, 1), date(2026, 1, 1)),
        ("Chủ tịch", "B", date(2026, 1, 1), None),
        ("Ủy viên", "G", date(2025, 7, 1), date(2025, 7, 2)),
    ]
    assert market.proved("posts") == len(rows)
    answered = market.submission("2025-Q4/SNV/nk.xlsx")
    assert said(answered) == {("D4", "posts.ended.after_started")}
    worded(answered)


def test_later_words_about_facts_replace_and_a_waived_rule_lets_a_row_in(market: World) -> None:
    one = market.communes[0]
    rows = [("Gạo", "A", "18.600", "", "", ""), ("Rau", "A", "400", "", "", "")]
    place = market.drop(one, text_csv([PRICE_HEAD, *rows], ";"), "gia_sua.csv", period="2026-01")
    market.run()
    assert [(r[0], r[2]) for r in _prices(market, one) if r[5] == JANUARY[0]] == [("Gạo", 18_600)]
    submission = market.submission(place)["submission_id"]
    with market.connection() as connection:
        waive(connection, submission, rule="price_plausible", row=3, reason="giá thật", by="tỉnh")
    market.run()
    assert [(r[0], r[2]) for r in _prices(market, one) if r[5] == JANUARY[0]] == [("Gạo", 18_600), ("Rau", 400)]
    assert market.answer(submission)["state"] == "accepted"


WELLS = contract(
    "wells",
    "Giếng khoan",
    [
        COMMUNE,
        column("well", "Tên giếng", "name", key=2),
        column("owner", "Chủ giếng", "name"),
        column("depth", "Độ sâu", "decimal", "number", required=True),
    ],
    delivery="snapshot", validTime="asOf", senderScope="ownCommune", scope="commune_code", senders=["communes"],
    periodType="quarter",
)  # fmt: skip


def _changed(document: dict[str, Any], version: str, *columns: dict[str, Any]) -> dict[str, Any]:
    (table,) = document["schema"]
    return {**document, "version": version, "schema": [{**table, "properties": list(columns)}]}


def test_a_contract_changes(make_world: Make, tmp_path: Path) -> None:
    world = make_world(contracts=(tmp_path,))
    world.contract(WELLS)
    one, two, three = world.communes[:3]
    strange = world.drop(three, text_csv([("Giếng nước", "Chiều sâu"), ("G5", "5")]), "gieng.csv")
    place = world.drop(
        one, workbook([("Tên giếng", "Chủ giếng", "Chiều sâu"), ("G1", "A", "12,5"), ("G2", "A", 30)]), "gieng.xlsx"
    )
    world.drop(two, workbook([("Tên giếng", "Độ sâu", "Năm khoan"), ("G9", 9, 1999)]), "gieng.xlsx")
    world.run()
    refused = world.submission(place)
    assert codes(refused) == ["MISSING_HEADER"]
    assert "“Chiều sâu”" in refused["problems"][0]["message"]
    assert codes(world.submission(strange)) == ["UNKNOWN_DATASET"]

    # spellings are added: what was refused is understood when it is read again
    commune, well, owner, depth = WELLS["schema"][0]["properties"]
    depth = {**depth, "synonyms": [{"synonym": "Chiều sâu"}]}
    well = {**well, "synonyms": [{"synonym": "Giếng nước"}]}
    world.contract(_changed(WELLS, "1.1.0", commune, well, owner, depth))
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        replayed = pipeline.replay(connection)
        pipeline.publish(connection)
    assert len(replayed.staged) == 3 and replayed.rejected == []
    world.conserved()
    wells = "select commune_code, well, depth::float from mart_v1.wells_history where valid_to is null order by 1, 2"
    assert world.rows(wells) == [(one, "G1", 12.5), (one, "G2", 30.0), (two, "G9", 9.0), (three, "G5", 5.0)]
    for origin in (place, strange):
        assert [a["state"] for a in world.submissions(origin)] == ["accepted"]
    versions = "select contract_version, count(*) from intake.assessment group by 1 order by 1"
    assert world.rows(versions) == [("1.0.0", 1), ("1.1.0", 3)]

    # a column is added: the tables follow, and what is read again fills it
    year = column("drilled", "Năm khoan", "integer", "integer")
    world.contract(_changed(WELLS, "1.2.0", commune, well, owner, depth, year))
    pipeline = world.pipeline
    with pipeline.connection() as connection:
        pipeline.replay(connection, dataset="wells")
        pipeline.publish(connection)
    world.conserved()
    assert world.rows("select well, drilled from mart_v1.wells order by 1") == [
        ("G1", None),
        ("G2", None),
        ("G5", None),
        ("G9", 1999),
    ]

    # a column is taken away, or changes its type: refused, with what would have to be done
    world.contract(_changed(WELLS, "2.0.0", commune, well, owner, depth))
    with pytest.raises(ShapeRefused) as refusal, world.pipeline.connection():
        pass
    assert refusal.value.plan == ["column drilled is gone"]
    world.contract(_changed(WELLS, "2.0.0", commune, well, owner, depth, column("drilled", "Năm khoan", "text")))
    with pytest.raises(ShapeRefused) as refusal, world.pipeline.connection():
        pass
    assert refusal.value.plan == ["column drilled was bigint, is text"]
    assert world.rows("select count(*) from mart_v1.wells") == [(4,)]


def test_a_wrong_contract_is_refused_with_its_line(make_world: Make, tmp_path: Path) -> None:
    world = make_world(contracts=(tmp_path,))
    (table,) = WELLS["schema"]
    world.contract({**WELLS, "schema": [{**table, "propertees": []}]})
    with pytest.raises(ContractError) as refusal:
        world.run()
    assert any("propertees" in f.message and f.line > 1 for f in refusal.value.findings)
