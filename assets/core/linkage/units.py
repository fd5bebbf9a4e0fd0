"""Linkage of organisations and villages: which records are of one unit, where its code or name alone does not say it.

Belongs here: the levels of the model ``unit.v1.json``, which pairs are looked at, and what follows from their scores. Does
not belong here: the forms of a name (:mod:`.naming`), the model's arithmetic (:mod:`.model`), successions: who came after
whom is no question of names, and two that follow each other are two.

1. A person's word comes first.
2. Two records of one list are two units, and so are a unit and its successor.
3. Units of two communes or of two parents are never one, nor are two whose numbers differ ('Thôn 1', 'Thôn 2').
4. One name (its abbreviations and accents as they are) in one place is one unit, unless the type says otherwise.
5. A record without a key goes to its best unit by weight if that is above the threshold and clear of the second best; of several
   that stand in one list none does, unless one is clearly better.
6. Two records with keys of their own are one only where the name is part of the key (villages), by 4 or by a weight as in 5, and
   never where they differ by i for y (N4: Mỹ and Mĩ may be two villages; of organisations they are one spelling). Where those that
   hang together may not all be one, none is joined, and people are asked.

Nothing depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from .clusters import Cluster, Clusters, components
from .joining import DECISIONS, MOST_ASKED, Linked
from .model import Kind, Model, explain, levels, weigh
from .naming import forms

UNITS: dict[str, pl.DataType | type[pl.DataType]] = {
    "record": pl.Int64, "keyed": pl.Boolean, "registered": pl.Int64, "name": pl.String, "place": pl.String,
    "type": pl.String, "parent": pl.String, "code": pl.String, "lists": pl.List(pl.Int64),
}  # fmt: skip
"""A record, in as many rows as it has names: its number; whether its key is readable; its place in the order of registration;
name; ``place``: code of the commune, :data:`~assets.core.linkage.naming.PROVINCE` for none, null where unknown; type and parent
as codes; ``code``: a code that others give it (mã định danh điện tử); ``lists``: the submissions in which it stands."""

LEVELS: dict[str, dict[str, str]] = {
    "name": {
        "exact": "name_l = name_r",
        "abbreviated": "fold_l <> fold_r and (regexp_full_match(spread_l, pattern_r) or regexp_full_match(spread_r, pattern_l))",
        "unaccented": "fold_l = fold_r and (plain_l or plain_r)",
        "one_tone": "length(fold_l) >= 11 and fold_l = fold_r and one_differs(syllables_l, syllables_r)",
        "one_letter": "least(length(fold_l), length(fold_r)) >= 11 and damerau_levenshtein(fold_l, fold_r) = 1",
        "one_tone_of_few": "fold_l = fold_r and one_differs(syllables_l, syllables_r)",
        "one_letter_of_few": "damerau_levenshtein(fold_l, fold_r) = 1 or damerau_levenshtein(whole_l, whole_r) = 1",
        "left_out": "list_contains(left_out_l, fold_r) or list_contains(left_out_r, fold_l)",
        "other_order": "tokens_l = tokens_r",
        "similar": "mostly_one(words_l, words_r)",
    },
    "type": {"exact": "type_l = type_r"},
    "code": {"exact": "code_l = code_r"},
}
"""Field -> level -> condition, best first, as :data:`assets.core.linkage.model.LEVELS`. The place is no field: a pair is looked
at within one place only, and what its weight means is measured there."""
UNIT = Kind(LEVELS, {"name": "fold"})
ARTEFACT = Path(__file__).with_name("unit.v1.json")
_COMPARED = ("name", "fold", "plain", "syllables", "spread", "pattern", "tokens", "left_out", "words", "whole",
             "type", "code")  # fmt: skip
_PAIR: dict[str, Any] = {"left": pl.Int64, "right": pl.Int64}
_SCORED = {**_PAIR, "weight": pl.Float64, **dict.fromkeys(LEVELS, pl.String)}


@cache
def unit() -> Model:
    """The model in use."""
    return Model.load(ARTEFACT, UNIT)


def link_units(
    units: pl.DataFrame,
    decisions: pl.DataFrame | None = None,
    apart: pl.DataFrame | None = None,
    *,
    communes: pl.DataFrame,
    types: Mapping[str, str] | None = None,
    joining: bool = False,
    model: Model | None = None,
) -> Linked:
    """Link ``units`` (:data:`UNITS`) under ``decisions`` (:data:`~.joining.DECISIONS`).

    ``apart``: left, right of records that are two, such as a unit and its successor. ``communes``, ``types``: as
    :func:`~.naming.forms`. ``joining``: whether records with keys may be one, that is, whether the name is part of the key.
    The rule of a link is same_name, model:<version> or decision. Raises :class:`ValueError` where a frame lacks a column.
    """
    if missing := [name for name in UNITS if name not in units.columns]:
        raise ValueError(f"units lack the columns {', '.join(missing)}")
    units = units.select(pl.col(name).cast(dtype) for name, dtype in UNITS.items()).with_columns(
        pl.col("lists").fill_null(pl.lit([], pl.List(pl.Int64)))
    )
    units = units.unique(["record", "name", "place", "type", "parent", "code"]).sort(*units.columns[:-1])
    records = _records(units)
    said = _said(decisions, records)
    prepared = forms(units, communes, types or {}).with_row_index("at").cast({"at": pl.Int64})
    pairs = _not_parted(looked_at(prepared, joining=joining), records, said, apart)
    model = model or unit()
    scored = _scored(pairs, prepared, model)
    clusters = _clusters(records, said, apart)
    queue = _unite(clusters, said, scored, records, model)
    return _linked(records, clusters, said, scored, queue, model)


def _records(units: pl.DataFrame) -> pl.DataFrame:
    """record, keyed, registered, lists: one row a record."""
    return (
        units.group_by("record")
        .agg(
            pl.col("keyed").any(),
            pl.col("registered").min(),
            pl.col("lists").list.explode().unique().drop_nulls().sort(),
        )
        .sort("record")
    )


def _said(decisions: pl.DataFrame | None, records: pl.DataFrame) -> pl.DataFrame:
    """left < right, same; one row a pair. Should there be two words on a pair, the careful one counts."""
    if decisions is None or decisions.is_empty():
        return pl.DataFrame(schema=DECISIONS)
    known = records["record"].implode()
    pairs = decisions.select(
        pl.min_horizontal("left", "right").cast(pl.Int64),
        pl.max_horizontal("left", "right").cast(pl.Int64).alias("right"),
        "same",
    ).filter(pl.col("left") != pl.col("right"), pl.col("left").is_in(known), pl.col("right").is_in(known))
    return pairs.group_by("left", "right").agg(pl.col("same").min()).sort("left", "right")


# --- pairs ----------------------------------------------------------------------------------------------------------


def looked_at(prepared: pl.DataFrame, *, joining: bool) -> pl.DataFrame:
    """at, at_right, left, right, certain of the pairs of names from :func:`~.naming.forms` that are looked at, of two records
    each. Of what has no place all are looked at; else those of one place."""
    named = prepared.filter(pl.col("fold").is_not_null()).select(
        "at", "record", "keyed", "place", "marks", "type", "parent", "name", "vowels", key=_keys()
    )
    keyed = named.filter("keyed")
    asking = named if joining else named.filter(~pl.col("keyed"))
    if asking.is_empty() or keyed.is_empty():
        return pl.DataFrame(schema={"at": pl.Int64, "at_right": pl.Int64, **_PAIR, "certain": pl.Boolean})
    one, other = asking.explode("key"), keyed.explode("key")
    somewhere = one.filter(pl.col("place").is_not_null())
    found = pl.concat(
        [
            somewhere.join(other, on=["place", "key"], suffix="_right").with_columns(place_right="place"),
            somewhere.join(
                other.filter(pl.col("place").is_null()).drop("place"), on="key", suffix="_right"
            ).with_columns(place_right=pl.lit(None, pl.String)),
            one.filter(pl.col("place").is_null()).join(other, on="key", suffix="_right"),
        ],
        how="diagonal",
    )
    first = (pl.col("record") < pl.col("record_right")) | ~pl.col("keyed")
    certain = (
        (pl.col("name") == pl.col("name_right"))
        & (pl.col("place") == pl.col("place_right"))
        & (pl.col("type") == pl.col("type_right")).fill_null(True)
    ).fill_null(False)
    i_for_y = (pl.col("vowels") == pl.col("vowels_right")) & (pl.col("name") != pl.col("name_right"))
    return (
        found.filter(first, pl.col("record") != pl.col("record_right"), comparable(), ~i_for_y)
        .select(
            "at", "at_right", pl.min_horizontal("record", "record_right").alias("left"),
            pl.max_horizontal("record", "record_right").alias("right"), certain=certain,
        )
        .unique()
        .sort("at", "at_right")
    )  # fmt: skip


def comparable() -> pl.Expr:
    """Whether the numbers in two names are the same and their parents do not differ; of columns with ``_right``."""
    parents = (pl.col("parent") == pl.col("parent_right")).fill_null(True)
    return (pl.col("marks") == pl.col("marks_right")) & parents


def _keys() -> pl.Expr:
    """What two names have in common that are looked at: the text without accents, its words in any order, its initials, the
    text without one of its letters, without one of its words, or its first and last word."""
    text = pl.col("fold").str.replace_all(" ", "", literal=True)
    letters = pl.concat_list(
        pl.lit("t") + pl.col("tokens"),
        pl.lit("i") + pl.col("initials"),
        pl.lit("e") + pl.col("words").list.first() + pl.lit(" ") + pl.col("words").list.last(),
        pl.col("left_out").list.eval(pl.lit("w") + pl.element()),
        pl.lit("w") + pl.col("fold"),
        pl.lit("l") + text,
    )
    whole = pl.col("whole").str.replace_all(" ", "", literal=True)
    return pl.concat_list(letters, pl.lit("l") + whole, _shortened(text), _shortened(whole)).list.unique()


def _shortened(text: pl.Expr) -> pl.Expr:
    """The text without each of its letters in turn: two that differ in one letter share one of these, or one has the other."""
    return text.map_batches(_without_a_letter, return_dtype=pl.List(pl.String))


def _without_a_letter(texts: pl.Series) -> pl.Series:
    long = pl.DataFrame({"text": texts}).with_row_index("at")
    each = long.with_columns(n=pl.int_ranges(pl.col("text").str.len_chars())).explode("n")
    head, tail = pl.col("text").str.slice(0, pl.col("n")), pl.col("text").str.slice(pl.col("n") + 1)
    made = each.with_columns(key=pl.concat_str(pl.lit("l"), head, tail)).group_by("at", maintain_order=True).agg("key")
    return long.select("at").join(made, on="at", how="left", maintain_order="left")["key"]


def settled(prepared: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs (left, right) without those that rules alone tell: one name, or the name of what stands in a list with the other.
    For the training, which learns from what the model is asked about."""
    records = _records(prepared)
    found = looked_at(prepared, joining=True).filter("certain")
    clusters = _clusters(records, pl.DataFrame(schema=DECISIONS), None)
    unite_whole(
        clusters, _not_parted(found, records, pl.DataFrame(schema=DECISIONS), None).select("left", "right").rows()
    )
    told = [
        (a, b)
        for a, b in pairs.iter_rows()
        if clusters.find(a) == clusters.find(b) or clusters.of(a).parted(clusters.of(b))
    ]
    return pairs.join(pl.DataFrame(told, _PAIR, orient="row"), on=["left", "right"], how="anti", maintain_order="left")


