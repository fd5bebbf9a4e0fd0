"""Small counts of people hidden, with as many others as it takes that none can be computed from what is left.

Here: which cells of tables to hide, from their values and from what adds up to what; nothing is known of datasets. The rule is that
of the domain brief (open data: cells below 5 and complementary cells). What is made sure of:

- a count from 1 to 4 is hidden;
- in no sum of cells is exactly one hidden, and what is hidden in one leaves each of them at least as many possible values as the
  limit, as far as there are others to hide;
- no hidden cell follows from all sums together: neither by rows nor by columns nor by both (linear algebra: the cell is in no
  equation that the known sums imply).

Not made sure of: what one can conclude from several sums together with the knowledge that no count is negative.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

BELOW = 5
"""Counts of people from 1 to below this are hidden."""

Numbers = NDArray[np.float64]
Indexes = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass
class Sums:
    """What adds up: one entry for each cell of each sum. ``sign``: 1 for a part, -1 for the total. A sum without a total among the
    cells has one that a reader is taken to know. A sum of fewer than two cells is none."""

    line: list[Indexes] = field(default_factory=list)
    cell: list[Indexes] = field(default_factory=list)
    sign: list[Indexes] = field(default_factory=list)
    count: int = 0

    def add(self, line: Indexes, cell: Indexes, sign: Indexes) -> None:
        """Add sums; ``line`` says which entries belong together, in any numbers."""
        _, dense = np.unique(line, return_inverse=True)
        self.line.append(dense + self.count)
        self.cell.append(cell)
        self.sign.append(sign)
        self.count += int(dense.max(initial=-1)) + 1

    def entries(self, counted: Flags) -> tuple[Indexes, Indexes, Indexes]:
        """(line, cell, sign) of all entries whose cell is counted, without sums of fewer than two."""
        if not self.line:
            return (np.empty(0, np.int64),) * 3
        line, cell, sign = (np.concatenate(x).astype(np.int64) for x in (self.line, self.cell, self.sign))
        kept = counted[cell]
        line, cell, sign = line[kept], cell[kept], sign[kept]
        kept = np.bincount(line, minlength=self.count)[line] > 1
        return line[kept], cell[kept], sign[kept]


def hide(
    values: Numbers,
    sums: Sums,
    *,
    below: int = BELOW,
    groups: Indexes | None = None,
    hidden: Flags | None = None,
    shown: Flags | None = None,
) -> Flags:
    """Which cells to hide.

    ``values``: counts, NaN where there is none. ``groups``: cells with the same number are hidden together (default: each by
    itself). ``hidden``: cells that are hidden already. ``shown``: cells that are published (default: all); the others a reader
    would have to compute. Deterministic: of the cells that could be hidden the smallest is, then the first."""
    groups = np.arange(len(values)) if groups is None else np.unique(groups, return_inverse=True)[1]
    shown = np.ones(len(values), bool) if shown is None else shown
    gone = (np.zeros(len(values), bool) if hidden is None else hidden) | ~shown
    counted = ~np.isnan(values) | gone
    amount = np.where(np.isnan(values), 1.0, values)  # of what is hidden already the worst is assumed
    gone = gone | ((amount >= 1) & (amount < below) & counted)
    line, cell, sign = sums.entries(counted)
    while True:
        gone = _together(gone, groups, counted)
        more = _unsafe(amount, line, cell, sign, gone, below)
        if not more.any():
            more = _computable(line, cell, sign, gone)
        if not more.any():
            return gone & shown
        gone = gone.copy()
        gone[more] = True


def _together(gone: Flags, groups: Indexes, counted: Flags) -> Flags:
    of_group = np.zeros(int(groups.max(initial=-1)) + 1, bool)
    of_group[groups[gone]] = True
    return gone | (of_group[groups] & counted)


def _unsafe(amount: Numbers, line: Indexes, cell: Indexes, sign: Indexes, gone: Flags, below: int) -> Flags:
    """Cells to hide besides, one for each sum in which one is alone or the hidden ones have too little room."""
    out, size = gone[cell], int(line.max(initial=-1)) + 1
    alone = np.bincount(line[out], minlength=size) == 1
    parts = out & (sign > 0)
    positive = parts & (amount[cell] > 0)
    room = np.bincount(line[parts], amount[cell[parts]], size) - np.bincount(line[positive], minlength=size)
    total_gone = np.bincount(line[out & (sign < 0)], minlength=size) > 0
    tight = (np.bincount(line[positive], minlength=size) > 0) & ~total_gone & (room < below - 1)
    free = ~out & (alone[line] | (tight[line] & (amount[cell] > 0)))
    return _smallest(amount, line, cell, free, len(gone))


def _smallest(amount: Numbers, line: Indexes, cell: Indexes, free: Flags, size: int) -> Flags:
    """Of the free cells of each line the smallest that is not 0, else the first that is."""
    found = np.zeros(size, bool)
    line, cell = line[free], cell[free]
    order = np.lexsort((cell, np.where(amount[cell] > 0, amount[cell], np.inf), line))
    _, first = np.unique(line[order], return_index=True)
    found[cell[order][first]] = True
    return found


def _computable(line: Indexes, cell: Indexes, sign: Indexes, gone: Flags) -> Flags:
    """Cells to hide besides, one for each sum with a hidden cell that all sums together tell."""
    told = computable(line, cell, sign, gone)
    of_line = np.zeros(int(line.max(initial=-1)) + 1, bool)
    of_line[line[told[cell]]] = True
    free = ~gone[cell] & of_line[line]
    return _smallest(np.ones(len(gone)), line, cell, free, len(gone))


def computable(line: Indexes, cell: Indexes, sign: Indexes, gone: Flags) -> Flags:
    """Hidden cells whose value the known sums imply. A cell is free exactly where some solution of the sums, all known cells
    being 0, has it different from 0."""
    found = np.zeros(len(gone), bool)
    out = gone[cell]
    line, cell, sign = line[out], cell[out], sign[out]
    if not len(cell):
        return found
    part = _parts(line, cell, len(gone))
    order = np.argsort(part[cell], kind="stable")
    line, cell, sign = line[order], cell[order], sign[order]
    starts = np.flatnonzero(np.r_[True, np.diff(part[cell]) != 0])
    for begin, end in zip(starts, np.r_[starts[1:], len(cell)], strict=True):
        rows, row = np.unique(line[begin:end], return_inverse=True)
        cells, column = np.unique(cell[begin:end], return_inverse=True)
        matrix = np.zeros((len(rows), len(cells)))
        np.add.at(matrix, (row, column), sign[begin:end])
        _, size, right = np.linalg.svd(matrix)
        rank = int((size > 1e-9 * max(matrix.shape)).sum())
        found[cells] = np.abs(right[rank:]).max(axis=0, initial=0) < 1e-7
    return found


def _parts(line: Indexes, cell: Indexes, size: int) -> Indexes:
    """For each cell the least cell that it hangs together with by sums."""
    least = np.arange(size)
    while len(line):
        of_line = np.full(int(line.max()) + 1, size)
        np.minimum.at(of_line, line, least[cell])
        new = least.copy()
        np.minimum.at(new, cell, of_line[line])
        if (new == least).all():
            break
        least = new
    return least
