"""Small counts of people hidden, with as many others as it takes that none can be computed from what is left.

Here: which cells of tables to hide, from their values and from what adds up to what; nothing is known of datasets. The rule is that
of the domain brief (open data: cells below 5 and complementary cells). What is made sure of:

- a count from 1 to 4 is hidden;
- in no sum of cells is exactly one hidden, and what is hidden in one leaves each of them at least as many possible values as the
  limit, also where a reader takes none of them for 0, as far as there are others to hide;
- all sums together, with counts that are never negative, leave each hidden cell at least as many possible values as the limit, or
  as many as if everything were hidden (:mod:`.room`: the least and the greatest value, by linear programming).

Values between the least and the greatest are taken to be possible. In a table of rows and columns with their totals they all are
(its sums are those of a network, whose solutions are whole at every step); where columns of one row add up too there may be gaps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .room import Flags, Indexes, Numbers, Room

BELOW = 5
"""Counts of people from 1 to below this are hidden."""


@dataclass
class Sums:
    """What adds up: one entry for each cell of each sum. ``sign``: 1 for a part, -1 for the total. A sum without a total among the
    cells has one that a reader is taken to know. A sum of fewer than two cells is none, where not said otherwise."""

    line: list[Indexes] = field(default_factory=list)
    cell: list[Indexes] = field(default_factory=list)
    sign: list[Indexes] = field(default_factory=list)
    fewest: list[Indexes] = field(default_factory=list)
    count: int = 0

    def add(self, line: Indexes, cell: Indexes, sign: Indexes, fewest: int = 2) -> None:
        """Add sums; ``line`` says which entries belong together, in any numbers. ``fewest``: how many cells make a sum."""
        _, dense = np.unique(line, return_inverse=True)
        self.line.append(dense + self.count)
        self.cell.append(cell)
        self.sign.append(sign)
        size = int(dense.max(initial=-1)) + 1
        self.fewest.append(np.full(size, fewest))
        self.count += size

    def entries(self, counted: Flags) -> tuple[Indexes, Indexes, Indexes]:
        """(line, cell, sign) of all entries whose cell is counted, without sums of too few."""
        if not self.line:
            return (np.empty(0, np.int64),) * 3
        line, cell, sign = (np.concatenate(x).astype(np.int64) for x in (self.line, self.cell, self.sign))
        kept = counted[cell]
        line, cell, sign = line[kept], cell[kept], sign[kept]
        kept = np.bincount(line, minlength=self.count)[line] >= np.concatenate(self.fewest)[line]
        return line[kept], cell[kept], sign[kept]


@dataclass(frozen=True)
class Hiding:
    """``gone``: cells to hide. ``unknown``: those that a reader does not know, published or not. ``small``: small counts.
    ``possible``: how many values an unknown cell may have at least, at most the limit."""

    gone: Flags
    unknown: Flags
    small: Flags
    possible: Indexes


def hide(
    values: Numbers,
    sums: Sums,
    *,
    below: int = BELOW,
    groups: Indexes | None = None,
    hidden: Flags | None = None,
    shown: Flags | None = None,
    known: Flags | None = None,
    slack: Flags | None = None,
) -> Hiding:
    """Which cells to hide.

    ``values``: counts, NaN where there is none. ``groups``: cells with the same number are hidden together (default: each by
    itself). ``hidden``: cells that are hidden already. ``shown``: cells that are published (default: all); the others a reader
    would have to compute. ``known``: cells that a reader knows whatever is hidden; a small one is left out all the same. ``slack``:
    cells that are not published and need no room; they are never negative, no more. Deterministic: of the cells that could be
    hidden the smallest is, then the first."""
    size = len(values)
    groups = np.arange(size) if groups is None else np.unique(groups, return_inverse=True)[1]
    shown = np.ones(size, bool) if shown is None else shown
    known = np.zeros(size, bool) if known is None else known
    slack = np.zeros(size, bool) if slack is None else slack
    gone = ((np.zeros(size, bool) if hidden is None else hidden) | ~shown) & ~known
    counted = ~np.isnan(values) | gone
    amount = np.where(np.isnan(values), 1.0, values)  # of what is hidden already the worst is assumed
    small = (amount >= 1) & (amount < below) & counted & ~slack
    gone = gone | small & ~known
    line, cell, sign = sums.entries(counted)
    room = Room(amount, line, cell, sign, ~slack, known, below - 1)
    # a sum that only must not be exceeded says nothing by itself
    open_ended = np.zeros(int(line.max(initial=-1)) + 1, bool)
    open_ended[line[slack[cell]]] = True
    firm = ~open_ended[line]
    line, cell, sign = line[firm], cell[firm], sign[firm]
    while True:
        gone = _together(gone, groups, counted & ~known)
        more = _unsafe(amount, line, cell, sign, gone, known, below)
        if not more.any():
            more = room.short(gone)
        if not more.any():
            return Hiding((gone | small) & shown, gone, small, np.where(gone, room.possible(), 1))
        gone = gone | more


def _together(gone: Flags, groups: Indexes, counted: Flags) -> Flags:
    of_group = np.zeros(int(groups.max(initial=-1)) + 1, bool)
    of_group[groups[gone]] = True
    return gone | (of_group[groups] & counted)


def _unsafe(
    amount: Numbers, line: Indexes, cell: Indexes, sign: Indexes, gone: Flags, known: Flags, below: int
) -> Flags:
    """Cells to hide besides, one for each sum in which one is alone or the hidden ones have too little room."""
    out, size = gone[cell], int(line.max(initial=-1)) + 1
    alone = np.bincount(line[out], minlength=size) == 1
    parts = out & (sign > 0)
    positive = parts & (amount[cell] > 0)
    room = np.bincount(line[parts], amount[cell[parts]], size) - np.bincount(line[positive], minlength=size)
    total_gone = np.bincount(line[out & (sign < 0)], minlength=size) > 0
    tight = (np.bincount(line[positive], minlength=size) > 0) & ~total_gone & (room < below - 1)
    free = ~out & ~known[cell] & (alone[line] | (tight[line] & (amount[cell] > 0)))
    return _smallest(amount, line, cell, free, len(gone))


def _smallest(amount: Numbers, line: Indexes, cell: Indexes, free: Flags, size: int) -> Flags:
    """Of the free cells of each line the smallest that is not 0, else the first that is."""
    found = np.zeros(size, bool)
    line, cell = line[free], cell[free]
    order = np.lexsort((cell, np.where(amount[cell] > 0, amount[cell], np.inf), line))
    _, first = np.unique(line[order], return_index=True)
    found[cell[order][first]] = True
    return found
