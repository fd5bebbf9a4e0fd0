"""Who works in the bodies of the invented province, as what, and how that changes from quarter to quarter.

Belongs here: people, their places in each quarter, their posts, and the snapshots and versions that follow. Does not belong
here: bodies, ratings, files. Names are invented; numbers are functions of a counter, so that no two are alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from .bodies import Size, first_day
from .frames import stream
from .people import _GIVEN, _MIDDLE, _SURNAMES

HEAD, DEPUTY, MEMBER = 0, 1, 2

_EPOCH = date(1970, 1, 1)
# the secretary chairs a commune's council, whose own full-time member is a deputy chair
_HEADS = {"DANG_UY_XA": "BI_THU", "UBND": "CT_UBND", "HDND": "PCT_HDND"}
_DEPUTIES = {"DANG_UY_XA": "PHO_BI_THU", "UBND": "PCT_UBND", "HDND": "PCT_HDND"}
POSTS = {
    "BI_THU": "Bí thư Đảng ủy", "PHO_BI_THU": "Phó Bí thư Đảng ủy", "CT_HDND": "Chủ tịch HĐND", "PCT_HDND": "Phó Chủ tịch HĐND",
    "CT_UBND": "Chủ tịch UBND", "PCT_UBND": "Phó Chủ tịch UBND", "CN_UBKT": "Chủ nhiệm UBKT", "PCN_UBKT": "Phó Chủ nhiệm UBKT",
    "CAP_TRUONG": "Cấp trưởng", "CAP_PHO": "Cấp phó", "UV_BTV": "Ủy viên BTV", "UV_BCH": "Ủy viên BCH", "CHUYEN_MON": "Chuyên viên",
}  # fmt: skip
"""Posts in words that lists use."""
KEY_POSTS = ("BI_THU", "CT_UBND", "CN_UBKT")
FIELDS = {
    "KT": ("TC_KE_TOAN", "XAY_DUNG_DO_THI", "DAT_DAI_MT", "NONG_NGHIEP", "TC_KE_TOAN", "DAT_DAI_MT"),
    "VHXH": ("VH_XH", "GIAO_DUC", "Y_TE", "VH_XH", "KHCN"),
    "VP": ("HANH_CHINH", "LUAT_TU_PHAP", "CNTT_CDS", "HANH_CHINH", "TC_KE_TOAN"),
    "HCC": ("HANH_CHINH", "LUAT_TU_PHAP", "DAT_DAI_MT"),
    "NN": ("NONG_NGHIEP", "DAT_DAI_MT", "NONG_NGHIEP"),
}
"""The specialisms of a commune's bodies, in the order in which their seats are filled."""
_OTHERS = ("HANH_CHINH", "LUAT_TU_PHAP", "TC_KE_TOAN", "CNTT_CDS", "KHCN", "VH_XH", "NONG_NGHIEP", "KHAC")


@dataclass(frozen=True)
class People:
    """Everybody who ever works in the province, by number; ``body``: numbers of bodies.

    ``persons``: number, citizen_id, full_name, date_of_birth, gender, employment_type, education, specialism,
    skilled_from (quarter from which digital skills are confirmed), hours, more_hours, hours_from (quarter
    from which the hours of training are ``more_hours``), body, role, joins, leaves, moves, moves_to, deputy_until (quarters),
    started_on, local_origin. A person is there in quarters joins <= q < leaves.
    """

    persons: pl.DataFrame
    bodies: pl.DataFrame
    periods: tuple[str, ...]


def allowed_deputies(bodies: pl.DataFrame) -> np.ndarray:
    """Deputies that each body may have (NĐ 150/2025, 370/2025): the second source of the norm beside the seed of ``norms``."""
    seats, kind = bodies["seats"].to_numpy(), bodies["kind"].to_numpy()
    two = bodies["two_provinces"].to_numpy()
    weight = bodies["weight"].to_numpy()
    return np.select(
        [kind == "SO", kind == "PHONG_SO", kind == "CHI_CUC", kind == "PHONG_CHI_CUC",
         np.isin(kind, ["PHONG_XA", "TT_PVHCC"]), kind == "BAN_DANG", np.isin(kind, ["DANG_UY_XA", "UBND"]),
         kind == "DVSN"],
        [3 + two, np.where(seats < 10, 1, np.where(seats < 15, 2, 3)), 2, 1, 2, 3, 2, np.where(weight > 30, 2, 1)],
        1,
    )  # fmt: skip


