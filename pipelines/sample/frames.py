"""The truth as frames, in memory or on disk, and streams of random numbers by name.

Belongs here: how frames are kept, found and compared. Does not belong here: what is in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl


def stream(seed: int, *names: object) -> np.random.Generator:
    """Random numbers of their own for each purpose: what one generator draws moves nothing in another one."""
    return np.random.default_rng([seed, *"/".join(map(str, names)).encode()])


PERIODIC = frozenset({
    "administrative_units", "annual_quotas", "digital_transformation", "kpi_evaluations", "population", "public_service_units",
    "service_statistics", "specialist_needs",
})  # fmt: skip
"""Datasets whose figures are of a period, each a version of its own."""


class Frames:
    """What the warehouse must hold after everything, dataset by dataset: ``frames.staff`` is a frame with the contract's
    column names. With a folder the frames lie there as Parquet, in parts (dossiers by month), and are read when asked for.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, dict[str, pl.DataFrame]] = {}

    def put(self, dataset: str, frame: pl.DataFrame, part: str = "all") -> None:
        """Keep a frame, or a part of one."""
        if self._folder is None:
            self._kept.setdefault(dataset, {})[part] = frame
        else:
            place = self._folder / dataset / f"{part}.parquet"
            place.parent.mkdir(parents=True, exist_ok=True)
            frame.write_parquet(place)

    def keep(self, folder: Path) -> None:
        """Write them into a folder, unless that is where they are."""
        if self._folder == folder:
            return
        copy = Frames(folder)
        for dataset in self.datasets():
            for part, frame in self.parts(dataset):
                copy.put(dataset, frame, part)

    def datasets(self) -> list[str]:
        """All that are kept, by name."""
        if self._folder is None:
            return sorted(self._kept)
        return sorted(p.name for p in self._folder.iterdir() if p.is_dir()) if self._folder.is_dir() else []

    def parts(self, dataset: str) -> Iterator[tuple[str, pl.DataFrame]]:
        """The parts of a frame in order of their names, one in memory at a time where they lie on disk."""
        if self._folder is None:
            yield from sorted(self._kept[dataset].items())
        else:
            for place in sorted((self._folder / dataset).glob("*.parquet")):
                yield place.stem, pl.read_parquet(place)

    def __getattr__(self, dataset: str) -> pl.DataFrame:
        if dataset.startswith("_") or dataset not in self.datasets():
            raise AttributeError(dataset)
        return pl.concat([frame for _, frame in self.parts(dataset)])
