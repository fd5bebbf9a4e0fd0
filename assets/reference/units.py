"""The lists of reference: administrative units with their dates, the crosswalk of 1 July 2025, and the senders.

Here: reading them from the pinned data files of the package ``vietnamadminunits`` (whose own modules are never
imported: they are slow and guess), or from a folder of CSV files put in their place. Not here: finding the unit that a
text means (:mod:`assets.reference.resolver`), the tables in the database (:mod:`assets.reference.store`).

A code means something only with a date: all 65 codes that Khánh Hòa has since 1 July 2025 are codes of older units that
were used again. So every unit carries ``[valid_from, valid_to)``; null means since ever, or still.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from schemas.text import clean_text

from .workdays import known_exceptions, read_exceptions

PACKAGE = "vietnamadminunits"
HERE = Path(__file__).parent
REFORM = date(2025, 7, 1)
"""Two levels since then, no districts (domain.md §3); the first day of every current unit."""

TYPES = {
    "XA": "Xã", "PHUONG": "Phường", "DAC_KHU": "Đặc khu", "THI_TRAN": "Thị trấn",
    "QUAN": "Quận", "HUYEN": "Huyện", "THI_XA": "Thị xã", "THANH_PHO": "Thành phố", "TINH": "Tỉnh",
}  # fmt: skip
"""Unit type -> the word that its official name begins with."""

UNIT_SCHEMA = pl.Schema({
    "code": pl.String, "name": pl.String, "type": pl.String, "level": pl.String, "parent_code": pl.String,
    "province_code": pl.String, "district_name": pl.String, "valid_from": pl.Date, "valid_to": pl.Date,
})  # fmt: skip
CHANGE_SCHEMA = pl.Schema({
    "old_code": pl.String, "old_name": pl.String, "new_code": pl.String, "new_name": pl.String,
    "kind": pl.String, "effective_date": pl.Date,
})  # fmt: skip
HOW = {"merged": "TOAN_BO", "divided": "MOT_PHAN"}
"""Column ``how`` of commune_changes.csv -> kind of a change."""
SENDER_SCHEMA = pl.Schema({
    "code": pl.String, "name": pl.String, "kind": pl.String, "commune_code": pl.String, "valid_from": pl.Date,
    "valid_to": pl.Date, "successor": pl.String,
})  # fmt: skip


@dataclass(frozen=True)
class Reference:
    """All lists of one version, for one province's pipeline.

    ``units``: code, name, type (a key of :data:`TYPES`), level (province, district, commune), parent_code,
    province_code, district_name (old communes), valid_from, valid_to (Date, half-open; null = since ever, still). Codes
    are text of 2 (province), 3 (district) and 5 digits (commune), so a code and a day name one unit at most.

    ``changes``: old_code, old_name, new_code, new_name, kind (TOAN_BO, or MOT_PHAN: the old unit is split over
    several), effective_date. An island district that had no communes stands there with its district code.

    ``senders``: code, name, kind (commune, department, office), commune_code (communes only), valid_from, valid_to (Date,
    half-open; null = since ever, still), successor (code of the sender that answers for it since it ended, where there is one).

    ``days_off``: the exceptions among days of the week (:data:`assets.reference.workdays.SCHEMA`).
    """

    units: pl.DataFrame
    changes: pl.DataFrame
    senders: pl.DataFrame
    province: str
    source: str
    days_off: pl.DataFrame = field(default_factory=known_exceptions)

    @cached_property
    def version(self) -> str:
        """The source and a hash of what was read from it: other lists, other version.

        The SQL function that stands beside the lists in the database counts as one of them.
        """
        digest = hashlib.sha256((HERE / "unit_at.sql").read_bytes())
        for frame in (self.units, self.changes, self.senders, self.days_off):
            digest.update(frame.write_csv().encode())
        return f"{self.source}, {digest.hexdigest()[:12]}"

    def unit_at(self, code: str, on: date) -> dict[str, Any] | None:
        """The row of ``units`` that the code names on that day; None where it names nothing then."""
        found = self.units.filter(
            pl.col("code") == code,
            pl.col("valid_from").is_null() | (pl.col("valid_from") <= on),
            pl.col("valid_to").is_null() | (pl.col("valid_to") > on),
        )
        return found.row(0, named=True) if found.height else None


def load_reference(folder: Path | None = None, province: str = "56") -> Reference:
    """The real lists, or those of ``folder`` (setting LIENTHONG_REFERENCE) in their place.

    ``province`` is the code of the province whose communes and departments send. ``folder`` holds ``communes.csv``
    (code, name) and, where wanted, ``agencies.csv`` (code, name) and ``commune_changes.csv`` (old_code, old_name,
    new_code, how ``merged`` or ``divided``, effective); the type of a unit is read from the first word of its name, and
    every unit counts to ``province``. Raises :class:`ValueError`, saying file and remedy, for lists that cannot be
    used.
    """
    return _from_package(province) if folder is None else _from_folder(folder, province)


def load_places(folder: Path | None = None, province: str = "56") -> dict[str, tuple[float, float]]:
    """Code -> (latitude, longitude) of the centre of each commune of the province, in degrees; empty for lists of one's own
    (``folder``), which say nothing of places."""
    if folder is not None:
        return {}
    connection = sqlite3.connect(f"{_data().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        rows = connection.execute(
            "select wardCode, wardLat, wardLon from admin_units where provinceCode = ? and wardLat is not null order by 1",
            [province],
        ).fetchall()
    finally:
        connection.close()
    return {code: (lat, lon) for code, lat, lon in rows}


def _data() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"the package {PACKAGE} is not installed; install the requirements of this project")
    return Path(spec.submodule_search_locations[0]) / "data" / "dataset.db"


def type_of(name: pl.Expr) -> pl.Expr:
    """Type of a unit from the first word or words of its official name; null where there is none."""
    result, name = pl.lit(None, pl.String), name.str.to_lowercase()
    for code, word in TYPES.items():
        result = pl.when(name.str.starts_with(word.lower() + " ")).then(pl.lit(code)).otherwise(result)
    return result


@lru_cache(maxsize=2)  # the package is data: it stays as it is while a process runs
def _from_package(province: str) -> Reference:
    connection = sqlite3.connect(f"{_data().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        new = _query(
            connection, "admin_units", ("provinceCode", "province", "wardCode", "ward", "provinceKey", "wardKey")
        )  # fmt: skip
        old = _query(
            connection, "admin_units_legacy",
            ("provinceCode", "province", "districtCode", "district", "wardCode", "ward",
             "provinceKey", "districtKey", "wardKey"),
        )  # fmt: skip
    finally:
        connection.close()
    none = pl.lit(None, pl.String)
    before, since = (pl.lit(None, pl.Date), pl.lit(REFORM)), (pl.lit(REFORM), pl.lit(None, pl.Date))
    units = pl.concat(
        [
            _units(new, "provinceCode", "province", "province", none, none, since),
            _units(old, "provinceCode", "province", "province", none, none, before),
            _units(old, "districtCode", "district", "district", pl.col("provinceCode"), none, before),
            _units(old, "wardCode", "ward", "commune", pl.col("districtCode"), pl.col("district"), before),
            _units(new, "wardCode", "ward", "commune", pl.col("provinceCode"), none, since),
        ]
    )
    changes = _package_changes(_data().with_name("converter_2025.json"), old, new)
    return _reference(units, changes, province, HERE / "departments.csv", f"{PACKAGE} {package_version(PACKAGE)}")


def _query(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> pl.DataFrame:
    rows = connection.execute(f"select {', '.join(columns)} from {table}").fetchall()
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")


def _units(
    source: pl.DataFrame,
    code: str,
    name: str,
    level: str,
    parent: pl.Expr,
    district: pl.Expr,
    valid: tuple[pl.Expr, pl.Expr],
) -> pl.DataFrame:
    return (
        source.select(
            code=pl.col(code),
            name=pl.col(name),
            type=type_of(pl.col(name)),
            level=pl.lit(level),
            parent_code=parent,
            province_code=pl.col("provinceCode"),
            district_name=district,
            valid_from=valid[0],
            valid_to=valid[1],
        )  # fmt: skip
        .drop_nulls("code")
        .unique(maintain_order=True)
    )


def _package_changes(path: Path, old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """The crosswalk, from the package's keys ('tinhkhanhhoa_huyencamlam_xacamtan') to codes.

    The package keeps old units with one successor and those divided among several in two tables.
    """
    data = json.loads(path.read_bytes())
    pairs = [
        (old_key, province, new_key, "TOAN_BO")
        for province, wards in data["DICT_PROVINCE_WARD_NO_DIVIDED"].items()
        for new_key, old_keys in wards.items()
        for old_key in old_keys
    ] + [
        (old_key, province, ward["newWardKey"], "MOT_PHAN")
        for province, divided in data["DICT_PROVINCE_WARD_DIVIDED"].items()
        for old_key, wards in divided.items()
        for ward in wards
    ]
    frame = pl.DataFrame(pairs, schema=["old_key", "provinceKey", "wardKey", "kind"], orient="row")
    before = old.select(
        old_key=pl.concat_str("provinceKey", "districtKey", pl.col("wardKey").fill_null(""), separator="_"),
        old_code=pl.coalesce("wardCode", "districtCode"),
        old_name=pl.coalesce("ward", "district"),
    )
    after = new.select("provinceKey", "wardKey", new_code="wardCode", new_name="ward")
    found = frame.join(before, on="old_key").join(after, on=["provinceKey", "wardKey"])
    if found.height != frame.height:
        raise ValueError(
            f"{frame.height - found.height} rows of the crosswalk in {PACKAGE} name units that are not in its lists;"
            " use the pinned version of the package"
        )
    return found.with_columns(effective_date=pl.lit(REFORM)).select(*CHANGE_SCHEMA)


def _from_folder(folder: Path, province: str) -> Reference:
    communes = _read(folder / "communes.csv", "code", "name")
    if communes is None:
        raise ValueError(f"{folder / 'communes.csv'} is missing; it lists the communes with the columns code,name")
    listed = _read(folder / "commune_changes.csv", "old_code", "old_name", "new_code", "how", "effective")
    if listed is None:
        listed = pl.DataFrame(schema=dict.fromkeys(("old_code", "old_name", "new_code", "how", "effective"), pl.String))
    changes = listed.join(communes, left_on="new_code", right_on="code", how="left").select(
        "old_code",
        "old_name",
        "new_code",
        new_name="name",
        kind=pl.col("how").replace_strict(HOW, default=None, return_dtype=pl.String),
        effective_date=pl.col("effective").str.to_date("%Y-%m-%d", strict=False),
    )
    broken = changes.filter(pl.any_horizontal(pl.all().is_null()))
    if broken.height:
        raise ValueError(
            f"{folder / 'commune_changes.csv'}: old code {broken['old_code'][0]} needs a new_code of communes.csv,"
            " how = merged or divided, effective = YYYY-MM-DD"
        )
    shape = {
        "type": type_of(pl.col("name")), "level": pl.lit("commune"), "parent_code": pl.lit(province),
        "province_code": pl.lit(province), "district_name": pl.lit(None, pl.String),
    }  # fmt: skip
    # A retired unit ends where its change begins; a current one is not said to begin anywhere, so it is valid since
    # ever unless its code had another holder before.
    retired = changes.group_by("old_code", maintain_order=True).agg(
        name=pl.col("old_name").first(), valid_to=pl.col("effective_date").max()
    )
    units = pl.concat(
        [
            retired.rename({"old_code": "code"})
            .with_columns(valid_from=pl.lit(None, pl.Date), **shape)
            .select(*UNIT_SCHEMA),
            communes.join(retired.select(code="old_code", valid_from="valid_to"), on="code", how="left")
            .with_columns(valid_to=pl.lit(None, pl.Date), **shape)
            .select(*UNIT_SCHEMA),
        ]
    )
    untyped = units.filter(pl.col("type").is_null())
    if untyped.height:
        raise ValueError(
            f"{folder}: the name of unit {untyped['code'][0]} must begin with its type: {', '.join(TYPES.values())}"
        )
    own = folder / "days_off.csv"
    days_off = read_exceptions(own) if own.is_file() else known_exceptions()
    return _reference(units, changes, province, folder / "agencies.csv", folder.name, days_off)


def _read(path: Path, *columns: str) -> pl.DataFrame | None:
    """Columns of a CSV file as text; None where there is no file."""
    if not path.is_file():
        return None
    frame = pl.read_csv(path, infer_schema=False)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{path} lacks the column {missing[0]}; its header is {','.join(columns)}")
    return frame.with_columns(clean_text(pl.all()))


def _reference(
    units: pl.DataFrame,
    changes: pl.DataFrame,
    province: str,
    agencies: Path,
    source: str,
    days_off: pl.DataFrame | None = None,
) -> Reference:
    """Adds the senders: the communes of the province that there are or were since the reform, and the agencies known to exist.

    Of a code that two communes had the present one is meant: a folder of the inbox says no day."""
    successors = changes.group_by("old_code", maintain_order=True).agg(
        # one that was divided has no successor who could answer for it alone
        successor=pl.when(pl.col("new_code").n_unique() == 1).then(pl.col("new_code").first())
    )
    communes = (
        units.filter(
            (pl.col("level") == "commune")
            & (pl.col("province_code") == province)
            & (pl.col("valid_to").is_null() | (pl.col("valid_to") > REFORM))
        )
        .sort("valid_to", nulls_last=True)
        .unique("code", keep="last", maintain_order=True)
        .join(successors, left_on="code", right_on="old_code", how="left")
        .select(
            "code", "name", "valid_from", "valid_to", kind=pl.lit("commune"), commune_code="code",
            successor=pl.when(pl.col("valid_to").is_not_null()).then("successor"),
        )
    )  # fmt: skip
    if not communes.filter(pl.col("valid_to").is_null()).height:
        raise ValueError(f"no communes are listed for the province {province}; check the setting of the province")
    listed = _read(agencies, "code", "name")
    if listed is None:
        listed = pl.DataFrame(schema={"code": pl.String, "name": pl.String})
    if "confirmed" in listed.columns:
        listed = listed.filter(pl.col("confirmed") == "yes")
    none = pl.lit(None, pl.String)
    own = {name: pl.col(name) if name in listed.columns else none for name in ("valid_from", "valid_to", "successor")}
    kind = pl.col("kind") if "kind" in listed.columns else pl.lit("department")
    offices = listed.select(
        "code", "name", own["successor"].alias("successor"), kind=kind, commune_code=none,
        valid_from=own["valid_from"].str.to_date("%Y-%m-%d", strict=False),
        valid_to=own["valid_to"].str.to_date("%Y-%m-%d", strict=False),
    )  # fmt: skip
    unread = any(
        (listed.select(own[n].alias(n))[n].is_not_null() != offices[n].is_not_null()).any()
        for n in ("valid_from", "valid_to")
    )
    strange = offices.filter(
        pl.col("successor").is_not_null() & ~pl.col("successor").is_in([*offices["code"], *communes["code"]])
    )
    if unread or strange.height:
        raise ValueError(
            f"{agencies}: valid_from and valid_to are days such as 2027-01-01, successor is the code of another sender"
        )
    return Reference(
        units=units.select(*UNIT_SCHEMA).cast(UNIT_SCHEMA).sort("level", "code", "valid_from"),
        changes=changes.select(*CHANGE_SCHEMA).cast(CHANGE_SCHEMA).sort("old_code", "new_code"),
        senders=pl.concat([f.select(*SENDER_SCHEMA) for f in (communes, offices)]).cast(SENDER_SCHEMA).sort("code"),
        province=province,
        source=source,
        days_off=known_exceptions() if days_off is None else days_off,
    )
