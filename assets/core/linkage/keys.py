"""What of a record is compared: keys made from names, dates, numbers and offices, vectorised.

Belongs here: the columns that blocking joins on and those that the model's levels look at. Does not belong here: which
pairs are looked at (:mod:`.candidates`), what an agreement weighs (:mod:`.model`).
"""

from __future__ import annotations

import polars as pl

from schemas.semantic.lists import ABBREVIATIONS
from schemas.text import fold, fold_of_key, match_key, place_of_key

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
    """record, keyed, registered, personal_id, and as numbers what blocking compares: joins on numbers are the fastest, and a
    number that two different values share would only add a pair to be scored.

    ``bag``: made from the words of the name in any order; ``first``, ``last``: its outer words. ``day`` and ``swapped``: the
    date of birth, and with day and month exchanged (null where that is no date or the same). ``whole``: 10 to 12 digits of an
    ID, its lost zeros counted in. ``card``: the old card, stated as such or in place of the ID. ``place``: the commune.
    """
    digits, born = pl.col("personal_id"), pl.col("born")
    length = digits.str.len_bytes()
    year, month, day = born.dt.year(), born.dt.month().cast(pl.Int32), born.dt.day().cast(pl.Int32)
    return records.select(
        "record",
        "keyed",
        "registered",
        "personal_id",
        *_words(records["name"]).get_columns(),
        year=year,
        day=year * 10000 + month * 100 + day,
        swapped=pl.when((day <= 12) & (day != month)).then(year * 10000 + day * 100 + month),
        whole=pl.when(length.is_between(10, 12)).then(digits).cast(pl.Int64, strict=False),
        card=_card().cast(pl.Int64, strict=False),
        place=pl.col("commune").hash(),
    )


def _card() -> pl.Expr:
    digits = pl.col("personal_id")
    return pl.when(digits.str.len_bytes() == 9).then(digits).otherwise(pl.col("id_card"))


def _words(names: pl.Series) -> pl.DataFrame:
    """bag, first and last of names. Names are made of few words: each different one is folded once, and what the names are
    made of is one long column, since lists of lists are slow."""
    each = pl.DataFrame({"word": names.str.split(" ")}).with_row_index("at")
    spoken = each.explode("word")
    words = spoken["word"].unique().drop_nulls()
    # a word may fold to several ("H'Lan") or to none ('-')
    inner = fold(words).str.extract_all("[^ ]+").list.eval(pl.element().hash())
    known = pl.DataFrame(
        {"word": words, "sum": inner.list.sum(), "first": inner.list.first(), "last": inner.list.last()}
    ).drop_nulls("first")
    spoken = spoken.join(known, on="word", maintain_order="left")
    here, before, after = pl.col("at"), pl.col("at").shift(1), pl.col("at").shift(-1)
    firsts = spoken.filter((here != before).fill_null(True))["first"]
    # the sum of a name's words is the sum of all words up to its last one, less that of the name before; it may wrap
    upto = pl.col("sum").cum_sum()
    lasts = spoken.with_columns(upto).filter((here != after).fill_null(True))
    found = lasts.select("at", firsts, "last", bag=pl.col("sum") - pl.col("sum").shift(1).fill_null(0))
    return each.select("at").join(found, on="at", how="left", maintain_order="left").select("bag", "first", "last")


def for_levels(records: pl.DataFrame) -> pl.DataFrame:
    """Of records, the columns that the levels of the model compare.

    ``name``: with accents, tone marks in one place; ``vowels``: with i for y; ``fold``: without accents; ``syllables`` and
    ``words``: those of name and fold; ``tokens``: the words sorted; ``left_out``: the names that remain if one word between
    first and last is left out. ``id``: 10 to 12 digits as sent, ``whole``: with its zeros. ``office``: words of the agency.
    """
    name_key = match_key(records["name"])
    folded = fold_of_key(name_key)
    digits, born, words = pl.col("personal_id"), pl.col("born"), pl.col("words")
    prepared = records.lazy().select(
        "record", "sex", "commune",
        name_key.str.replace_all(r"[^\p{L}\p{N}\p{M}]+", " ").alias("name"),
        place_of_key(name_key).alias("vowels"),
        folded.set(folded == "", None).alias("fold"),
        short(records["agency"]).alias("agency"),
        born=born.dt.strftime("%Y%m%d"),
        swapped=pl.when((born.dt.day() <= 12) & (born.dt.day() != born.dt.month())).then(born.dt.strftime("%Y%d%m")),
        id=pl.when(digits.str.len_bytes().is_between(10, 12)).then(digits),
        card=_card(),
    ).with_columns(
        words=pl.col("fold").str.split(" "),
        syllables=pl.col("name").str.split(" "),
        office=pl.col("agency").str.split(" "),
        whole=pl.col("id").str.zfill(12),
    ).with_columns(tokens=words.list.sort().list.join(" "))  # fmt: skip
    left_out = (
        prepared.select("record", "words", at=pl.int_ranges(1, words.list.len() - 1))
        .explode("at")
        .drop_nulls()
        .with_columns(without=pl.concat_list(words.list.head("at"), words.list.slice(pl.col("at") + 1)).list.join(" "))
        .group_by("record")
        .agg(left_out="without")
    )
    whole = prepared.join(left_out, on="record", how="left")
    return whole.with_columns(pl.col("left_out").fill_null(pl.lit([], pl.List(pl.String)))).collect()


def short(agency: pl.Series) -> pl.Series:
    """The words of offices in their one short form, by which they are compared; null for what has none."""
    names = agency.unique().drop_nulls()
    text = " " + fold(names).str.replace_all(" ", "  ", literal=True) + " "
    for _ in range(2):  # 'ubmttqvn' is written out before it is shortened
        text = text.str.replace_many(_LONGEST_FIRST, [_PADDED[full] for full in _LONGEST_FIRST], leftmost=True)
    made = text.str.replace_all(" +", " ").str.strip_chars(" ")
    return agency.replace_strict(names, made.set(made == "", None), default=None, return_dtype=pl.String())


_PADDED = {f" {full.replace(' ', '  ')} ": f" {word.replace(' ', '  ')} " for full, word in _SHORT.items()}
"""Every word between two blanks of its own, so that one replacement does not use up the blank of the next."""
_LONGEST_FIRST = sorted(_PADDED, key=lambda full: (-len(full), full))