def _not_parted(
    pairs: pl.DataFrame, records: pl.DataFrame, said: pl.DataFrame, apart: pl.DataFrame | None
) -> pl.DataFrame:
    """Without those of which a list holds both, on which people have spoken, or that are known to be two."""
    if pairs.is_empty():
        return pairs
    lists = records.select("record", list="lists").explode("list").drop_nulls("list")
    both = pairs.select("left", "right").unique()
    sharing = (
        both.join(lists, left_on="left", right_on="record")
        .join(lists, left_on=["right", "list"], right_on=["record", "list"], how="semi")
        .select("left", "right")
    )
    for known in (sharing, said.select("left", "right"), *([_sorted(apart)] if apart is not None else [])):
        pairs = pairs.join(known.cast(pl.Schema(_PAIR)), on=["left", "right"], how="anti", maintain_order="left")
    return pairs


def _sorted(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.select(
        pl.min_horizontal("left", "right").cast(pl.Int64),
        pl.max_horizontal("left", "right").cast(pl.Int64).alias("right"),
    )


def _scored(pairs: pl.DataFrame, prepared: pl.DataFrame, model: Model) -> pl.DataFrame:
    """left, right, weight, level of each field, certain; the best pair of names of each pair of records. What a rule says is
    not scored, and neither is what else an unkeyed record may be of which a rule knows one unit."""
    certain = pairs.filter("certain")
    keyed = prepared.filter("keyed")["record"].implode()
    settled = (
        pl.concat([certain.select(record=side) for side in ("left", "right")])
        .filter(~pl.col("record").is_in(keyed))["record"]
        .implode()
    )
    doubtful = pairs.join(certain.select("left", "right"), on=["left", "right"], how="anti").filter(
        ~pl.col("left").is_in(settled), ~pl.col("right").is_in(settled)
    )
    weighed = {name: kind for name, kind in _SCORED.items() if name not in _PAIR}
    rules = certain.select(
        "left", "right", *(pl.lit(None, kind).alias(name) for name, kind in weighed.items()), certain=pl.lit(True)
    ).unique()  # fmt: skip
    if doubtful.is_empty():
        return rules.sort("left", "right")
    names = score_names(doubtful.select(left="at", right="at_right"), prepared, model)
    whose = prepared.select("at", "record")
    found = (
        names.rename({"left": "at", "right": "at_right"})
        .join(whose, on="at")
        .join(whose.rename({"at": "at_right"}), on="at_right", suffix="_right")
        .with_columns(
            left=pl.min_horizontal("record", "record_right"), right=pl.max_horizontal("record", "record_right")
        )
        .sort("left", "right", -pl.col("weight"), *LEVELS)
        .unique(["left", "right"], keep="first", maintain_order=True)
        .select(*_SCORED, certain=pl.lit(False))
    )
    return pl.concat([rules, found]).sort("left", "right")


def score_names(pairs: pl.DataFrame, prepared: pl.DataFrame, model: Model) -> pl.DataFrame:
    """left, right, weight and levels of pairs of rows ``at`` of ``prepared``, sorted."""
    pairs = _sorted(pairs).unique().sort("left", "right")
    involved = pl.concat([pairs["left"], pairs["right"]]).unique().alias("at").to_frame()
    compared = prepared.join(involved, on="at", how="semi").drop("record").rename({"at": "record"})
    return levels(weigh(pairs, columns(compared), model), model)


def nothing() -> pl.DataFrame:
    """What the levels compare, of no record."""
    return columns(forms(pl.DataFrame(schema=UNITS), pl.DataFrame(schema={"code": pl.String, "name": pl.String}), {}))


def columns(prepared: pl.DataFrame) -> pl.DataFrame:
    """record, and what the levels compare."""
    return prepared.select("record", *_COMPARED)


# --- clusters -------------------------------------------------------------------------------------------------------


def _clusters(records: pl.DataFrame, said: pl.DataFrame, apart: pl.DataFrame | None) -> Clusters:
    """Each record by itself, with what parts it from others."""
    no = said.filter(~pl.col("same")).select("left", "right")
    parted = pl.concat([no, _sorted(apart)]) if apart is not None else no
    enemies: dict[int, set[int]] = {}
    for left, right in parted.iter_rows():
        enemies.setdefault(left, set()).add(right)
        enemies.setdefault(right, set()).add(left)
    return Clusters(
        (
            record,
            Cluster({record}, (registered, record) if keyed else None, set(lists), set(), enemies.get(record, set())),
        )
        for record, keyed, registered, lists in records.iter_rows()
    )


def _unite(
    clusters: Clusters, said: pl.DataFrame, scored: pl.DataFrame, records: pl.DataFrame, model: Model
) -> pl.DataFrame:
    """Unite by the words of people, then keyed records by rule and weight; the pairs that people are asked about."""
    asked: list[tuple[int, int, str]] = []
    for left, right in _oldest_first(said.filter("same"), records):
        if clusters.find(left) != clusters.find(right):
            if clusters.of(left).parted_by_people(clusters.of(right)):
                asked.append((left, right, "decisions"))
            else:
                clusters.unite(left, right)
    keyed = records.filter("keyed").select("record")
    both = scored.join(keyed, left_on="left", right_on="record", how="semi").join(
        keyed, left_on="right", right_on="record", how="semi"
    )
    plausible = both.filter(pl.col("certain") | (pl.col("weight") >= model.clerical))
    unclear = unite_whole(clusters, plausible.filter("certain").select("left", "right").rows())
    # what a rule has put with somebody else is parted from all that stand in a list with that one
    weighed = [
        (a, b, round(100 * w))
        for a, b, w in plausible.filter(~pl.col("certain")).select("left", "right", "weight").iter_rows()
        if clusters.find(a) != clusters.find(b) and not clusters.of(a).parted(clusters.of(b))
    ]
    good, rest = _clear(weighed, clusters, model)
    unclear += rest + unite_whole(clusters, good)
    above = {
        (a, b)
        for a, b, w, c in plausible.select("left", "right", "weight", "certain").iter_rows()
        if c or w >= model.link
    }
    asked += [(a, b, "not_clear" if (a, b) in above else "unsure") for a, b in unclear]
    open_ = [(a, b, why) for a, b, why in asked if why == "decisions" or clusters.find(a) != clusters.find(b)]
    return pl.DataFrame(open_, {**_PAIR, "why": pl.String}, orient="row").unique().sort("left", "right")


def _oldest_first(pairs: pl.DataFrame, records: pl.DataFrame) -> Iterable[tuple[int, int]]:
    age = records.select("record", "registered")
    placed = pairs.join(age, left_on="left", right_on="record").join(
        age, left_on="right", right_on="record", suffix="_right"
    )
    one, other = (
        pl.max_horizontal("registered", "registered_right"),
        pl.min_horizontal("registered", "registered_right"),
    )
    return placed.sort(one, other, "left", "right").select("left", "right").iter_rows()


def unite_whole(clusters: Clusters, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Unite what hangs together by these pairs, unless some of it may not be one: then none of it; the pairs refused."""
    refused = []
    for component in components([(clusters.find(a), clusters.find(b)) for a, b in pairs]):
        nodes = sorted(component)
        if any(clusters.of(a).parted(clusters.of(b)) for n, a in enumerate(nodes) for b in nodes[:n]):
            refused += [(a, b) for a, b in pairs if clusters.find(a) in component]
        else:
            for node in nodes[1:]:
                clusters.unite(nodes[0], node)
    return refused


def _clear(
    weighed: list[tuple[int, int, int]], clusters: Clusters, model: Model
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs (and hundredths) of keyed records that are one unit, and those that may be. One is clear where neither side, as the
    rules have joined it, may as well be another."""
    best: dict[tuple[int, int], tuple[int, int, int]] = {}
    for a, b, w in weighed:
        one, other = sorted((clusters.find(a), clusters.find(b)))
        best[one, other] = max(best.get((one, other), (w, -a, -b)), (w, -a, -b))
    group: dict[int, int] = {}
    strong = sorted(nodes for nodes, (w, *_) in best.items() if w >= round(100 * model.link))
    for number, component in enumerate(components(strong)):
        group |= dict.fromkeys(component, number)
    rivals: dict[int, list[tuple[int, int]]] = {}
    for (one, other), (w, *_) in best.items():
        rivals.setdefault(one, []).append((other, w))
        rivals.setdefault(other, []).append((one, w))

    def clear(nodes: tuple[int, int]) -> bool:
        """No side may as well be something that hangs together with neither."""
        least = best[nodes][0] - round(100 * model.margin)
        near = {other for node in nodes for other, w in rivals[node] if w > least}
        return all(group.get(other) == group[nodes[0]] for other in near)

    found = {nodes: (-a, -b) for nodes, (_, a, b) in best.items()}
    good = [nodes for nodes in strong if clear(nodes)]
    return [found[nodes] for nodes in good], [found[nodes] for nodes in sorted(found.keys() - set(good))]


# --- records without a key -------------------------------------------------------------------------------------------


def _linked(
    records: pl.DataFrame,
    clusters: Clusters,
    said: pl.DataFrame,
    scored: pl.DataFrame,
    queue: pl.DataFrame,
    model: Model,
) -> Linked:
    """Link what has no key, and put together the outcome. A group is a record, or the records that people joined."""
    placed = pl.DataFrame(
        [(m, node, c.oldest[1] if c.oldest else None) for node, c in clusters.items() for m in c.members],
        {"record": pl.Int64, "group": pl.Int64, "root": pl.Int64},
        orient="row",
    ).join(records.select("record", "keyed"), on="record")
    entity = placed.filter("keyed").select("record", "root")
    loose = placed.filter(~pl.col("keyed")).drop("keyed")
    pairs = (
        pl.concat(
            [scored.with_columns(record="left", other="right"), scored.with_columns(record="right", other="left")]
        )
        .join(loose.filter(pl.col("root").is_null()).select("record", "group"), on="record")
        .join(entity.rename({"record": "other"}), on="other")
        .with_columns(sure=pl.when("certain").then(0).otherwise(1))
    )
    parted = [
        (g, r) for g, r in pairs.select("group", "root").unique().iter_rows() if clusters.of(g).parted(clusters.of(r))
    ]
    best = (
        pairs.join(
            pl.DataFrame(parted, {"group": pl.Int64, "root": pl.Int64}, orient="row"), on=["group", "root"], how="anti"
        )
        .sort("group", "root", "sure", -pl.col("weight"), "other", "record")
        .unique(["group", "root"], keep="first", maintain_order=True)
        .filter(pl.col("certain") | (pl.col("weight") >= model.clerical))
    )
    chosen = _uncontested(_chosen(best, model), loose, records, model)
    why = (
        pl.when(pl.col("certain") | (pl.col("weight") >= model.link))
        .then(pl.lit("not_clear"))
        .otherwise(pl.lit("unsure"))
    )
    open_ = best.join(chosen, on="group", how="anti").select(
        pl.min_horizontal("record", "other").alias("left"), pl.max_horizontal("record", "other").alias("right"), why=why
    )
    told = _rule(model)
    by_rule = (
        loose.select("record", "group")
        .join(chosen.rename({"record": "matched"}), on="group")
        .with_columns(own=pl.col("record") == pl.col("matched"))
        .select(
            "record", "root", "other", rule=pl.when("own").then(told).otherwise(pl.lit("decision")),
            weight=pl.when("own").then("weight"), fields=pl.when(pl.col("own") & ~pl.col("certain")).then(explain(model)),
        )
    )  # fmt: skip
    by_word = loose.filter(pl.col("root").is_not_null()).select(
        "record",
        "root",
        other="root",
        rule=pl.lit("decision"),
        weight=pl.lit(None, pl.Float64),
        fields=pl.lit(None, pl.String),
    )
    links = pl.concat([by_rule, by_word]).sort("record")
    asked = pl.concat([queue, open_]).join(said.filter(~pl.col("same")), on=["left", "right"], how="anti")
    asked = (
        asked.join(scored, on=["left", "right"], how="left")
        .with_columns(fields=pl.when(pl.col("name").is_not_null()).then(explain(model)))
        .select("left", "right", "weight", "fields", "why")
    )
    return Linked(
        _members(entity, scored, model),
        links,
        _few(asked),
        loose.select("record").join(links, on="record", how="anti").sort("record"),
    )


def _rule(model: Model) -> pl.Expr:
    return pl.when("certain").then(pl.lit("same_name")).otherwise(pl.lit(f"model:{model.name}"))


def _chosen(best: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The one unit of each group that is clear: the only one by rule, else the best by weight with a margin."""
    ranked = (
        best.sort("group", "sure", -pl.col("weight"), "root")
        .with_columns(
            rules=(pl.col("sure") == 0).sum().over("group"),
            second=pl.col("weight").shift(-1).over("group").fill_null(-999.0),
        )
        .unique("group", keep="first", maintain_order=True)
    )
    clear = (pl.col("weight") >= model.link) & _behind(pl.col("second"), pl.col("weight"), model)
    return ranked.filter(pl.when(pl.col("rules") > 0).then(pl.col("rules") == 1).otherwise(clear))


def _behind(weight: pl.Expr, best: pl.Expr, model: Model) -> pl.Expr:
    """A margin behind, in hundredths: differences of floats must not decide."""
    return ((best - weight) * 100).round() >= round(model.margin * 100)


def _uncontested(chosen: pl.DataFrame, loose: pl.DataFrame, records: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Without those that another group of the same list disputes, unless the rival is clearly worse."""
    lists = loose.select("record", "group").join(records.select("record", list="lists"), on="record").explode("list")
    placed = chosen.select("group", "root", "sure", "weight").join(
        lists.drop_nulls("list").select("group", "list"), on="group"
    )
    both = placed.join(placed, on=["root", "list"], suffix="_rival").filter(pl.col("group") != pl.col("group_rival"))
    by_weight = (pl.col("sure") == 1) & _behind(pl.col("weight_rival"), pl.col("weight"), model)
    worse = (
        pl.when(pl.col("sure") == pl.col("sure_rival")).then(by_weight).otherwise(pl.col("sure") < pl.col("sure_rival"))
    )
    return chosen.join(both.filter(~worse), on="group", how="anti")


def _members(entity: pl.DataFrame, scored: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Keyed records in clusters of more than one, with the pair that says most about each."""
    found = entity.filter(pl.len().over("root") > 1).sort("record")
    told = pl.concat(
        [scored.with_columns(record="left", other="right"), scored.with_columns(record="right", other="left")]
    )
    within = told.join(found, on="record").join(found.rename({"record": "other"}), on=["other", "root"], how="semi")
    first = (
        within.sort("record", ~pl.col("certain"), -pl.col("weight"), "other")
        .unique("record", keep="first", maintain_order=True)
        .select("record", "other", "weight", rule=_rule(model), fields=pl.when(~pl.col("certain")).then(explain(model)))
    )
    return found.join(first, on="record", how="left").select("record", "root", "other", "rule", "weight", "fields")


def _few(queue: pl.DataFrame) -> pl.DataFrame:
    """The likeliest pairs of each record."""
    ranked = queue.unique().sort(pl.col("why") == "unsure", -pl.col("weight"), "left", "right", "why", nulls_last=True)
    few = ranked.filter(*(pl.int_range(pl.len()).over(side) < MOST_ASKED for side in ("left", "right")))
    return few.unique(["left", "right"], keep="first", maintain_order=True).sort("left", "right")
