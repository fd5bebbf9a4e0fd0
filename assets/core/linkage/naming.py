"""What of an organisation's or a village's name is compared: words without what its place and type say already, vectorised.

Belongs here: the forms of a name (with and without accents, spread abbreviations, numbers), the place that a name states.
Does not belong here: which pairs are looked at and what follows from them (:mod:`.units`).

'P. KT phường Nha Trang' of the commune Nha Trang is 'P. KT'; 'TDP số 03' and 'Tổ dân phố 3' are '3' of the type TDP. An
abbreviation is not written out, since 'P.' may be phòng or phường and 'TT' trung tâm or thị trấn: it is spread into letters
('p k t'), and each letter stands for any word that begins so.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.text import fold, fold_of_key, match_key, place_of_key

PROVINCE = "*"
"""The place of what belongs to no commune."""

_UNIT = "(?:phuong|p|xa|x|dac khu|dk)"
_SILENT = ("va", "thuoc")
"""Words that one list writes and another does not; 'Việt Nam', 'số' before a number and 'Trường' before a school's name too."""
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vii": "7", "viii": "8", "ix": "9"}
"""Not I, V, X, which are letters of names, nor VI, which is a word."""
_SYLLABLE = (
    r"^(?:ngh|ng|gh|gi|kh|nh|ph|qu|th|tr|ch|[bcdghklmnpqrstvx])?[aeiouy]{1,3}(?:ch|ng|nh|[cmnpt])?$"  # domain.md N1
)


def forms(units: pl.DataFrame, communes: pl.DataFrame, types: Mapping[str, str]) -> pl.DataFrame:
    """What is compared of ``units`` (name, place, type; more is kept), a row each, in their order.

    ``communes``: code, name (with its type) of today's communes. ``types``: folded words that may stand before a name and
    say its type -> the type; empty where no name has such. Adds or replaces: ``place``: the commune that the name of an
    organisation states, where it states one, else as given; ``type``: that before the name, else as given; ``name``: its words
    with accents, of an organisation with i for y; ``vowels``: with i for y; ``fold``: without accents; ``syllables``, ``words``:
    lists of those; ``tokens``: the words sorted; ``left_out``: what remains if one word is left out; ``spread``: with
    abbreviations spread into letters; ``pattern``: a regular expression for what these may stand for; ``initials``; ``whole``:
    the words with those that say the type; ``marks``: numbers, and a letter that stands last, which tell one thing from another;
    ``plain``: no accents at all. A name without a letter or digit is null in all.
    """
    bare = _placed(units.with_row_index("_at"), communes, stating=not types)
    names = bare.select("name", "strip").unique()
    made = _of_names(names, types)
    found = bare.join(made, on=["name", "strip"], how="left", nulls_equal=True, maintain_order="left")
    return found.with_columns(
        name="key", type=pl.coalesce("said_type", "type") if types else pl.col("type")
    ).drop("_at", "strip", "key", "said_type")  # fmt: skip


def _placed(units: pl.DataFrame, communes: pl.DataFrame, *, stating: bool) -> pl.DataFrame:
    """``place``, by the name itself where it is ``stating`` one, and ``strip``: how many words at its end only say it."""
    known = communes.select("code", bare=_folded(communes["name"]).str.replace(f"^{_UNIT} ", ""))
    single = known.filter(stating).unique("bare", keep="none").unique("code", keep="none")
    folded = _folded(units["name"].fill_null(""))
    stated = units.select(
        "_at",
        folded=folded,
        bare=folded.str.extract(f"^.+ {_UNIT} (.+)$", 1),
    ).join(single.rename({"code": "stated"}), on="bare", how="left", maintain_order="left")
    own = known.unique("code", keep="first", maintain_order=True)
    placed = units.with_columns(place=pl.coalesce(stated["stated"], pl.col("place")), folded=stated["folded"]).join(
        own, left_on="place", right_on="code", how="left", maintain_order="left"
    )
    rest = (
        pl.col("folded").str.strip_suffix(pl.concat_str(pl.lit(" "), "bare")).str.replace(f" {_UNIT}$", "")
    )  # fmt: skip
    ends = pl.col("bare").is_not_null() & pl.col("folded").str.ends_with(pl.concat_str(pl.lit(" "), "bare"))
    words = pl.col("folded").str.count_matches(" ")
    return placed.with_columns(
        strip=pl.when(ends).then(words - rest.str.count_matches(" ")).otherwise(0).fill_null(0).cast(pl.Int64)
    ).drop("folded", "bare")


