"""Every defect is found on its own line, named, and answered with a remedy; a good contract is left in peace."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contract import builtin_folder, load_contracts
from schemas.expectation_types import TYPES
from schemas.lint import (
    COLUMN_PROPERTIES,
    CONTRACT_PROPERTIES,
    ENUM_PROPERTIES,
    RULE_PROPERTIES,
    SERVICE_LEVELS,
    _quick,
    _validator,
    lint_file,
    lint_folder,
)
from schemas.semantic import SEMANTIC_TYPES

from .contracts import GOOD, spoilt, write

_OWN = "  - {property: periodType, value: quarter}\n"
_OF_SENDER = "          - {property: defaultFrom, value: sender}\n"
_NAMES = "          - {{property: {}, value: {}}}\n"
_ID = "semanticType, value: citizen_id}\n"
_GROUPS = "  - {{property: survivorshipGroups, value: [{}]}}\n"
_LAST = "        customProperties:\n          - {property: semanticType, value: date}\n"
_FORMER = (
    "      - name: former\n        businessName: Kế thừa từ\n        logicalType: string\n        customProperties:\n"
    "          - {property: semanticType, value: names}\n          - {property: succeeds, value: true}\n"
)


def test_a_good_contract_and_the_builtin_ones_have_no_findings(tmp_path: Path) -> None:
    write(tmp_path)
    assert lint_folder(tmp_path) == []
    assert lint_folder(builtin_folder()) == []


@pytest.mark.parametrize(
    ("old", "new", "at", "message", "remedy"),
    [
        # the file itself
        ("version: 1.0.0", "version: [", "description", "(in what begins in line 5)", "brackets"),
        ("status: active", "status: active\nstatus: draft", "status: draft", "'status' stands twice", "line 6"),
        ("value: Kiểm tra hai cột.", "value: Kie\u0302\u0309m tra.", "Kie\u0302\u0309m", "NFC", "NFC"),
        ("version: 1.0.0", "version: &v 1.0.0\ndomain: *v", "domain", "alias", "write the value out"),
        # a day of closing without a due day
        (
            "slaProperties:\n  - {property: frequency, value: 1, unit: quarter}\n  - {property: dueDay, value: 7, unit: d}",
            "  - {property: closeAfter, value: 5}\nslaProperties:\n  - {property: frequency, value: 1, unit: quarter}",
            "closeAfter",
            "counts from the due day, and there is none",
            "dueDay",
        ),
        # successors
        (
            "{property: semanticType, value: name}",
            "{property: semanticType, value: name}\n          - {property: succeeds, value: true}",
            "market_name",
            "does not hold names",
            "semanticType names",
        ),
        (
            _LAST,
            _LAST + _FORMER + _FORMER.replace("former", "founders").replace("Kế thừa từ", "Nguồn gốc"),
            "founders",
            "'former' says it already",
            "keep one",
        ),
        (_LAST, _LAST + _FORMER.replace("value: true", "value: yes"), "succeeds", "is not true", "write true"),
        (
            _LAST,
            _LAST + _FORMER.replace("logicalType", "classification: P2\n        logicalType"),
            "former",
            "persons have no successors",
            "leave succeeds out",
        ),
        # a value from the sheet's name
        (
            "{property: semanticType, value: name}",
            "{property: semanticType, value: name}\n          - {property: fromSheet, value: 'Thôn .*'}",
            "fromSheet",
            "is not a regular expression with one group",
            "one group",
        ),
        (
            _OF_SENDER,
            _OF_SENDER + "          - {property: fromSheet, value: '(.*)'}\n",
            "fromSheet",
            "no other column, default or part gives",
            "leave one of the two out",
        ),
        # values spread over several columns
        (
            _LAST,
            _LAST + "          - {property: spread, value: [Nam]}\n",
            "spread",
            "is not a list of sub-headers",
            "at least two",
        ),
        (
            _LAST,
            _LAST + "          - {property: spread, value: [Nam, NAM]}\n",
            "spread",
            "two sub-headers are the same",
            "compared like headers",
        ),
        (
            _LAST,
            _LAST + "          - {property: spread, value: [Chợ, Quầy]}\n",
            "name: opened_on",
            "the sub-header 'Chợ' is a header of 'market_name'",
            "in one place",
        ),
        (
            _LAST,
            _LAST + "          - {property: spread, value: {NAM: [Nam], NU: [Nữ]}}\n",
            "spread",
            "'NAM' is no value of the column's enum",
            "known here",
        ),
        # the standard
        ("status: active", "statuss: active", "statuss", "unknown key 'statuss'", "'status'"),
        ("  purpose: Danh sách chợ.", "  purpose: x\n  purpos: y", "purpos:", "unknown key 'purpos'", "'purpose'"),
        ("{synonym: Chợ}", "{synonim: Chợ, synonym: Chợ}", "synonim", "unknown key 'synonim'", "'synonym'"),
        ("- {synonym: Chợ}", "- Chợ", "- Chợ", "must be of type object", "object"),
        ("{value: H1, label: Hạng một}", "H1", "- H1", "must be of type object", "object"),
        (
            "engine: greatExpectations\n            severity: error",
            "severity: error",
            "id: stalls_bounds",
            "wants engine",
            "add engine",
        ),
        ("{maxLength: 100}", "{maxLenght: 100}", "maxLenght", "unknown key 'maxLenght'", "'maxLength'"),
        ("{minimum: 0}", "{minimum: 0, maxLength: 3}", "maxLength: 3", "maxLength", "known here"),
        ("kind: DataContract", "kind: Contract", "kind: Contract", "'Contract' is no value of kind", "DataContract"),
        ("logicalType: date", "logicalType: day", "logicalType: day", "'day' is no value", "'date'"),
        (
            "logicalType: date",
            "logicalType: date\n        semanticType: date",
            "semanticType: date\n",
            "the standard's semanticType",
            "customProperties",
        ),
        ("logicalType: date", "logicalType: array", "logicalType: array", "is not used here", "string"),
        ("apiVersion: v3.2.0", "apiVersion: v3.1.0", "apiVersion", "apiVersion is v3.1.0", "v3.2.0"),
        ("version: 1.0.0", "version: '1'", "version: '1'", "not major.minor.patch", "1.0.0"),
        # what the standard leaves open and we need
        ("        businessName: Ngày mở\n", "", "name: opened_on", "no businessName", "Vietnamese"),
        ("    businessName: Danh sách chợ\n", "", "name: markets", "no businessName", "Vietnamese"),
        ("  purpose: Danh sách chợ.", "  usage: Danh sách chợ.", "description:", "no purpose", "add purpose"),
        # own properties
        (_OWN, "", "customProperties:", "'periodType' is missing", "month, quarter"),
        (
            _OWN,
            "  - {property: periodTyp, value: quarter}\n",
            "periodTyp,",
            "unknown own property 'periodTyp'",
            "'periodType'",
        ),
        (_OWN, _OWN + _OWN, None, "'periodType' stands twice", "keep one"),
        (
            "{property: delivery, value: snapshot}",
            "{property: delivery, value: full}",
            "value: full",
            "'full' is not one of snapshot",
            "increment",
        ),
        (
            _OWN,
            _OWN + "  - {property: maxBadShare, value: 30}\n",
            "value: 30",
            "30 is not a number from 0 to 1",
            "write",
        ),
        (_OWN, _OWN + "  - {property: maxBadShare, value: true}\n", "maxBadShare", "not a number", "write"),
        (_OWN, _OWN + "  - {property: staleAfter, value: 6 months}\n", "6 months", "is not a duration", "P18M"),
        (_OWN, _OWN + "  - {property: effectiveFrom, value: 2025-02-30}\n", "2025-02-30", "is not a day", "2025-07-01"),
        ("{property: unit, value: quầy}", "{property: units, value: quầy}", "property: units", "'units'", "'unit'"),
        # survivorship
        (
            "{property: unit, value: quầy}",
            "{property: survivorship, value: newest}",
            "value: newest",
            "'newest' is not one of precedence, latest, majority",
            "write one of",
        ),
        ("{property: unit, value: quầy}", "{property: precedence, value: SCT}", "SCT", "not a list", "different texts"),
        (_OWN, _OWN + _GROUPS.format("[stalls]"), "[stalls]", "not a list of lists", "at least two"),
        (_OWN, _OWN + _GROUPS.format("[stalls, used_stall]"), "used_stall]", "there is no column", "'used_stalls'"),
        (_OWN, _OWN + _GROUPS.format("[stalls, market_name]"), "market_name]", "is of the key", "leave it out"),
        (_OWN, _OWN + _GROUPS.format("[stalls, rank], [rank, used_stalls]"), "[stalls, rank]", "in two groups", "one"),
        (
            "          - {property: defaultFrom, value: sender}\n",
            "          - {property: defaultFrom, value: sender}\n          - {property: survivorship, value: latest}\n",
            "property: survivorship",
            "the key column 'commune_code' has a survivorship of its own",
            "leave it out",
        ),
        # names
        ("id: markets", "id: Markets", "id: Markets", "not snake_case", "a-z"),
        ("id: markets", "id: shops", "id: shops", "differs from the file name", "shops.odcs.yaml"),
        ("  - name: markets", "  - name: market", "name: market\n", "differs from the id", "markets"),
        ("name: opened_on", "name: openedOn", "openedOn", "not snake_case", "a-z"),
        ("name: opened_on", "name: _opened", "_opened", "not snake_case", "a-z"),
        ("name: opened_on", "name: " + 51 * "a", 51 * "a", "51 characters", "at most 50"),
        ("name: opened_on", "name: valid_from", "valid_from", "one of the system's own", "another"),
        (
            _OWN + "slaProperties",
            "  - {property: entityId, value: opened_on}\n" + _OWN + "slaProperties",
            "name: opened_on",
            "one of the system's own",
            "another",
        ),
        ("name: opened_on", "name: rank", None, "the column 'rank' stands twice", "keep one"),
        # service levels
        ("value: 1, unit: quarter", "value: 1, unit: month", "unit: month", "differs from periodType", "quarter"),
        ("property: frequency", "property: frequenzy", "frequenzy", "unknown service level", "'frequency'"),
        ("value: 7, unit: d", "value: 32, unit: d", "value: 32", "not a day from 1 to 31", "write"),
        ("value: 7, unit: d", "value: 7", "dueDay", "its unit must be one of d", "unit: d"),
        (
            _OWN,
            _OWN + "  - {property: dueFrom, value: [communes, SCT]}\n",
            "[communes, SCT]",
            "'SCT' is no sender",
            "communes",
        ),
        (
            _OWN,
            _OWN + "  - {property: dueBefore, value: {opened_on: KE_HOACH}}\n",
            "{opened_on: KE_HOACH}",
            "is no column with a list of values",
            "opened_on",
        ),
        # delivery and time
        ("value: asOf}", "value: columns}", "value: columns}", "no column says from when", "validFrom"),
        (
            _OWN,
            _OWN + "  - {property: validFrom, value: opened_on}\n",
            "value: opened_on",
            "validTime is 'asOf'",
            "validTime: columns",
        ),
        (
            _OWN,
            _OWN + "  - {property: validFrom, value: opened}\n",
            "value: opened}",
            "there is no column 'opened'",
            "'opened_on'",
        ),
        (_OWN, _OWN + "  - {property: validFrom, value: stalls}\n", "value: stalls}", "is a integer", "date"),
        ("value: snapshot", "value: events", "value: asOf", "carry their own validity", "columns"),
        (
            "{property: scope, value: commune_code}",
            "{property: scope, value: commune}",
            "value: commune}",
            "there is no column 'commune'",
            "'commune_code'",
        ),
        ("  - {property: scope, value: commune_code}\n", "", "value: ownCommune", "no column says whose", "scope"),
        (
            _OWN,
            _OWN + "  - {property: unsaidWithout, value: market_name}\n",
            "value: market_name",
            "a blank in it is an error",
            "leave required out",
        ),
        # keys
        ("        primaryKeyPosition: 2\n", "", "name: market_name", "needs both", "missing"),
        ("primaryKeyPosition: 2", "primaryKeyPosition: 1", None, "position 1 stands twice", "number"),
        ("primaryKeyPosition: 2", "primaryKeyPosition: 3", "primaryKeyPosition: 3", "positions are [1, 3]", "1 to 2"),
        (
            "        required: true\n        primaryKey: true\n        primaryKeyPosition: 2",
            "        primaryKey: true\n        primaryKeyPosition: 2",
            "name: market_name",
            "may be empty",
            "required",
        ),
        # semantic types
        (
            _LAST,
            "        customProperties: [{property: unit, value: ngày}]\n",
            "name: opened_on",
            "no semanticType",
            "add",
        ),
        ("value: date}", "value: dat}", "value: dat}", "unknown semantic type 'dat'", "'date'"),
        ("value: date}", "value: decimal}", "logicalType: date", "does not make a date", "number"),
        (_LAST, _LAST + "          - {property: width, value: 4}\n", "value: 4", "no option 'width'", "known here"),
        (_LAST, _LAST + "          - {property: minPrecision, value: week}\n", "value: week", "must be one of", "docs"),
        (
            _LAST,
            _LAST + "          - {property: maximum, value: 2030-01-01}\n",
            "2030-01-01",
            "the standard has a place",
            "logicalTypeOptions",
        ),
        ("{maxLength: 100}", "{maxLength: 0}", "maxLength: 0", "maxLength must be a whole number", "docs"),
        (_LAST, _LAST + "          - {property: extract, value: '(a)(b)'}\n", "(a)(b)", "exactly one group", "docs"),
        (_LAST, _LAST + "          - {property: extract, value: '(?=a)(b)'}\n", "(?=a)", "regular expression", "docs"),
        # code lists
        (
            "          - {property: semanticType, value: category}",
            "          - {property: semanticType, value: text}",
            "enum:",
            "only a category has an enum",
            "category",
        ),
        (
            "value: integer}\n      - name: opened_on",
            "value: category}\n      - name: opened_on",
            None,
            "has no values",
            "add enum",
        ),
        ("- value: H2", "- value: H1", "value: H1\n", "'H1' stands twice", "keep one"),
        ("{value: H1, label: Hạng một}", "{value: 1, label: Hạng một}", "{value: 1,", "is not a text", "quotes"),
        ("[Loại II]", "[hạng MOT]", "value: H2", "means 'H1' already", "one value"),
        ("{value: H1, label: Hạng một}", "{value: H1}", "value: H1", "no label", "Vietnamese"),
        # headers
        ("{synonym: Chợ}", "{synonym: 'mã  XÃ:'}", "mã  XÃ", "belongs to 'commune_code' already", "one column"),
        ("{synonym: Chợ}", "{synonym: '…'}", "…", "no letter or digit", "as it is sent"),
        # columns
        ("logicalType: date", "logicalType: date\n        classification: P5", "P5", "'P5' is none", "P0"),
        ("logicalType: date", "logicalType: date\n        classification: P2", "P2", "has no purpose", "add purpose"),
        ("logicalType: date", "logicalType: date\n        classification: P3", "P3", "has no legalGround", "LUAT_CBCC"),
        (
            _LAST,
            _LAST + "          - {property: sameAs, value: opened}\n",
            "value: opened}",
            "no other column",
            "known here",
        ),
        (
            _LAST,
            _LAST + "          - {property: missingCode, value: MISSING_DAY}\n",
            "MISSING_DAY",
            "no cell code",
            "add it there",
        ),
        (
            _LAST,
            _LAST + "          - {property: missingCode, value: MISSING}\n",
            "value: MISSING}",
            "is not required",
            "required: true",
        ),
        (
            "{property: semanticType, value: name}",
            "{property: semanticType, value: name}\n          - {property: defaultFrom, value: asOf}",
            "defaultFrom, value: asOf",
            "only a date or a year",
            "leave",
        ),
        # options that name another column
        (
            _OF_SENDER,
            _OF_SENDER + _NAMES.format("district", "distric"),
            "distric}",
            "no column 'distric'",
            "known here",
        ),
        (
            _OF_SENDER,
            _OF_SENDER + _NAMES.format("district", "stalls"),
            "stalls}",
            "'stalls' is a integer",
            "text or name",
        ),
        (_OF_SENDER, _OF_SENDER + _NAMES.format("sex", "rank"), "rank}", "has no option 'sex'", "known here"),
        (
            "semanticType, value: name}",
            _ID + _NAMES.format("sex", "rank"),
            "value: rank}",
            "NAM and NU",
            "sex",
        ),
        # rules
        ("id: used_within_stalls", "id: stalls_bounds", "id: stalls_bounds\n        type", "stands twice", "another"),
        ("- id: used_within_stalls\n        type", "- type", "- type", "no id", "add id"),
        ("severity: warning", "severity: bad", "severity: bad", "severity must be", "severity: error"),
        (
            "              - {property: remedy, value: Kiểm tra số quầy.}\n",
            "",
            "id: stalls_bounds",
            "no remedy",
            "Vietnamese",
        ),
        (
            "engine: greatExpectations\n        severity: warning",
            "engine: soda\n        severity: warning",
            "id: used_within",
            "only rules of type custom",
            "greatExpectations",
        ),
        (
            "expect_column_values_to_be_between",
            "expect_column_values_to_be_betwen",
            "betwen",
            "unknown expectation",
            "'expect_column_values_to_be_between'",
        ),
        ("{max_value: 5000}", "{maxvalue: 5000}", "maxvalue", "takes no 'maxvalue'", "'max_value'"),
        ("{max_value: 5000}", "{max_value: nhiều}", "nhiều", "is not a number", "write"),
        ("{max_value: 5000}", "{max_value: 5000, mostly: 0.9}", "mostly", "takes no 'mostly'", "known here"),
        (
            "{max_value: 5000}",
            "{max_value: 5000, column: stalls}",
            "column: stalls",
            "takes no 'column'",
            "leave it out",
        ),
        ("{max_value: 5000}", "{}", "implementation:", "needs max_value or min_value", "docs"),
        ("column_B: used_stalls", "column_B: used", "column_B: used", "there is no column 'used'", "'used_stalls'"),
        ("column_B: used_stalls, ", "", "implementation:\n          type", "names no column_B", "add column_B"),
        (
            "column_B: used_stalls",
            "column_B: rank",
            "implementation:\n          type",
            "does not take columns of type",
            "docs",
        ),
        (
            "ignore_row_if: either_value_is_missing",
            "ignore_row_if: nobody",
            "implementation:\n          type",
            "ignore_row_if is none",
            "docs",
        ),
        ("or_equal: true", "or_equal: yes", "or_equal: yes", "'yes' is not true or false", "write"),
    ],
)
def test_each_defect_is_found_where_it_is(
    tmp_path: Path, old: str, new: str, at: str | None, message: str, remedy: str
) -> None:
    text = spoilt(old, new)
    found = lint_file(write(tmp_path, text))
    said = [f for f in found if message in f.message]
    assert said, [str(f) for f in found]
    assert remedy in said[0].remedy
    assert said[0].file.endswith("markets.odcs.yaml")
    if at is not None:
        assert said[0].line == text[: text.index(at)].count("\n") + 1


def test_the_columns_of_a_group_follow_one_rule(tmp_path: Path) -> None:
    text = spoilt(_OWN, _OWN + _GROUPS.format("[stalls, used_stalls]"))
    assert lint_file(write(tmp_path, text)) == []
    latest = spoilt("{property: unit, value: quầy}", "{property: survivorship, value: latest}", text)
    (found,) = lint_file(write(tmp_path, latest))
    assert "'used_stalls' follows another rule than 'stalls'" in found.message and "the same" in found.remedy


def test_two_datasets_that_ask_for_the_same_headers_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    other = spoilt("id: markets", "id: bazaars").replace("- name: markets", "- name: bazaars")
    write(tmp_path, other, "bazaars.odcs.yaml")
    found = lint_folder(tmp_path)
    assert [f.message.partition(" (")[0] for f in found] == ["required headers are the same as those of 'bazaars'"]
    assert not lint_file(tmp_path / "markets.odcs.yaml")
    # one more required header tells them apart
    write(tmp_path, spoilt("logicalType: date", "logicalType: date\n        required: true"))
    assert lint_folder(tmp_path) == []


def test_a_relationship_points_to_something(tmp_path: Path) -> None:
    write(tmp_path, spoilt("units.code", "unit.code"))
    assert "no dataset 'unit'" in lint_folder(tmp_path)[0].message
    write(tmp_path, spoilt("units.code", "units.cod"))
    assert "'units' has no column 'cod'" in lint_folder(tmp_path)[0].message


def test_a_file_of_another_name_or_encoding_is_refused(tmp_path: Path) -> None:
    write(tmp_path, name="markets.yaml")
    assert ["not named <dataset>.odcs.yaml" in f.message for f in lint_folder(tmp_path)].count(True) == 1
    path = write(tmp_path, name="markets.odcs.yaml")
    path.write_bytes(GOOD.encode("utf-16"))
    assert [f.message for f in lint_file(path)] == ["the file is not UTF-8"]
    path.write_text("", encoding="utf-8")
    assert [f.message for f in lint_file(path)] == ["the file is empty"]
    path.write_text("- 1\n", encoding="utf-8")
    assert [f.message for f in lint_file(path)] == ["the file is not a mapping"]


def _paths(value: object, where: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [where, *(p for k, v in inner for p in _paths(v, (*where, k)))]


_DOCUMENT = yaml.safe_load(GOOD)
_PATHS = [p for p in _paths(_DOCUMENT) if p]
_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["property", "value", "x"]), inner),
    max_leaves=4,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.sampled_from(_PATHS), junk=_junk)
def test_no_junk_anywhere_breaks_the_lint(tmp_path: Path, where: tuple[str | int, ...], junk: object) -> None:
    document = yaml.safe_load(GOOD)
    place = document
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = junk
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    path = write(tmp_path, text)
    for finding in lint_folder(tmp_path):
        assert finding.file == str(path)
        assert 1 <= finding.line <= text.count("\n") + 1
        assert finding.message and finding.remedy


@settings(max_examples=100, deadline=None)
@given(where=st.sampled_from(_PATHS), junk=_junk | st.integers(min_value=10**20))
def test_the_quick_validator_answers_as_the_thorough_one(where: tuple[str | int, ...], junk: object) -> None:
    pytest.importorskip("jsonschema_rs")
    document = copy.deepcopy(_DOCUMENT)
    assert _quick()(document)
    place = document
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = junk
    assert _quick()(document) == _validator().is_valid(document)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.sampled_from([p for p in _PATHS if isinstance(p[-1], str) and "kwargs" not in p]))
def test_a_misspelt_key_is_never_dropped_in_silence(tmp_path: Path, where: tuple[str | int, ...]) -> None:
    document = yaml.safe_load(GOOD)
    place = document
    for step in where[:-1]:
        place = place[step]
    place[str(where[-1]) + "q"] = place.pop(where[-1])
    write(tmp_path, yaml.safe_dump(document, allow_unicode=True, sort_keys=False))
    assert any(f"{where[-1]}q" in f.message for f in lint_folder(tmp_path))


_SQUARE = """\
      - name: square
        businessName: Mã quảng trường
        logicalType: string{personal}
        customProperties:
          - {{property: semanticType, value: code}}{more}
    quality:
      - id: used_within_stalls