def make_people(seed: int, bodies: pl.DataFrame, periods: Sequence[str], size: Size) -> People:
    """The people of all bodies; in number ``size.staff`` at work at the start, civil servants first."""
    rng = stream(seed, "people")
    quarters = len(periods)
    seats, weight = bodies["seats"].to_numpy(), bodies["weight"].to_numpy().astype(float)
    filled = np.where(seats > 0, np.maximum(np.round(seats * rng.uniform(0.86, 1.0, len(seats))), 1), 0).astype(int)
    rest = max(size.staff - int(filled.sum()), int((weight > 0).sum()) * 3)
    if weight.sum():
        upto = np.round(np.cumsum(weight) / weight.sum() * rest).astype(int)
        filled = filled + np.where(weight > 0, np.maximum(np.diff(upto, prepend=0), 3), 0)
    allowed = allowed_deputies(bodies)
    kind = bodies["kind"].to_numpy()
    draw = rng.random(len(kind))
    excess = np.where(
        kind == "SO",
        np.where(draw < 0.5, 2, 1),
        np.where(np.isin(kind, ["PHONG_SO", "PHONG_XA"]) & (draw < 0.22), 1, 0),
    )
    deputies = np.minimum(allowed + excess - ((excess == 0) & (draw > 0.7)), np.maximum(filled - 2, 0)).astype(int)
    deputies = np.where(kind == "SO", np.minimum(allowed + excess, filled - 1), deputies)

    body = np.repeat(np.arange(len(filled)), filled)
    place = np.arange(len(body)) - np.repeat(np.cumsum(filled) - filled, filled)
    role = np.where(place == 0, HEAD, np.where(place <= deputies[body], DEPUTY, MEMBER))
    first = len(body)
    ends = bodies["ends"].to_numpy()

    joins = np.zeros(first, int)
    leaves = np.full(first, quarters)
    deputy_until = np.full(first, quarters)
    # deputies above the norm go one after the other, at a pace that is over by the end of 2030: 22 quarters from 2025-Q3 on
    surplus = (role == DEPUTY) & (place > allowed[body])
    deputy_until[surplus] = np.minimum(rng.integers(1, 23, int(surplus.sum())), quarters)
    # who leaves: of those without a post; and the holders of some key posts of communes, whom somebody from elsewhere follows
    chance = rng.random(first)
    member = role == MEMBER
    going = member & (chance < 1 - (1 - 0.012) ** max(quarters - 1, 0))
    leaves[going] = rng.integers(1, quarters, int(going.sum())) if quarters > 1 else quarters
    code = bodies["code"].to_numpy()
    suffix = np.array([c.rpartition(".")[2] for c in code])
    in_commune = bodies["level"].to_numpy() == "XA"
    key = in_commune & np.isin(suffix, ["DU", "UBND", "UBKT"])
    holder = (role == HEAD) & key[body]
    origin = np.where(
        holder | ((role == HEAD) & np.isin(code, ["TU", "UBND", "UBKT"])[body]),
        np.where(chance < 0.12, "CO", np.where(chance < 0.17, "CHUA_RO", "KHONG")), "",
    )  # fmt: skip
    replaced = (
        np.flatnonzero(holder & (chance < 0.12) & (rng.random(first) < 0.7)) if quarters > 1 else np.array([], int)
    )
    leaves[replaced] = rng.integers(1, quarters, len(replaced)) if quarters > 1 else quarters

    # who comes: after nearly each who left
    after = np.flatnonzero((leaves < quarters) & (rng.random(first) < 0.95))
    after = np.union1d(after, replaced)
    new_body, new_role = body[after], role[after]
    new_joins = leaves[after]
    moves = np.full(first, quarters)
    moves_to = np.full(first, -1)
    candidates = np.flatnonzero(member & (leaves == quarters) & (seats[body] > 0))
    moved = candidates[rng.random(len(candidates)) < 0.004 * max(quarters - 1, 0)]
    if quarters > 1 and len(moved):
        moves[moved] = rng.integers(1, quarters, len(moved))
        targets = np.flatnonzero((seats > 4) & (ends == quarters))
        moves_to[moved] = rng.choice(targets, len(moved))
        same = moves_to[moved] == body[moved]
        moves[moved[same]], moves_to[moved[same]] = quarters, -1

    code_of = bodies["code"].to_numpy()
    lacking = np.array([c.endswith(".VP") for c in code_of]) & (rng.random(len(code_of)) < 0.6)
    found = np.flatnonzero(lacking & (rng.random(len(code_of)) < 0.5)) if quarters > 1 else np.array([], int)
    new_body = np.concatenate([new_body, found])
    new_role = np.concatenate([new_role, np.full(len(found), MEMBER)])
    new_joins = np.concatenate([new_joins, rng.integers(1, max(quarters, 2), len(found))])
    total = first + len(new_body)
    body, role = np.concatenate([body, new_body]), np.concatenate([role, new_role])
    joins = np.concatenate([joins, new_joins])
    leaves = np.concatenate([leaves, np.full(len(new_body), quarters)])
    deputy_until = np.concatenate([deputy_until, np.full(len(new_body), quarters)])
    moves = np.concatenate([moves, np.full(len(new_body), quarters)])
    moves_to = np.concatenate([moves_to, np.full(len(new_body), -1)])
    origin = np.concatenate([origin, np.where(key[new_body] & (new_role == HEAD), "KHONG", "")])
    place = np.concatenate([place, place[after], np.full(len(found), 1 + FIELDS["VP"].index("CNTT_CDS"))])

    public = weight[body] > 0
    field = _specialisms(rng, bodies, body, place - 1 - deputies[body], suffix)
    # six communes of ten have nobody for IT at first: somebody of another field sits there
    field = np.where(lacking[body] & (field == "CNTT_CDS"), "HANH_CHINH", field)
    field[total - len(found) :] = "CNTT_CDS"
    frame = pl.DataFrame(_persons(rng, seed, total, public)).with_columns(
        pl.Series("specialism", field),
        body=pl.Series(body), role=pl.Series(role), joins=pl.Series(joins), leaves=pl.Series(leaves), moves=pl.Series(moves),
        moves_to=pl.Series(moves_to), deputy_until=pl.Series(deputy_until), local_origin=pl.Series(origin).replace("", None),
    )  # fmt: skip
    days = np.array([(first_day(p) - _EPOCH).days for p in periods])
    founded = (date(2025, 7, 1) - _EPOCH).days
    started = np.where(joins > 0, days[np.minimum(joins, quarters - 1)] + rng.integers(0, 60, total), founded)
    frame = frame.with_columns(started_on=pl.Series(started.astype(np.int32)).cast(pl.Date))
    return People(frame, bodies, tuple(periods))


