"""Splink itself: the model as Splink takes it, and the statement that Splink makes of it.

Belongs here: all that imports Splink, for :mod:`.train` and to see that the frozen statement is still Splink's own. Does not
belong here: anything that a run does; a run executes the statement (:func:`.model.weigh`).
"""

from __future__ import annotations

import logging
import re
from typing import Any

import polars as pl

from assets.core.linkage.joining import RECORDS
from assets.core.linkage.keys import for_levels
from assets.core.linkage.model import PERSON, Kind, LinkageError, Model, answered, as_blocked, start
from assets.core.linkage.units import nothing


def settings(model: Model | None = None, kind: Kind = PERSON) -> dict[str, Any]:
    """The model as Splink takes it; without one, an untrained one of the kind."""
    kind = model.kind if model is not None else kind
    comparisons = []
    for field, levels in kind.levels.items():
        value = kind.values.get(field, field)
        missing = {"sql_condition": f"{value}_l is null or {value}_r is null", "is_null_level": True}
        made: list[dict[str, Any]] = [missing]
        for level in kind.level_names(field):
            one: dict[str, Any] = {"sql_condition": levels.get(level, "ELSE"), "label_for_charts": level}
            if model is not None:
                m = model.m[field][level]
                one |= {"m_probability": m, "u_probability": m / 2 ** (model.weights[field][level] / 100)}
            made.append(one)
        comparisons.append({"output_column_name": field, "comparison_levels": made})
    odds = 2.0 ** (model.odds / 100) if model is not None else 1e-4
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": odds / (1 + odds),
        "comparisons": comparisons,
        "blocking_rules_to_generate_predictions": [],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }


def linker(prepared: pl.DataFrame, chosen: dict[str, Any], threads: int) -> tuple[Any, Any]:
    """A silent Splink linker over records from :func:`~assets.core.linkage.keys.for_levels`, and its database."""
    # its loggers print SQL and, at warning level, what it makes of the data; our own process has no other use for them
    for talkative in ("splink", "sqlglot"):
        logging.getLogger(talkative).setLevel(logging.CRITICAL + 1)
    from splink import DuckDBAPI, Linker

    database = DuckDBAPI(start(threads))
    registered = database.register(prepared.to_arrow(compat_level=pl.CompatLevel.oldest()))
    return Linker(registered, chosen, log_level=None, validate_settings=False), database


def predict(pairs: pl.DataFrame, prepared: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Splink's own answer on these pairs: record_l, record_r, match_weight and mw_<field>."""
    try:
        predictions, database = _predicted(pairs, prepared, model)
        query = f"select {answered(model)} from {predictions.physical_name}"
        answer: pl.DataFrame = database.duckdb_con.sql(query).pl()
        database.duckdb_con.close()
    except Exception as error:
        raise LinkageError(f"the pairs could not be scored ({type(error).__name__})") from None
    return answer


def statement(model: Model) -> str:
    """The statement by which Splink weighs pairs under this model, over the tables ``records`` and ``pairs``."""
    nobody = for_levels(pl.DataFrame(schema=RECORDS)) if model.kind == PERSON else nothing()
    none = pl.DataFrame(schema={"left": pl.Int64, "right": pl.Int64})
    predictions, database = _predicted(none, nobody, model)
    database.duckdb_con.close()
    made = re.sub(r"__splink__df_pruned_predict_input_[lr]_\w+", "records", predictions.sql_used_to_create)
    made = re.sub(r"__splink__input_table_1\b", "pairs", made)
    return "\n".join(line.rstrip() for line in made.strip().splitlines()) + "\n"


def _predicted(pairs: pl.DataFrame, prepared: pl.DataFrame, model: Model) -> tuple[Any, Any]:
    splink, database = linker(prepared, settings(model), threads=2)
    splink.table_management.register_blocked_pairs_for_predict(
        database.register(as_blocked(pairs).to_arrow(compat_level=pl.CompatLevel.oldest()))
    )
    return splink.inference.predict(warning_mode="never"), database
