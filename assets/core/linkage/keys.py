"""What of a record is compared: keys made from names, dates, numbers and offices, vectorised.

Belongs here: the columns that blocking joins on and those that the model's levels look at. Does not belong here: which
pairs are looked at (:mod:`.candidates`), what an agreement weighs (:mod:`.model`).
"""

from __future__ import annotations

import polars as pl

from schemas.semantic.lists import ABBREVIATIONS
from schemas.text import clean_text, fold, match_key, place_key

_SHORT = {
    **{full: short for short, full in ABBREVIATIONS.items()},
    "mat tran to quoc viet nam": "mttq", "mttqvn": "mttq", "ubmttq": "uy ban mttq", "ubmttqvn": "uy ban mttq",
    "uy ban mttqvn": "uy ban mttq", "uy ban mttq viet nam": "uy ban mttq", "mttq viet nam": "mttq",
    "phong": "p", "phuong": "p", "xa": "x", "thi tran": "tt", "thanh pho": "tp", "tinh": "t", "dac khu": "dk",
    "truong tieu hoc": "th", "truong": "tr", "tram y te": "tyt", "cong an": "ca", "so": "s", "va": "",
}  # fmt: skip
"""Words of offices -> one short form. Shortened, not written out: 'P.' is phòng or phường and 'TT.' trung tâm or thị trấn,
which the text alone does not tell, while the short form of both sides is the same whichever was meant."""


def for_blocking(records: pl.DataFrame) -> pl.DataFrame:
    """The records with what blocking joins on; ``fold`` and ``words`` go on to the levels.

    ``day`` and ``swapped``: the date as a number, and with day and month exchanged (null where that is no date or the
    same). ``id``: 10 to 12 digits as sent, ``whole``: with its lost zeros, ``head``, ``middle``, ``tail``: its thirds.
    ``card``: nine digits of the old card, stated as such or in place of the ID.
    """
    digits, born = pl.col("personal_id"), pl.col("born")
    length = digits.str.len_bytes()
    year, month, day = born.dt.year(), born.dt.month().cast(pl.Int32), born.dt.day().cast(pl.Int32)
    keyed = records.with_columns(
        name_key=match_key(pl.col("name")),
        year=year,
        day=year * 10000 + month * 100 + day,
        swapped=pl.when((day <= 12) & (day != month)).then(year * 10000 + day * 100 + month),
        id=pl.when(length.is_between(10, 12)).then(digits),
        card=pl.when(length == 9).then(digits).otherwise(pl.col("id_card")),
    ).with_columns(
        fold=_plain(pl.col("name_key")),
        whole=pl.col("id").str.zfill(12),
    )
    words = pl.col("fold").str.split(" ")
    return keyed.with_columns(words=words).with_columns(
        tokens=pl.col("words").list.sort().list.join(" "),
        first=pl.col("words").list.first(),
        last=pl.col("words").list.last(),
        head=pl.col("whole").str.slice(0, 4),
        middle=pl.col("whole").str.slice(4, 4),
        tail=pl.col("whole").str.slice(8, 4),
    )


def _plain(key: pl.Expr) -> pl.Expr:
    """``fold`` of what is a comparison key already; null for a text without a letter."""
    folded = fold(key)
    return pl.when(folded != "").then(folded)


def for_levels(blocked: pl.DataFrame) -> pl.DataFrame:
    """Of records from :func:`for_blocking`, the columns that the levels of the model compare.

    ``syllables``: of the name with accents; ``left_out``: the names that remain if one syllable between first and last is
    left out.
    """
    words = pl.col("words")
    at = pl.int_ranges(1, words.list.len() - 1)
    middle = blocked.select("record", "words", at=at).explode("at").drop_nulls("at")
    left_out = (
        middle.with_columns(
            without=pl.concat_list(words.list.head(pl.col("at")), words.list.slice(pl.col("at") + 1)).list.join(" ")
        )
        .group_by("record")
        .agg(left_out=pl.col("without"))
    )
    agency = _short(pl.col("agency"))
    return (
        blocked.select(
            "record",
            "sex",
            "id",
            "whole",
            "card",
            "commune",
            "fold",
            "words",
            "tokens",
            name=pl.when(pl.col("fold").is_not_null()).then(
                pl.col("name_key").str.replace_all(r"[^\p{L}\p{N}\p{M}]+", " ")
            ),
            vowels=place_key(pl.col("name")),
            born=pl.col("day").cast(pl.String),
            swapped=pl.col("swapped").cast(pl.String),
            agency=agency,
        )
        .with_columns(
            syllables=pl.col("name").str.strip_chars(" ").str.split(" "), office=pl.col("agency").str.split(" ")
        )
        .join(left_out, on="record", how="left")
        .with_columns(pl.col("left_out").fill_null(pl.lit([], pl.List(pl.String))))
    )


def _short(agency: pl.Expr) -> pl.Expr:
    """The words of an office in their one short form."""
    text = " " + fold(clean_text(agency)).str.replace_all(" ", "  ", literal=True) + " "
    table = {f" {full.replace(' ', '  ')} ": f" {short.replace(' ', '  ')} " for full, short in _SHORT.items()}
    # the longest first: 'uy ban mat tran to quoc viet nam' before 'mat tran to quoc'
    longest = sorted(table, key=lambda full: (-len(full), full))
    for _ in range(2):
        text = text.str.replace_many(longest, [table[full] for full in longest], leftmost=True)
    short = text.str.replace_all(" +", " ").str.strip_chars(" ")
    return pl.when(short != "").then(short)