def _folded(names: pl.Series) -> pl.Series:
    """Without accents, with i for y: Mỹ Sơn and Mĩ Sơn are one commune."""
    return fold_of_key(place_of_key(match_key(names)))


def _of_names(names: pl.DataFrame, types: Mapping[str, str]) -> pl.DataFrame:
    """The forms of names, of which the last ``strip`` words are left out."""
    text = match_key(names["name"]).str.replace_all(r"[^\p{L}\p{N}\p{M}]+", " ").str.strip_chars(" ")
    sent = names["name"].str.normalize("NFC").str.replace_all(r"[^\p{L}\p{N}\p{M}]+", " ").str.strip_chars(" ")
    capitals = (sent == sent.str.to_uppercase()).fill_null(True)
    words = names.with_row_index("at").with_columns(
        key=text.str.split(" "), sent=sent.str.split(" "), capitals=capitals
    )
    # cleaning joins no words and parts none, so that both have as many
    words = words.with_columns(
        sent=pl.when(pl.col("sent").list.len() == pl.col("key").list.len()).then("sent").otherwise("key")
    ).with_columns(pl.col(c).list.head(pl.col("key").list.len() - pl.col("strip")) for c in ("key", "sent"))
    words = words.filter(pl.col("key").is_not_null())
    words = words.with_columns(whole=fold_of_key(words["key"].list.join(" ")))
    words = _typed(words, types) if types else words.with_columns(said_type=pl.lit(None, pl.String))
    long = _words(words, schools=not types)
    made = (
        long.group_by("at", maintain_order=True)
        .agg(
            syllables="key", words="fold",
            spread=pl.when("short").then(pl.col("letters")).otherwise("fold"),
            pattern=pl.when("short").then(pl.col("letters").str.replace_all(r"(\w)", r"${1}\w*")).otherwise("fold"),
            initials=pl.when("short").then(pl.col("fold")).otherwise(pl.col("fold").str.head(1)),
            marks=pl.col("fold").filter(pl.col("fold").str.contains("[0-9]")),
        )
        .with_columns(last=pl.col("words").list.last())
    )  # fmt: skip
    letter = pl.when(pl.col("last").str.contains("^[a-z]$")).then("last").otherwise(pl.lit(""))
    made = made.with_columns(
        key=pl.col("syllables").list.join(" "),
        fold=pl.col("words").list.join(" "),
        tokens=pl.col("words").list.sort().list.join(" "),
        spread=pl.col("spread").list.join(" "),
        pattern=pl.col("pattern").list.join(" "),
        initials=pl.col("initials").list.join(""),
        marks=pl.concat_str(pl.col("marks").list.sort().list.join(" "), letter, separator="/"),
    ).drop("last")
    key = made["key"]
    made = made.with_columns(vowels=place_of_key(key), plain=pl.col("key") == pl.col("fold"))
    at = pl.int_ranges(pl.col("words").list.len())
    short = made.filter(pl.col("words").list.len() > 2).select("at", "words", n=at).explode("n")
    left_out = (
        short.with_columns(
            without=pl.concat_list(
                pl.col("words").list.head("n"), pl.col("words").list.slice(pl.col("n") + 1)
            ).list.join(" ")
        )
        .group_by("at")
        .agg(left_out="without")
    )
    made = made.join(left_out, on="at", how="left").with_columns(
        pl.col("left_out").fill_null(pl.lit([], pl.List(pl.String)))
    )
    return words.select("at", "name", "strip", "said_type", "whole").join(made, on="at", how="left").drop("at")


