"""Training of the linkage models on the invented province (``lienthong linkage train``).

Belongs here: which sample a model is learnt from. Does not belong here: how it is learnt (:mod:`assets.core.linkage.train`).
"""

from __future__ import annotations

import polars as pl

from assets.core.linkage.model import Model
from assets.core.linkage.naming import forms
from assets.core.linkage.train import train, train_units
from assets.reference.units import load_reference

from .sample.people import communes_of, generate_people
from .sample.units import Units, generate_organizations, generate_villages

_PROVINCES = 12


def invented_communes() -> list[tuple[str, str]]:
    """(code, name with its type) of today's communes."""
    reference = load_reference()
    return communes_of(reference.units, reference.province)


def person_model(name: str, seed: int, people: int) -> Model:
    """The model of persons."""
    sample = generate_people(seed, people=people, communes=invented_communes())
    return train(sample.records, sample.truth, name=name, source=f"pipelines.sample.people, seed {seed}")


def unit_model(name: str, seed: int) -> Model:
    """The model of organisations and villages, from both together: of twelve provinces, since two names that are nearly the same
    are rare within a commune."""
    communes = invented_communes()
    makers = (generate_organizations, generate_villages)
    samples = [make(one, communes=communes) for one in range(seed, seed + _PROVINCES) for make in makers]
    prepared, truth = zip(*(_numbered(sample, communes, n) for n, sample in enumerate(samples)), strict=True)
    source = f"pipelines.sample.units, seeds {seed} to {seed + _PROVINCES - 1}"
    return train_units(pl.concat(prepared), pl.concat(truth), name=name, source=source)


def _numbered(sample: Units, communes: list[tuple[str, str]], number: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Prepared records and truth, with numbers and places that no other sample has."""
    names = pl.DataFrame(communes, {"code": pl.String, "name": pl.String}, orient="row")
    shift = number * 10**9
    prepared = forms(sample.records, names, sample.types).with_columns(
        pl.col("record") + shift, place=pl.concat_str(pl.lit(f"{number}/"), "place")
    )
    return prepared, sample.truth.select(pl.col("record") + shift, pl.col("unit") + shift)