"""
_PERSONAL = "\n        classification: P2"
_GROUND = "\n          - {property: purpose, value: Tìm}\n          - {property: legalGround, value: LUAT_CBCC}"


@pytest.mark.parametrize(
    ("personal", "more", "found"),
    [
        ("", "", "no indicator and no rule uses the column 'square'"),
        ("", "\n          - {property: indicators, value: [I10, I49]}", None),
        ("", "\n          - {property: use, value: LABEL}", None),
        ("", "\n          - {property: use, value: FUN}", "use: 'FUN' is not one of LABEL, EVIDENCE, REFERENCE"),
        ("", "\n          - {property: indicators, value: [I50]}", "is not a list of indicators I01 to I49"),
        (_PERSONAL, _GROUND, "no indicator and no rule uses the column 'square'"),
        (_PERSONAL, _GROUND + "\n          - {property: use, value: LABEL}", "no indicator and no rule uses"),
        (_PERSONAL, _GROUND + "\n          - {property: use, value: EVIDENCE}", None),
        (_PERSONAL, _GROUND + "\n          - {property: indicators, value: [I22]}", None),
    ],
)
def test_no_column_without_a_use(tmp_path: Path, personal: str, more: str, found: str | None) -> None:
    text = spoilt("    quality:\n      - id: used_within_stalls\n", _SQUARE.format(personal=personal, more=more))
    path = write(tmp_path, text)
    messages = [f.message for f in lint_file(path)]
    assert len(messages) == bool(found) and all(found and found in m for m in messages), messages


def test_limits_of_its_own_are_no_use_of_a_column_and_rules_with_others_are(tmp_path: Path) -> None:
    text = spoilt("column_B: used_stalls", "column_B: stalls", spoilt("when: {rank: H1}", "when: {rank: H2}"))
    (only,) = lint_file(write(tmp_path, text))
    assert "'used_stalls'" in only.message
    # what is not used is no reason to refuse what is
    assert load_contracts([tmp_path])["markets"].column("used_stalls").indicators == ()


def test_a_dataset_of_facts_has_no_successors(tmp_path: Path) -> None:
    facts = spoilt("{property: delivery, value: snapshot}", "{property: delivery, value: facts}").replace(
        _LAST, _LAST + _FORMER
    )
    (found,) = lint_file(write(tmp_path, facts + ""))
    assert "no entities that begin and end" in found.message


def test_the_guide_names_all_that_may_be_written() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "contracts.md").read_text(encoding="utf-8")
    options = {o for t in SEMANTIC_TYPES.values() for o in t.options}
    arguments = {a for t in TYPES.values() for a in t.kwargs}
    own = {*CONTRACT_PROPERTIES, *COLUMN_PROPERTIES, *RULE_PROPERTIES, *ENUM_PROPERTIES, *SERVICE_LEVELS}
    names = {*own, *SEMANTIC_TYPES, *options, *TYPES, *arguments}
    assert {n for n in names if f"`{n}`" not in guide} == set()
