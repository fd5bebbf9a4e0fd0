"""Training of the model, offline: the probabilities of each level from pairs that are known.

Belongs here: from reports whose truth is known (the invented province of :mod:`pipelines.sample.people`) to the artefact.
Does not belong here: anything that a run does; a run reads the artefact.

``m`` (how often a level is met among reports of one person) comes from all pairs of a record without a valid ID with one
that has it, ``u`` (among two people) from random pairs of different people; both are Splink's estimates. A level that the
sample does not show gets half a pair.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from assets.core.linkage import candidates
from assets.core.linkage.compile import linker, settings, statement
from assets.core.linkage.keys import for_blocking, for_levels
from assets.core.linkage.model import PERSON, Kind, LinkageError, Model, hundredths, score
from assets.core.linkage.units import UNIT, columns, comparable, settled

LINK, CLERICAL, MARGIN = 6.0, 0.0, 5.0
"""Weights are log2 of odds: linked from sixty-four to one on, put before people from even odds on, clear of the second
best where thirty-two times likelier. Not fitted by the training: the false links of a sample are too
few for that. 6 was chosen after a look at one invented province (seed 7), in which 10 left too many transfers to people."""
LINK_UNITS = 4.0
"""Of organisations and villages sixteen to one: place, numbers and lists have parted most namesakes before anything is
weighed. Chosen with the results of the invented provinces 8 to 10 and 21 to 23 in view; those of the benchmark are others."""
_PAIRS_FOR_U = 4_000_000


def train(records: pl.DataFrame, truth: pl.DataFrame, *, name: str, source: str, seed: int = 1) -> Model:
    """The model of ``records`` (as :func:`~assets.core.linkage.link` takes them) and ``truth`` (record, person).

    ``source`` says in the artefact what was learnt from. The same arguments give the same artefact.
    """
    records = records.sort("record")
    prepared = for_levels(records)
    known = _known_pairs(records, truth)
    m, u = _estimates(prepared, known, _one_each(truth, "person"), seed, PERSON)
    weights = {field: _weights(m[field], u[field]) for field in PERSON.levels}
    people = truth["person"].n_unique()
    # a doubtful record has one entity among as many as there are people
    odds = hundredths(1.0, float(people))
    model = Model(name, m, weights, odds, LINK, CLERICAL, MARGIN, {})
    model = replace(model, sql=statement(model))
    training = {
        "source": source,
        "records": records.height,
        "people": people,
        "known_pairs": known.height,
        "pairs_for_u": _PAIRS_FOR_U,
        "seed": seed,
        **_found_true(records, truth, model),
    }
    return replace(model, training=training)


def train_units(records: pl.DataFrame, truth: pl.DataFrame, *, name: str, source: str) -> Model:
    """The model of organisations and villages together: ``records`` as :func:`~assets.core.linkage.naming.forms` makes them of
    records with one name each, ``truth``: record, unit. The same arguments give the same artefact.

    ``u`` comes from all pairs of two units of one place that may be one for all that the rules say: a name is rare within a
    commune, and everywhere in the province. Where one of a pair states a parent and the other none, a namesake under each parent
    is as likely, which the margin sees to."""
    prepared = columns(records.sort("record"))
    sides = records.select("record", "keyed", "place", "parent", "marks", "lists").join(
        truth.select("record", "unit"), on="record"
    )
    both = sides.join(sides, on="place", suffix="_right").filter(
        pl.col("record") < pl.col("record_right"),
        pl.col("keyed") | pl.col("keyed_right"),
        comparable(),
        pl.col("parent").eq_missing(pl.col("parent_right")),
        pl.col("lists").list.set_intersection("lists_right").list.len() == 0,
    )
    pairs = both.select("unit", "unit_right", left="record", right="record_right").sort("left", "right")
    known = pairs.filter(pl.col("unit") == pl.col("unit_right")).select("left", "right")
    others = settled(
        records.with_row_index("at").cast({"at": pl.Int64}),
        pairs.filter(pl.col("unit") != pl.col("unit_right")).select("left", "right"),
    )
    m = _read(_levels(prepared, known, UNIT), "m_probability", 0.5 / known.height, UNIT)
    u = _read(_levels(prepared, others, UNIT), "m_probability", 0.5 / others.height, UNIT)
    weights = {field: _weights(m[field], u[field]) for field in UNIT.levels}
    units = truth["unit"].n_unique()
    training = {
        "source": source,
        "records": records.height,
        "units": units,
        "known_pairs": known.height,
        "pairs_for_u": others.height,
    }
    # a record has one unit among as many as there are in its place
    placed = truth.join(records.select("record", "place"), on="record").unique("unit", maintain_order=True)
    odds = hundredths(1.0, float(placed.select(pl.len().over("place").mean()).item()))
    model = Model(name, m, weights, odds, LINK_UNITS, CLERICAL, MARGIN, training, kind=UNIT)
    return replace(model, sql=statement(model))


def _one_each(truth: pl.DataFrame, whose: str) -> pl.Series:
    """One record of each person or unit: any two are of different ones."""
    return truth.sort("record").unique(whose, keep="first", maintain_order=True)["record"]


def _known_pairs(records: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """left, right: true pairs of those that the model is asked about."""
    placed = records.select("record", "keyed", "personal_id").join(truth.select("record", "person"), on="record")
    both = placed.join(placed, on="person", suffix="_right").filter(pl.col("record") < pl.col("record_right"))
    one_keyed = pl.col("keyed") != pl.col("keyed_right")
    mistyped = pl.col("keyed") & pl.col("keyed_right") & (pl.col("personal_id") != pl.col("personal_id_right"))
    return both.filter(one_keyed | mistyped).select(left="record", right="record_right").sort("left", "right")


def _estimates(
    prepared: pl.DataFrame, known: pl.DataFrame, one_each: pl.Series, seed: int, kind: Kind
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """m and u of each field and level, by Splink."""
    m = _read(_levels(prepared, known, kind), "m_probability", 0.5 / known.height, kind)
    try:
        random, _ = linker(prepared.filter(pl.col("record").is_in(one_each.implode())), settings(kind=kind), threads=1)
        random.training.estimate_u_using_random_sampling(_PAIRS_FOR_U, seed=seed, min_count_per_level=None)
        learnt = random.misc.save_model_to_json()["comparisons"]
    except Exception as error:
        raise LinkageError(f"the model could not be trained ({type(error).__name__})") from None
    return m, _read(learnt, "u_probability", 0.5 / _PAIRS_FOR_U, kind)


def _levels(prepared: pl.DataFrame, pairs: pl.DataFrame, kind: Kind) -> list[dict[str, Any]]:
    """How often each level is met among pairs, as Splink says it (its m)."""
    try:
        labelled, database = linker(prepared, settings(kind=kind), threads=1)
        labels = pairs.select(record_l="left", record_r="right")
        labelled.training.estimate_m_from_pairwise_labels(
            database.register(labels.to_arrow(compat_level=pl.CompatLevel.oldest()))
        )
        found: list[dict[str, Any]] = labelled.misc.save_model_to_json()["comparisons"]
    except Exception as error:
        raise LinkageError(f"the model could not be trained ({type(error).__name__})") from None
    return found


def _read(comparisons: list[dict[str, Any]], what: str, least: float, kind: Kind) -> dict[str, dict[str, float]]:
    found = {}
    for comparison in comparisons:
        field = comparison["output_column_name"]
        said = [one.get(what) for one in comparison["comparison_levels"] if not one.get("is_null_level")]
        shares = [max(value, least) if isinstance(value, float) else least for value in said]
        names = kind.level_names(field)
        found[field] = {name: float(f"{share / sum(shares):.6g}") for name, share in zip(names, shares, strict=True)}
    return found


def _weights(m: dict[str, float], u: dict[str, float]) -> dict[str, int]:
    """Hundredths of log2(m/u). A worse agreement weighs less than any better one, also where the rarity of both says
    otherwise (an unaccented name that agrees is rarer than an accented one): a clerk must be able to follow it. None is 0,
    since Splink's weights are what tells the levels apart."""
    found: dict[str, int] = {}
    most = 10_000
    for level in m:
        weight = min(hundredths(m[level], u[level]), most - 1)
        found[level] = weight if weight != 0 else -1
        most = found[level]
    return found


