"""From the text of a cell to the code of a unit on a day: the only place that does it.

Here: codes (also with a lost zero or '.0'), official names, abbreviated names, old names and old districts. Not here:
the lists themselves (:mod:`assets.reference.units`), when two texts are the same (:mod:`schemas.text`), whether the
unit lies in the sender's scope (staging).

How a name is read, first hit wins, and a tie is never broken by guessing:

1. in the province's own territory (its units of today and all units merged into them), spelt with accents;
2. there, without accents, if the text has none;
3. in the rest of the country, spelt with accents, then without.

Within each, units that are valid on the day come before units that have ended, which are carried over by the crosswalk:
so 'Xã Ninh Hải' of 2026 is 22852, and 'Phường Ninh Hải' of 2026 is the old phường, now in 22561. A stated type and a
stated district or province must fit; old districts fit the units made from them, since people go on using them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import cache, cached_property, lru_cache

import polars as pl

from assets.reference.units import TYPES, Reference
from schemas.text import clean_text, fold, fold_one, place_key, place_key_one

_AFTER_WORD = r"(?: ?[.:] ?| |(?=\d))(?P<rest>.+)"
_UNIT_WORD = re.compile(
    r"(?:(?P<XA>xã|xa|x)|(?P<PHUONG>phường|phuong|p)|(?P<THI_TRAN>thị ?trấn|thi ?tran|tt)"
    r"|(?P<DAC_KHU>đặc ?khu|dac ?khu|đk|dk))" + _AFTER_WORD
)
_AREA_WORD = re.compile(
    r"(?:(?P<HUYEN>huyện|huyen|h)|(?P<THI_XA>thị ?xã|thi ?xa|tx)|(?P<THANH_PHO>thành ?phố|thanh ?pho|tp)"
    r"|(?P<QUAN>quận|quan|q)|(?P<TINH>tỉnh|tinh|t))" + _AFTER_WORD
)
_MOST_CANDIDATES = 6
_COMPARED, _LIKE = 60, 0.75
"""Characters of an unknown name that are compared with those we know, and how alike one must be to be named."""
_OUT = {"code": pl.String, "issue": pl.String, "detail": pl.String, "how": pl.String}


_Answer = tuple[str | None, str | None, str | None, str | None]
"""code, issue, detail, how."""


@dataclass(frozen=True)
class _Name:
    """A place name as it is compared: words with accents in ``key``, without in ``plain``; '01' is '1'."""

    type: str | None
    key: str
    plain: str

    @classmethod
    def of(cls, text: str, type: str | None = None) -> _Name:
        key = re.sub(r"^0+(\d*)$", r"\1", re.sub(r"[\W_]+", " ", place_key_one(text)).strip())
        return cls(type, key, fold_one(key))

    @property
    def unaccented(self) -> bool:
        return self.key == self.plain


@dataclass(frozen=True)
class _Unit:
    code: str
    name: _Name
    label: str
    type: str | None
    first_era: int
    end_era: int | None
    areas: tuple[str, ...]
    """Names of the district and province, and of those of the units merged into it."""
    home: bool

    def valid(self, era: int) -> bool:
        return self.first_era <= era and (self.end_era is None or era < self.end_era)

    def ended(self, era: int) -> bool:
        return self.end_era is not None and self.end_era <= era


class Resolver:
    """Resolves texts against one :class:`~assets.reference.units.Reference`; the name indexes are built at first use.

    ``carry_codes``: a code that has ended and was not used again is carried over by the crosswalk like an old name
    (domain.md N8); without it, such a code is UNKNOWN_UNIT and the detail names the successor.
    """

    def __init__(self, reference: Reference, carry_codes: bool = False) -> None:
        self._reference = reference
        self._carry_codes = carry_codes
        communes = reference.units.filter(pl.col("level") == "commune")
        days = pl.concat([communes["valid_from"], communes["valid_to"]]).drop_nulls().unique().sort()
        self._boundaries: list[date] = days.to_list()
        self._communes = communes.with_columns(
            first_era=_era(pl.col("valid_from"), self._boundaries).fill_null(0),
            end_era=_era(pl.col("valid_to"), self._boundaries),
        )

    def resolve(self, frame: pl.DataFrame) -> pl.DataFrame:
        """code, issue, detail, how for each row of ``frame`` (text String, as_of Date, sender String), in its order.

        ``issue``: null, UNKNOWN_UNIT or AMBIGUOUS_UNIT, with ``code`` null. ``detail``: the candidates, '22333 Phường
        Bắc Nha Trang; …', or for an unknown unit the nearest ones, if any. ``how``: what was done to the text, null
        if it was the code itself: PADDED (zero put back, '.0' taken off), NAME, UNACCENTED, and where the crosswalk
        carried it over ':' and the old code ('NAME:22330', 'CODE:22330'). A blank text gives four nulls: whether a
        value must be there is not said here. Without a date no unit is known. All senders belong to the reference's
        one province, which is searched first, so ``sender`` does not make a difference between rows.
        """
        keyed = frame.select(text=clean_text(pl.col("text")), era=_era(pl.col("as_of"), self._boundaries))
        asked = (
            keyed.unique()
            .filter(pl.col("text") != "")
            .with_columns(digits=pl.col("text").str.extract(r"^'?(\d{1,5})(?:\.0+)?$").str.zfill(5))
        )
        answers = pl.concat([self._codes(asked.filter(pl.col("digits").is_not_null())), self._names(asked)])
        found = keyed.join(answers, on=["text", "era"], how="left", nulls_equal=True, maintain_order="left")
        return found.select(*_OUT)

    def listed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Whether entries of a list of units (code, name String, as_of Date) belong to the list of their day; issue and
        detail for each row, in its order.

        A code says nothing by itself: all codes that a reform gave out were codes before. So an entry is ENDED_UNIT where
        its name is that of a unit which had the code before the day (``detail``: the day on which it ended), or where the
        code names a unit that has ended and none since; UNKNOWN_UNIT where name and code are those of a unit to come.
        Anything else passes: a list may know more than we do, or spell otherwise.
        """
        asked = frame.select(
            "code", "as_of", key=_words(place_key(pl.Series("name", frame["name"]).fill_null("")))
        ).with_row_index("at")
        units = self._communes.select("code", "valid_from", "valid_to", own=_words(place_key(self._communes["name"])))
        met = asked.join(units, on="code").with_columns(
            same=pl.col("key") == pl.col("own"),
            ended=(pl.col("valid_to") <= pl.col("as_of")).fill_null(False),
            coming=(pl.col("valid_from") > pl.col("as_of")).fill_null(False),
        )
        now, same = ~pl.col("ended") & ~pl.col("coming"), pl.col("same")
        said = met.group_by("at").agg(
            current=now.any(),
            fits=(now & same).any(),
            ended=(pl.col("ended") & same).any(),
            coming=(pl.col("coming") & same).any(),
            until=pl.col("valid_to").filter(pl.col("ended")).max(),
        )
        found = asked.join(said, on="at", how="left", maintain_order="left")
        ended = ~pl.col("fits") & (pl.col("ended") | (~pl.col("current") & pl.col("until").is_not_null()))
        issue = (
            pl.when(ended)
            .then(pl.lit("ENDED_UNIT"))
            .when(~pl.col("current") & pl.col("coming"))
            .then(pl.lit("UNKNOWN_UNIT"))
        )
        return found.select(issue=issue, detail=pl.when(ended).then(pl.col("until").dt.to_string("%d/%m/%Y")))

    def _codes(self, asked: pl.DataFrame) -> pl.DataFrame:
        """Codes that are valid in their era, vectorised; the few others one by one."""
        on_day = (pl.col("first_era") <= pl.col("era")) & (pl.col("era") < pl.col("end_era").fill_null(1 << 30))
        valid = (
            asked.join(self._communes.select("code", "first_era", "end_era"), left_on="digits", right_on="code")
            .filter(on_day)
            .select("text", "era", code="digits")
        )
        known = asked.join(valid, on=["text", "era"], how="left", nulls_equal=True, maintain_order="left")
        other = known.filter(pl.col("code").is_null())
        return pl.concat(
            [
                known.filter(pl.col("code").is_not_null()).select(
                    "text",
                    "era",
                    "code",
                    issue=pl.lit(None, pl.String),
                    detail=pl.lit(None, pl.String),
                    how=pl.when(pl.col("text") != pl.col("code")).then(pl.lit("PADDED")),
                ),
                _answers(
                    (text, era, self._ended_code(code, era))
                    for text, era, code in other.select("text", "era", "digits").iter_rows()
                ),
            ]
        )

    def _names(self, asked: pl.DataFrame) -> pl.DataFrame:
        named = asked.filter(pl.col("digits").is_null()).select("text", "era")
        return _answers((text, era, self._name(text, era)) for text, era in named.iter_rows())

    def _ended_code(self, code: str, era: int | None) -> _Answer:
        """A code that names nothing on the day: it may have ended."""
        ended = [u for u in self._by_code.get(code, ()) if era is not None and u.ended(era)]
        if self._carry_codes and ended:
            return self._carried(ended, "CODE")
        return None, "UNKNOWN_UNIT", _listed(label for label, _ in self._successors(ended)), None

    def _name(self, text: str, era: int | None) -> _Answer:
        readings, areas = _parse(text)
        if era is None or not readings:
            return None, "UNKNOWN_UNIT", None, None
        near: list[_Unit] = []
        for home in (True, False):
            for plain in (False, True):
                found = self._candidates(readings, areas, home, plain)
                typed = [unit for name, unit in found if name.type in (None, unit.type)]
                how = "UNACCENTED" if plain else "NAME"
                current = [unit for unit in typed if unit.valid(era)]
                if len(current) == 1:
                    return current[0].code, None, None, how
                if current:
                    return None, "AMBIGUOUS_UNIT", _listed(unit.label for unit in current), None
                ended = [unit for unit in typed if unit.ended(era)]
                if ended:
                    return self._carried(ended, how)
                near += [unit for _, unit in found]
            if near:  # of another type or another day: a namesake elsewhere in the country would be a guess
                break
        near = [unit for unit in near if unit.valid(era)] or near or self._alike(readings, era)
        return None, "UNKNOWN_UNIT", _listed(unit.label for unit in near), None

    def _alike(self, readings: list[_Name], era: int) -> list[_Unit]:
        """Units of the home territory whose names share a word with a name that nobody has, and look like it; best first."""
        found: dict[str, _Unit] = {}
        for name in readings:
            words = {word for word in name.plain[:_COMPARED].split() if len(word) > 1}
            sharing = {u.name.plain: u for w in words for u in self._by_word.get(w, ()) if u.valid(era)}
            found |= {plain: sharing[plain] for plain in get_close_matches(name.plain[:_COMPARED], sharing, 2, _LIKE)}
        return list(found.values())

    def _carried(self, ended: list[_Unit], how: str) -> _Answer:
        """Units that have ended, through the crosswalk: the one unit that took them in whole, or candidates."""
        successors = self._successors(ended)
        codes = {label.split(" ")[0] for label, _ in successors}
        if len(codes) == 1 and all(kind == "TOAN_BO" for _, kind in successors):
            return codes.pop(), None, None, f"{how}:{'/'.join(sorted(unit.code for unit in ended))}"
        if successors:
            return None, "AMBIGUOUS_UNIT", _listed(label for label, _ in successors), None
        return None, "UNKNOWN_UNIT", _listed(unit.label for unit in ended), None

    def _candidates(
        self, readings: list[_Name], areas: list[list[_Name]], home: bool, plain: bool
    ) -> list[tuple[_Name, _Unit]]:
        """Units of that name in the home territory or outside it, that lie in all the areas stated."""
        index = self._by_plain if plain else self._by_key
        found = [
            (name, unit)
            for name in readings
            if name.unaccented or not plain
            for unit in index.get(name.plain if plain else name.key, ())
            if unit.home is home and all(_lies_in(unit, area, exactly=False) for area in areas)
        ]
        return [(n, unit) for n, unit in found if all(_lies_in(unit, area, exactly=True) for area in areas)] or found

    def _successors(self, ended: list[_Unit]) -> list[tuple[str, str]]:
        """Labels of the units that these went into, and whether whole (TOAN_BO) or in part."""
        return [successor for unit in ended for successor in self._crosswalk.get(unit.code, ())]

    @cached_property
    def _crosswalk(self) -> dict[str, list[tuple[str, str]]]:
        result: dict[str, list[tuple[str, str]]] = {}
        changes = self._reference.changes.select("old_code", "new_code", "new_name", "kind")
        for old, new, name, kind in changes.iter_rows():
            result.setdefault(old, []).append((f"{new} {name}", kind))
        return result

    @cached_property
    def _units(self) -> list[_Unit]:
        province = dict(
            self._reference.units.filter(pl.col("level") == "province").select("code", "name").sort("name").iter_rows()
        )
        rows = self._communes.select(
            "code", "name", "type", "first_era", "end_era", "district_name", "province_code"
        ).rows()
        # The keys of all units at once, as _Name.of would make them one by one.
        first_word = f"^(?i:{'|'.join(TYPES.values())}) "
        key = _words(place_key(self._communes["name"].str.replace(first_word, "")))
        names = [_Name(None, *pair) for pair in zip(key.to_list(), fold(key).to_list(), strict=True)]
        ended = {row[0]: row for row in rows if row[4] is not None}
        merged: dict[str, list[str]] = {}
        for old, new in self._reference.changes.select("old_code", "new_code").iter_rows():
            merged.setdefault(new, []).append(old)
        home = {row[0] for row in rows if row[4] is None and row[6] == self._reference.province}
        home_before = {old for new in home for old in merged.get(new, ())}
        result = []
        for key_name, (code, name, kind, first_era, end_era, district, province_code) in zip(names, rows, strict=True):
            areas = [district, province.get(province_code)]
            if end_era is None:
                before = [ended[old] for old in merged.get(code, ()) if old in ended]
                areas += [area for row in before for area in (row[5], province.get(row[6]))]
            result.append(
                _Unit(
                    code, key_name, f"{code} {name}, {district}" if district else f"{code} {name}",
                    kind, first_era, end_era,
                    tuple(dict.fromkeys(area for area in areas if area)),
                    code in (home if end_era is None else home_before) or province_code == self._reference.province,
                )
            )  # fmt: skip
        return result

    @cached_property
    def _by_code(self) -> dict[str, list[_Unit]]:
        return _grouped((unit.code, unit) for unit in self._units)

    @cached_property
    def _by_key(self) -> dict[str, list[_Unit]]:
        return _grouped((unit.name.key, unit) for unit in self._units)

    @cached_property
    def _by_word(self) -> dict[str, list[_Unit]]:
        return _grouped((word, unit) for unit in self._units if unit.home for word in unit.name.plain.split())

    @cached_property
    def _by_plain(self) -> dict[str, list[_Unit]]:
        return _grouped((unit.name.plain, unit) for unit in self._units)