def _specialisms(
    rng: np.random.Generator, bodies: pl.DataFrame, body: np.ndarray, seat: np.ndarray, suffix: np.ndarray
) -> np.ndarray:
    """What each person has studied: in bodies of communes by the seat, so that needs are met or not; else at random."""
    names = suffix[body]
    drawn = np.array(_OTHERS)[rng.integers(0, len(_OTHERS), len(body))]
    commune = (bodies["level"].to_numpy() == "XA")[body]
    field = np.array([f or "" for f in bodies["field"].to_list()])[body]
    found = np.where(field == "GD_DT", "GIAO_DUC", np.where(field == "Y_TE", "Y_TE", drawn))
    for name, wanted in FIELDS.items():
        here = commune & (names == name)
        found = np.where(here, np.array(wanted)[np.maximum(seat, 0) % len(wanted)], found)
    return found


def _persons(rng: np.random.Generator, seed: int, count: int, public: np.ndarray) -> dict[str, object]:
    """Names, births, numbers, training: by number."""
    women = rng.random(count) < np.where(public, 0.66, 0.42)
    born = rng.integers((date(1967, 1, 1) - _EPOCH).days, (date(2001, 12, 31) - _EPOCH).days, count)
    births = pl.Series("date_of_birth", born.astype(np.int32)).cast(pl.Date)
    surnames, odds = zip(*_SURNAMES, strict=True)
    parts = [np.array(surnames)[rng.choice(len(surnames), count, p=np.array(odds) / sum(odds))]]
    for table in (_MIDDLE, None):
        drawn = {}
        for sex in ("NAM", "NU"):
            if table is not None:
                words, odds = zip(*table[sex], strict=True)
                drawn[sex] = np.array(words)[rng.choice(len(words), count, p=np.array(odds) / sum(odds))]
            else:
                drawn[sex] = np.array(_GIVEN[sex])[rng.integers(0, len(_GIVEN[sex]), count)]
        parts.append(np.where(women, drawn["NU"], drawn["NAM"]))
    year = births.dt.year().to_numpy()
    # 7,919 has no factor in common with a million: six digits that no two share
    tail = (np.arange(count) * 7919 + seed) % 1_000_000
    numbers = pl.DataFrame(
        {
            "province": np.where(rng.random(count) < 0.62, "056", "058"),
            "century": 2 * (year // 100 - 19) + women,
            "year": year % 100,
            "tail": tail,
        }
    ).select(
        pl.col("province") + pl.col("century").cast(pl.String) + pl.col("year").cast(pl.String).str.zfill(2)
        + pl.col("tail").cast(pl.String).str.zfill(6)
    ).to_series()  # fmt: skip
    names = pl.DataFrame(dict(zip("abc", parts, strict=True))).select(
        pl.concat_str("a", "b", "c", separator=" ").str.replace_all("  ", " ")
    )
    education = np.array(["DH", "ThS", "CD", "TC", "TS"])
    level = np.where(
        public,
        rng.choice(5, count, p=[0.72, 0.06, 0.16, 0.06, 0.0]),
        rng.choice(5, count, p=[0.70, 0.22, 0.04, 0.03, 0.01]),
    )
    hours = rng.integers(0, 12, count) * 8
    return {
        "number": np.arange(count),
        "citizen_id": numbers,
        "full_name": names.to_series(),
        "date_of_birth": births,
        "gender": np.where(women, "NU", "NAM"),
        "employment_type": np.where(public, "VIEN_CHUC", "CONG_CHUC"),
        "education": education[level],
        "skilled_from": np.where(rng.random(count) < 0.55, 0, rng.integers(1, 14, count)),
        "hours": hours,
        "more_hours": hours + rng.integers(1, 6, count) * 8,
        "hours_from": np.where(rng.random(count) < 0.25, rng.integers(1, 9, count), 1_000),
    }


def staff_at(people: People, quarter: int) -> pl.DataFrame:
    """Who is there at the end of a quarter, as their own lists say: the contract's columns, and number, body (its number), role
    and sender."""
    bodies = people.bodies.with_row_index("body").with_columns(pl.col("body").cast(pl.Int64))
    alive = _home(people.bodies, quarter)
    here = people.persons.filter((pl.col("joins") <= quarter) & (pl.col("leaves") > quarter))
    here = here.with_columns(_was=pl.when(pl.col("moves") <= quarter).then("moves_to").otherwise("body"))
    here = here.with_columns(body=pl.Series(alive[here["_was"].to_numpy()]))
    # who led a body that went into another one, moved on, or is no deputy any more, is a member
    led = (pl.col("_was") == pl.col("body")) & (pl.col("moves") > quarter)
    here = here.with_columns(
        role=pl.when(~led | ((pl.col("role") == DEPUTY) & (pl.col("deputy_until") <= quarter)))
        .then(MEMBER)
        .otherwise("role")
    )
    here = here.join(bodies.select("body", "code", "name", "kind", "commune", "sender", "field"), on="body", how="left")
    return (
        here.with_columns(
            position=_position(),
            organization_code="code",
            commune_code="commune",
            employment_type=pl.when((pl.col("role") != MEMBER) & pl.col("kind").is_in(["DANG_UY_XA", "UBND", "HDND"]))
            .then(pl.lit("CAN_BO"))
            .otherwise("employment_type"),
            digital_skills=pl.col("skilled_from") <= quarter,
            training_hours=pl.when(pl.col("hours_from") <= quarter).then("more_hours").otherwise("hours").cast(pl.Float64),
        )
        .select(
            "citizen_id", "full_name", "date_of_birth", "gender", "position", "organization_code", "commune_code", "started_on",
            "employment_type", "education", "specialism",  "digital_skills", "training_hours", "number",
            "body", "role", "sender",
        )
        .sort("body", "role", "number")
    )  # fmt: skip


def _home(bodies: pl.DataFrame, quarter: int) -> np.ndarray:
    """Where the people of each body are in a quarter: in it, or in what it went into."""
    number = {code: n for n, code in enumerate(bodies["code"])}
    into = np.array([number[code] if code is not None else -1 for code in bodies["into"]])
    ends = bodies["ends"].to_numpy()
    home = np.arange(len(bodies))
    for _ in range(2):  # nothing goes through more than two
        home = np.where((ends[home] <= quarter) & (into[home] >= 0), into[home], home)
    return home


def _position() -> pl.Expr:
    """Words for what somebody is, by role and kind of body."""
    kind, role, code = pl.col("kind"), pl.col("role"), pl.col("code")

    def said(head: str, deputy: str) -> pl.Expr:
        return pl.when(role == HEAD).then(pl.lit(head)).otherwise(pl.lit(deputy))

    member = (
        pl.when(pl.col("field") == "GD_DT").then(pl.lit("Giáo viên")).when(pl.col("field") == "Y_TE").then(pl.lit("Nhân viên y tế"))
        .otherwise(pl.lit("Chuyên viên"))
    )  # fmt: skip
    return (
        pl.when(role == MEMBER).then(member)
        .when(kind == "DANG_UY_XA").then(said("Bí thư Đảng ủy", "Phó Bí thư Đảng ủy"))
        .when(code == "TU").then(said("Bí thư Tỉnh ủy", "Phó Bí thư Tỉnh ủy"))
        .when(kind == "UBND").then(said("Chủ tịch UBND", "Phó Chủ tịch UBND"))
        .when(code == "HDND").then(said("Chủ tịch HĐND", "Phó Chủ tịch HĐND"))
        .when(kind == "HDND").then(pl.lit("Phó Chủ tịch HĐND"))
        .when(code.str.ends_with("UBKT")).then(said("Chủ nhiệm UBKT", "Phó Chủ nhiệm UBKT"))
        .when(kind == "SO").then(said("Giám đốc", "Phó Giám đốc"))
        .when(pl.col("field") == "GD_DT").then(said("Hiệu trưởng", "Phó Hiệu trưởng"))
        .when(kind.is_in(["BAN_DANG", "MTTQ"])).then(said("Trưởng ban", "Phó Trưởng ban"))
        .when(kind == "CHI_CUC").then(said("Chi cục trưởng", "Phó Chi cục trưởng"))
        .when(kind.is_in(["TT_PVHCC", "DVSN"])).then(said("Giám đốc", "Phó Giám đốc"))
        .otherwise(said("Trưởng phòng", "Phó Trưởng phòng"))
    )  # fmt: skip


def versions(snapshots: Sequence[pl.DataFrame], keys: Sequence[str], ends: Sequence[date]) -> pl.DataFrame:
    """The versions that full lists make, one at each of ``ends`` (in order of time): equal rows in a row are one, and what is no
    longer listed has ended at that list's day. Columns: those of the lists, valid_from, valid_to."""
    columns = snapshots[0].columns
    told = pl.concat([s.with_columns(_q=pl.lit(n, pl.Int32)) for n, s in enumerate(snapshots)])
    told = told.sort(*keys, "_q").with_columns(_same=pl.struct(columns).hash())
    first = pl.struct(keys) != pl.struct(keys).shift(1)
    began = (
        (first.fill_null(True))
        | (pl.col("_same") != pl.col("_same").shift(1))
        | (pl.col("_q") != pl.col("_q").shift(1) + 1)
    )
    told = told.with_columns(_run=began.fill_null(True).cum_sum())
    runs = told.group_by("_run", maintain_order=True).agg(
        *(pl.col(c).first() for c in columns), _from=pl.col("_q").first(), _last=pl.col("_q").last()
    )
    day = dict(enumerate(ends))
    return runs.with_columns(
        valid_from=pl.col("_from").replace_strict(day, return_dtype=pl.Date),
        valid_to=(pl.col("_last") + 1).replace_strict(day, default=None, return_dtype=pl.Date),
    ).drop("_run", "_from", "_last")  # fmt: skip


def posts(people: People, seed: int) -> pl.DataFrame:
    """Everybody's posts over all quarters: the contract's columns, and ``lists`` (BTC, SNV or 'commune': who tells them)."""
    periods = people.periods
    quarters = len(periods)
    rng = stream(seed, "posts")
    snapshots = [
        staff_at(people, q).filter(
            pl.col("employment_type").is_in(["CONG_CHUC", "CAN_BO"]) | (pl.col("role") != MEMBER)
        )
        for q in range(quarters)
    ]
    held = pl.concat([s.with_columns(_q=pl.lit(q, pl.Int32)) for q, s in enumerate(snapshots)])
    kind = people.bodies["kind"].to_numpy()
    code = people.bodies["code"].to_numpy()
    head = np.array(["CT_HDND" if c == "HDND" else _HEADS.get(k, "CN_UBKT" if c.endswith("UBKT") else "BI_THU" if c == "TU"
                     else "CAP_TRUONG") for k, c in zip(kind, code, strict=True)])  # fmt: skip
    deputy = np.array([_DEPUTIES.get(k, "PCN_UBKT" if c.endswith("UBKT") else "PHO_BI_THU" if c == "TU" else "CAP_PHO")
                       for k, c in zip(kind, code, strict=True)])  # fmt: skip
    body, role = held["body"].to_numpy(), held["role"].to_numpy()
    post = np.select([role == HEAD, role == DEPUTY], [head[body], deputy[body]], "CHUYEN_MON")
    held = held.with_columns(post=pl.Series(post))
    main = _spans(held.with_columns(is_main=pl.lit(True)))
    party = _spans(_committees(held, people))
    spans = pl.concat([main, party]).sort("number", "body", "post", "_from")
    days = [first_day(p) for p in periods]
    # in each quarter a body has a day on which its people change; where it goes into another that is the first one
    day_of = rng.integers(1, 80, (len(code), quarters + 1))
    where, begun, over = (spans[c].to_numpy() for c in ("body", "_from", "_last"))
    bodies = people.bodies.with_row_index("body").select(
        pl.col("body").cast(pl.Int64), "code", "kind", "bloc", "commune", "level", "ends"
    )
    changes = {"_offset": pl.Series(day_of[where, begun]), "_end": pl.Series(day_of[where, over + 1] - 1)}
    spans = spans.with_columns(**changes).join(bodies, on="body", how="left")
    at = dict(enumerate(days))
    starts = pl.col("_from").replace_strict(at, return_dtype=pl.Date)
    stops = (pl.col("_last") + 1).replace_strict(at, default=None, return_dtype=pl.Date)
    spans = spans.with_columns(
        started_on=pl.when(pl.col("_from") == 0).then(pl.lit(date(2025, 7, 1)))
        .otherwise(starts + pl.duration(days=pl.col("_offset"))),
        ended_on=pl.when(pl.col("ends") == pl.col("_last") + 1).then(stops - pl.duration(days=1))
        .otherwise(stops + pl.duration(days="_end")),
    )  # fmt: skip
    appointed = pl.when(pl.col("post").is_in(["BI_THU", "PHO_BI_THU", "CN_UBKT", "PCN_UBKT", "UV_BCH", "UV_BTV"])).then(
        pl.lit("CHI_DINH")
    ).when(pl.col("post").is_in(["CT_UBND", "PCT_UBND", "CT_HDND", "PCT_HDND"])).then(pl.lit("BAU")).when(
        pl.col("post") == "CHUYEN_MON"
    ).then(pl.lit(None, pl.String)).otherwise(pl.lit("BO_NHIEM"))  # fmt: skip
    named = pl.col("post") != "CHUYEN_MON"
    signed = pl.when(pl.col("bloc") == "DANG").then(pl.lit("TU")).otherwise(pl.lit("UBND"))
    serial = (pl.col("number") * 31 + pl.col("body")) % 900 + 1
    persons = people.persons.select("number", "local_origin")
    return (
        spans.join(persons, on="number", how="left")
        .with_columns(
            organization_code="code",
            commune_code="commune",
            specialism=pl.when(pl.col("post") == "CHUYEN_MON").then("specialism"),
            appointment=appointed,
            decision_no=pl.when(named).then(pl.format("{}/QĐ-{}", serial, signed)),
            decision_date=pl.when(named).then(pl.col("started_on")),
            published=pl.when(appointed == "BO_NHIEM").then(pl.col("number") % 11 > 0),
            local_origin=pl.when(pl.col("post").is_in(KEY_POSTS)).then(pl.col("local_origin").fill_null("KHONG")),
            lists=pl.when((pl.col("post") == "CHUYEN_MON") & (pl.col("level") == "XA")).then("commune")
            .when(pl.col("bloc").is_in(["CHINH_QUYEN", "DVSNCL"])).then(pl.lit("SNV")).otherwise(pl.lit("BTC")),
        )
        .select(
            "citizen_id", "organization_code", "post", "specialism", "is_main", "appointment", "decision_no", "decision_date",
            "published", "local_origin", "started_on", "ended_on", "commune_code", "lists",
        )
        .sort("lists", "organization_code", "post", "citizen_id", "started_on")
    )  # fmt: skip


def _committees(held: pl.DataFrame, people: People) -> pl.DataFrame:
    """Posts beside the main one: members of Party committees, of which some are of the standing one, and secretaries who lead the
    council too."""
    number = {code: n for n, code in enumerate(people.bodies["code"])}
    commune = people.bodies["commune"].to_list()
    kind = people.bodies["kind"].to_list()
    civil = [
        k in ("DANG_UY_XA", "UBND", "HDND", "PHONG_XA", "TT_PVHCC", "MTTQ", "SO", "BAN_DANG", "KHAC") for k in kind
    ]
    committee = [
        (number.get(f"{c}.DU", -1) if c else number["TU"]) if ok else -1 for c, ok in zip(commune, civil, strict=True)
    ]
    council = [
        number.get(f"{c}.HDND", -1) if c and k == "DANG_UY_XA" else -1 for c, k in zip(commune, kind, strict=True)
    ]
    where = pl.col("body").replace_strict(dict(enumerate(committee)), return_dtype=pl.Int64)
    lead = pl.col("body").replace_strict(dict(enumerate(council)), return_dtype=pl.Int64)
    leaders = held.filter(pl.col("role") != MEMBER).with_columns(_where=where, _lead=lead)
    standing = pl.col("post").is_in(["BI_THU", "PHO_BI_THU", "CT_UBND", "CN_UBKT"])
    seats = leaders.filter(
        (pl.col("_where") >= 0) & ((pl.col("role") == HEAD) | standing | (pl.col("number") % 3 == 0))
    )
    seats = seats.with_columns(post=pl.when(standing).then(pl.lit("UV_BTV")).otherwise(pl.lit("UV_BCH")), body="_where")
    chairs = leaders.filter((pl.col("_lead") >= 0) & (pl.col("role") == HEAD))
    chairs = chairs.with_columns(post=pl.lit("CT_HDND"), body="_lead")
    return pl.concat([seats, chairs]).drop("_where", "_lead").with_columns(is_main=pl.lit(False))


def _spans(held: pl.DataFrame) -> pl.DataFrame:
    """One row for each run of quarters in which a person has a post in a body: _from and _last are quarters."""
    keys = ["number", "body", "post"]
    sorted_ = held.sort(*keys, "_q")
    gap = (pl.struct(keys) != pl.struct(keys).shift(1)) | (pl.col("_q") != pl.col("_q").shift(1) + 1)
    return (
        sorted_.with_columns(_run=gap.fill_null(True).cum_sum())
        .group_by("_run", maintain_order=True)
        .agg(*(pl.col(c).first() for c in (*keys, "citizen_id", "specialism", "is_main")),
             _from=pl.col("_q").first(), _last=pl.col("_q").last())
        .drop("_run")
    )  # fmt: skip
