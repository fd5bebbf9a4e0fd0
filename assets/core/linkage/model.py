"""The frozen model: what a pair of records weighs, field by field.

Belongs here: the levels at which two values agree, the artefact with the probabilities of each (``person.v1.json``) and the
statement that Splink makes of it (``person.v1.sql``), and the scoring of given pairs on DuckDB. Does not belong here: which
pairs are scored (:mod:`.candidates`), what follows from a score (:mod:`.joining`), how the probabilities were found
(:mod:`.train`), how the statement was made (:mod:`.compile`).

A score is a pure function of the pair and the artefact: no term frequencies, and weights that are hundredths, so that the
order in which a machine adds them up cannot show. Splink's statement for a frozen model is itself frozen: to import Splink
and have it write the statement again takes longer than all pairs of a province.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from assets.core.linkage.keys import for_levels

LEVELS: dict[str, dict[str, str]] = {
    "name": {
        "exact": "name_l = name_r",
        "i_for_y": "vowels_l = vowels_r",
        "one_tone": "fold_l = fold_r and one_differs(syllables_l, syllables_r)",
        "unaccented": "fold_l = fold_r",
        "other_order": "tokens_l = tokens_r",
        "shortened": "list_contains(left_out_l, fold_r) or list_contains(left_out_r, fold_l) or initials(words_l, words_r)",
        "one_letter": "damerau_levenshtein(fold_l, fold_r) = 1",
        "other_middle": "words_l[1] = words_r[1] and words_l[-1] = words_r[-1] and one_differs(words_l, words_r)",
        "other_syllable": "len(words_l) > 2 and one_differs(words_l, words_r)",
    },
    "birth": {
        "exact": "born_l = born_r",
        "swapped": "born_l = swapped_r or swapped_l = born_r",
        "one_digit": "hamming(born_l, born_r) = 1",
        "same_year": "left(born_l, 4) = left(born_r, 4)",
    },
    "sex": {"exact": "sex_l = sex_r"},
    "id": {
        "exact": "id_l = id_r",
        "one_digit": "levenshtein(id_l, id_r) = 1 or whole_l = whole_r",
        "transposed": "damerau_levenshtein(id_l, id_r) = 1",
    },
    "card": {"exact": "card_l = card_r", "one_digit": "levenshtein(card_l, card_r) = 1"},
    "commune": {"exact": "commune_l = commune_r"},
    "agency": {"exact": "agency_l = agency_r", "similar": "mostly_one(office_l, office_r)"},
}
"""Field -> level -> condition, best first; what meets none is 'other', what lacks a value on a side is 'missing'."""
VALUE = {"name": "fold", "birth": "born"}
"""The column that is null where the field is missing, where it has another name."""


@dataclass(frozen=True)
class Kind:
    """What is compared of one kind of thing: ``levels`` as :data:`LEVELS`, ``values`` as :data:`VALUE`."""

    levels: Mapping[str, Mapping[str, str]]
    values: Mapping[str, str]

    def level_names(self, field: str) -> list[str]:
        """The levels of a field, best first, with 'other'."""
        return [*self.levels[field], "other"]


PERSON = Kind(LEVELS, VALUE)
_MACROS = (
    "one_differs(a, b) as len(a) = len(b) and len(list_filter(list_zip(a, b), lambda x: x[1] <> x[2])) = 1",
    "abbreviates(a, b) as a = b or ((len(a) = 1 or len(b) = 1) and left(a, 1) = left(b, 1))",
    "initials(a, b) as len(a) = len(b) and a[-1] = b[-1] "
    "and len(list_filter(list_zip(a, b), lambda x: not abbreviates(x[1], x[2]))) = 0",
    "mostly_one(a, b) as 2 * len(list_intersect(a, b)) >= len(list_distinct(list_concat(a, b)))",
)
ARTEFACT = Path(__file__).with_name("person.v1.json")


class LinkageError(RuntimeError):
    """The linkage could not run. Says where, never what was compared: errors of a database engine quote values."""


@dataclass(frozen=True)
class Model:
    """The artefact. ``weights``: field -> level -> hundredths of log2(m/u); ``odds``: those of two records before anything
    is compared. ``link``, ``clerical``, ``margin`` are thresholds on the sum. ``sql``: the statement over ``records`` and ``pairs``
    (join_key_l, join_key_r, match_key) by which Splink weighs pairs."""

    name: str
    m: Mapping[str, Mapping[str, float]]
    weights: Mapping[str, Mapping[str, int]]
    odds: int
    link: float
    clerical: float
    margin: float
    training: Mapping[str, Any]
    sql: str = ""
    kind: Kind = PERSON

    def __post_init__(self) -> None:
        for field, levels in self.kind.levels.items():
            weights = self.weights[field]
            if list(weights) != [*levels, "other"] or len({0, *weights.values()}) != len(weights) + 1:
                raise ValueError(f"{self.name}: {field} needs a weight of its own, not 0, for each of its levels")

    @classmethod
    def load(cls, path: Path = ARTEFACT, kind: Kind = PERSON) -> Model:
        """From a file as :meth:`text` writes it, and the statement beside it."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        fields = stored["fields"]
        return cls(
            stored["model"],
            {f: {level: one["m"] for level, one in levels.items()} for f, levels in fields.items()},
            {f: {level: round(100 * one["weight"]) for level, one in levels.items()} for f, levels in fields.items()},
            round(100 * stored["odds"]),
            stored["thresholds"]["link"],
            stored["thresholds"]["clerical"],
            stored["thresholds"]["margin"],
            stored["training"],
            path.with_suffix(".sql").read_text(encoding="utf-8"),
            kind,
        )

    def text(self) -> str:
        """The artefact as JSON. ``u`` is stated for the reader; m and the weight are what counts."""
        fields = {
            field: {
                level: {"m": m, "u": float(f"{m / 2 ** (self.weights[field][level] / 100):.4g}"),
                        "weight": self.weights[field][level] / 100}
                for level, m in levels.items()
            }
            for field, levels in self.m.items()
        }  # fmt: skip
        stored = {
            "model": self.name,
            "odds": self.odds / 100,
            "thresholds": {"link": self.link, "clerical": self.clerical, "margin": self.margin},
            "fields": fields,
            "training": self.training,
        }
        return json.dumps(stored, ensure_ascii=False, indent=1) + "\n"