def _grouped(pairs: Iterable[tuple[str, _Unit]]) -> dict[str, list[_Unit]]:
    result: dict[str, list[_Unit]] = {}
    for key, unit in pairs:
        result.setdefault(key, []).append(unit)
    return result


def _words(key: pl.Series) -> pl.Series:
    """The comparison of :meth:`_Name.of`, vectorised over keys."""
    return key.str.replace_all(r"[\W_]+", " ").str.strip_chars(" ").str.replace(r"^0+(\d*)$", "${1}")


def _era(day: pl.Expr, boundaries: list[date]) -> pl.Expr:
    """How many boundaries lie on or before a day: all days between two boundaries are one era. Null for no day."""
    count = pl.sum_horizontal(pl.lit(0, pl.Int32), *((day >= b).cast(pl.Int32) for b in boundaries))
    return pl.when(day.is_not_null()).then(count)


def _answers(rows: Iterable[tuple[str, int | None, _Answer]]) -> pl.DataFrame:
    flat = [(text, era, *answer) for text, era, answer in rows]
    return pl.DataFrame(flat, schema={"text": pl.String, "era": pl.Int32, **_OUT}, orient="row")


def _listed(labels: Iterable[str]) -> str | None:
    """Candidates as the officer reads them; null for none."""
    distinct = sorted(set(labels))
    more = "; …" if len(distinct) > _MOST_CANDIDATES else ""
    return "; ".join(distinct[:_MOST_CANDIDATES]) + more or None