def _typed(words: pl.DataFrame, types: Mapping[str, str]) -> pl.DataFrame:
    """Take the words before a name that say its type, unless nothing else is left."""
    folded = fold(words["key"].list.join(" "))
    starts = [f"{word} " for word in sorted(types, key=lambda word: (-len(word), word))]
    # TDP3, KP5: without a blank between
    found = (
        folded.str.replace("^(tdp|kp|thon)([0-9])", "$1 $2")
        .str.extract(f"^({'|'.join(starts)})", 1)
        .str.strip_chars(" ")
    )
    glued = folded.str.contains("^(?:tdp|kp|thon)[0-9]")
    count = found.str.count_matches(" ") + 1
    count = count.set(glued, 0)
    said = found.replace_strict(types, default=None, return_dtype=pl.String)
    cut = words.with_columns(count=count.fill_null(0).cast(pl.Int64), said_type=said)
    cut = cut.with_columns(pl.col(c).list.slice(pl.col("count")) for c in ("key", "sent"))
    return cut.with_columns(
        pl.when(glued)
        .then(pl.col(c).list.eval(pl.element().str.replace(r"(?i)^(?:tdp|kp|thôn|thon)([0-9])", "$1")))
        .otherwise(c)
        for c in ("key", "sent")
    ).drop("count")


def _words(words: pl.DataFrame, *, schools: bool) -> pl.DataFrame:
    """at, key, fold, short (an abbreviation), letters of each word that counts, in order. ``schools``: of an
    organisation i stands for y, and 'Trường' before a name does not count."""
    long = words.select("at", "key", "sent", "capitals").explode("key", "sent")
    # a number is a word of its own: 'P1', '3A'
    apart = [(r"(\p{L})(\p{N})", "$1 $2"), (r"(\p{N})(\p{L})", "$1 $2")]
    for one, other in apart:
        long = long.with_columns(pl.col(c).str.replace_all(one, other) for c in ("key", "sent"))
    long = long.with_columns(pl.col(c).str.split(" ") for c in ("key", "sent")).explode("key", "sent")
    if schools:
        # not in TYT or KCN, which are no words
        word = ~pl.col("sent").str.contains(r"^\p{Lu}{2,}$")
        long = long.with_columns(key=pl.when(word).then(place_of_key(long["key"])).otherwise("key"))
    folded = fold_of_key(long["key"])
    folded = folded.str.replace("mttqvn$", "mttq")
    long = long.with_columns(fold=folded.replace(_ROMAN).str.replace("^0+([0-9])", "$1")).filter(pl.col("fold") != "")
    number = pl.col("fold").str.contains("^[0-9]")
    before, after = pl.col("fold").shift(1).over("at"), pl.col("fold").shift(-1).over("at")
    viet_nam = ((pl.col("fold") == "viet") & (after == "nam")) | ((pl.col("fold") == "nam") & (before == "viet"))
    said = ~pl.col("fold").is_in(_SILENT) & ~viet_nam.fill_null(False)
    said &= ~((pl.col("fold") == "so") & number.shift(-1).over("at").fill_null(False))
    if schools:
        said &= ~((pl.col("fold") == "truong") & before.is_null())
    # unless nothing else is left
    long = long.filter(said | ~said.any().over("at"))
    alone = pl.len().over("at") == 1
    capital = (~pl.col("capitals") | alone) & pl.col("sent").str.contains(r"^\p{Lu}{2,6}$")
    short = ~number & (capital | ~pl.col("fold").str.contains(_SYLLABLE)) & (pl.col("fold").str.len_bytes() <= 8)
    return long.with_columns(
        key=pl.when(number).then("fold").otherwise("key"),
        short=short,
        letters=pl.col("fold").str.replace_all("(.)", "${1} ").str.strip_chars(" "),
    )