def _found_true(records: pl.DataFrame, truth: pl.DataFrame, model: Model) -> dict[str, Any]:
    """What the thresholds do to the sample: the share of true ones among links by weight alone, and of true pairs with a
    keyed record that lie above the clerical threshold."""
    person = truth.select("record", "person")
    sides = records.select("record", "keyed").join(person, on="record")
    scored = score(candidates.doubtful(for_blocking(records)), records, model).select("left", "right", "weight")
    both = scored.join(sides, left_on="left", right_on="record").join(
        sides, left_on="right", right_on="record", suffix="_right"
    )
    best = (
        both.select(
            record=pl.when("keyed").then("right").otherwise("left"),
            entity=pl.when("keyed").then("person").otherwise("person_right"),
            weight="weight",
            true=pl.col("person") == pl.col("person_right"),
        )
        .group_by("record", "entity")
        .agg(pl.col("weight").max(), pl.col("true").any())
        .sort("record", -pl.col("weight"), "entity")
        .with_columns(second=pl.col("weight").shift(-1).over("record"))
    )
    first = best.unique("record", keep="first", maintain_order=True)
    linked = first.filter(
        pl.col("weight") >= model.link, pl.col("weight") - pl.col("second").fill_null(-999.0) >= model.margin
    )
    true = best.filter("true")
    return {
        "links_by_weight": linked.height,
        "true_of_links": round(linked["true"].sum() / max(linked.height, 1), 4),
        "true_pairs_above_clerical": round((true["weight"] >= model.clerical).sum() / max(true.height, 1), 4),
    }