def _parse(text: str) -> tuple[list[_Name], list[list[_Name]]]:
    """The ways to read the name, and those to read each area stated after it ('Vĩnh Hải, TP. Nha Trang')."""
    parts = [part for part in re.split(r" ?[,;()] ?", place_key_one(text)) if part]
    if not parts:
        return [], []
    return _readings(parts[0], _UNIT_WORD), [_readings(part, _AREA_WORD) for part in parts[1:]]


@lru_cache(maxsize=4096)  # the same districts and provinces stand beside thousands of names
def _readings(text: str, words: re.Pattern[str]) -> list[_Name]:
    """With and without its first word taken for a type: 'Phuong Hai' may be phường Hải or Phương Hải."""
    readings = [_Name.of(text)]
    if match := words.fullmatch(text):
        type = next(group for group, found in match.groupdict().items() if found and group != "rest")
        readings.append(_Name.of(match["rest"], type))
    return [name for name in readings if name.key]


@cache
def _area(name: str) -> tuple[_Name, ...]:
    return tuple(_readings(place_key_one(name), _AREA_WORD))


def _lies_in(unit: _Unit, area: list[_Name], exactly: bool) -> bool:
    """Whether the unit lies in the area, or a unit merged into it did. Towns change their type: only ``exactly`` minds.

    'Tỉnh' always means the province, never the town of that name.
    """
    return any(
        (stated.key == own.key or (stated.unaccented and stated.plain == own.plain))
        and (stated.type is None or stated.type == own.type or not (exactly or "TINH" in (stated.type, own.type)))
        for name in unit.areas
        for own in _area(name)
        for stated in area
    )