@cache
def person() -> Model:
    """The model in use."""
    return Model.load()


def score(pairs: pl.DataFrame, records: pl.DataFrame, model: Model) -> pl.DataFrame:
    """left, right, weight, and the level of each field, for each of ``pairs`` (left, right) of ``records``, sorted."""
    involved = pl.concat([pairs["left"], pairs["right"]]).unique().alias("record").to_frame()
    prepared = for_levels(records.join(involved, on="record", how="semi"))
    return levels(weigh(pairs, prepared, model), model)


def weigh(pairs: pl.DataFrame, prepared: pl.DataFrame, model: Model) -> pl.DataFrame:
    """record_l, record_r, match_weight and mw_<field> of these pairs of records from
    :func:`~assets.core.linkage.keys.for_levels`, by the statement of the model."""
    try:
        # a cursor sees its own tables only, and forgets them: what is compared does not outlive this
        with _engine().cursor() as cursor:
            for name, frame in (("records", prepared), ("pairs", as_blocked(pairs))):
                cursor.register(name, frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
            found: pl.DataFrame = cursor.sql(f"select {answered(model)} from ({model.sql})").pl()
    except Exception as error:
        raise LinkageError(f"the pairs could not be scored ({type(error).__name__})") from None
    return found


def as_blocked(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs (left, right) as Splink has those that its blocking finds."""
    return pairs.select(match_key=pl.lit("0"), join_key_l="left", join_key_r="right")


def answered(model: Model) -> str:
    """The columns of Splink's answer that are used: whose pair it is, its weight and that of each field."""
    return ", ".join(["record_l", "record_r", "match_weight", *(f"mw_{field}" for field in model.kind.levels)])


def start(threads: int) -> Any:
    """DuckDB in memory with the functions that the levels use."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": threads})
    for macro in _MACROS:
        connection.execute(f"create macro {macro}")
    return connection


@cache
def _engine() -> Any:
    """One for the process: it takes as long to start as to weigh a province's pairs."""
    return start(threads=2)


def levels(predicted: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Splink's weights as levels: each level of a field has a weight of its own, and a missing value weighs nothing."""
    named = {}
    for field in model.kind.levels:
        weights = model.weights[field]
        named[field] = (
            (pl.col(f"mw_{field}") * 100)
            .round()
            .cast(pl.Int32)
            .replace_strict([0, *weights.values()], ["missing", *weights], return_dtype=pl.String)
        )
    return predicted.select(
        left=pl.min_horizontal("record_l", "record_r"),
        right=pl.max_horizontal("record_l", "record_r"),
        weight=pl.col("match_weight").round(2),
        **named,
    ).sort("left", "right")


def explain(model: Model) -> pl.Expr:
    """The levels of a scored pair with their weights, as JSON."""
    parts = []
    for field in model.kind.levels:
        weights = {"missing": 0, **model.weights[field]}
        said = [f'"{field}":{{"level":"{level}","weight":{weight / 100}}}' for level, weight in weights.items()]
        parts.append(pl.col(field).replace_strict(list(weights), said, return_dtype=pl.String))
    return pl.format("{{{}}}", pl.concat_str(parts, separator=","))


def hundredths(m: float, u: float) -> int:
    """The weight of a level in hundredths."""
    return round(100 * math.log2(m / u))
