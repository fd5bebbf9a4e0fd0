"""How much room published sums leave to hidden counts that are never negative, and what to hide where it is too little.

Here: the least and the greatest value of each hidden cell that all sums together allow, by linear programming (HiGHS). Cells are
taken as deviations from their true values, which is one solution; every other that is found stays one when more is hidden, so what
has once been shown to have room keeps it. Not here: what adds up, which counts are small (:mod:`.small_cells`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .views import ExportRefused

Numbers = NDArray[np.float64]
Indexes = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ROUNDS = 12
"""At most so many solutions that move many cells at once are sought before cells are looked at one by one."""
_STEPS = 4
_SOLVED, _NO_SOLUTION = 0, 2
_NEAR = 1e-6
_OF_ZERO = 40.0
"""What hiding a 0 costs beside a count: it is hidden where nothing else helps."""


@dataclass
class Room:
    """Sums of cells and what solutions of them are known.

    ``amount``: true values; ``line``, ``cell``, ``sign``: entries of the sums; ``watched``: cells that must have room where they
    are hidden; ``fixed``: cells that can be hidden no more, as they are known; ``need``: the greatest possible value of a cell less
    the least must be this."""

    amount: Numbers
    line: Indexes
    cell: Indexes
    sign: Indexes
    watched: Flags
    fixed: Flags
    need: int
    low: Numbers = field(init=False)
    high: Numbers = field(init=False)
    settled: Flags = field(init=False)
    enough: Numbers = field(init=False)
    """``need``, or what a cell cannot exceed whatever else is hidden."""

    def __post_init__(self) -> None:
        self.low, self.high = np.zeros(len(self.amount)), np.zeros(len(self.amount))
        self.enough = np.minimum(self.need, self._limits())
        summed = np.zeros(len(self.amount), bool)
        summed[self.cell] = True
        self.high[~summed] = self.need  # nothing is said of it
        self.settled = ~self.watched | ~summed | (self.enough <= 0)

    def _limits(self) -> Numbers:
        """What each cell is at most, by one sum after the other."""
        size, lines = len(self.amount), int(self.line.max(initial=-1)) + 1
        open_ = ~self.fixed[self.cell]
        line, cell, sign = self.line[open_], self.cell[open_], self.sign[open_]
        rest = np.bincount(line, sign * self.amount[cell], lines)  # of parts, less their total
        most = np.full(size, np.inf)
        for _ in range(_STEPS):
            of_total = np.bincount(line[sign < 0], most[cell[sign < 0]], lines)
            of_parts = np.bincount(line[sign > 0], most[cell[sign > 0]], lines)
            np.minimum.at(most, cell, np.where(sign > 0, rest[line] + of_total[line], of_parts[line] - rest[line]))
        return np.where(np.isinf(most), most, np.floor(most + _NEAR))

    def possible(self) -> Indexes:
        """How many whole numbers each cell may be as far as is known, at most ``need`` + 1."""
        return np.asarray(np.minimum(_width(self.low, self.high), self.need) + 1, np.int64)

    def short(self, gone: Flags) -> Flags:
        """What to hide besides so that every hidden cell has room, or as much as it had if everything were hidden; nothing
        where that is so. ``gone``: hidden cells."""
        more = np.zeros(len(gone), bool)
        todo = gone & ~self.settled
        if not todo.any():
            return more
        self._many(gone)
        part = _parts(self.line, self.cell, gone)
        for at in np.flatnonzero(gone & ~self.settled).tolist():
            if self.settled[at]:
                continue
            known = _System.of(self, gone & (part == part[at]))
            if not self._alone(known, at):
                more |= self._repair(gone | more, at)
        return more

    def _seen(self, cells: Indexes, moved: Numbers) -> None:
        """Another solution: cells that it moves are known to have that room."""
        self.low[cells] = np.minimum(self.low[cells], moved)
        self.high[cells] = np.maximum(self.high[cells], moved)
        self.settled[cells] |= _width(self.low[cells], self.high[cells]) >= self.enough[cells]

    def _many(self, gone: Flags) -> None:
        """Solutions that move as many unsettled cells at once as there are, some up and some down, then the other way round."""
        system = _System.of(self, gone)
        chance = np.random.default_rng(0)  # which cells go up: any choice will do, the same one every time
        way = chance.choice((-1.0, 1.0), len(system.cells))
        before = int((~self.settled[system.cells]).sum())
        for turn in range(_ROUNDS):
            todo = ~self.settled[system.cells]
            if not todo.any():
                return
            way = -way if turn % 2 else chance.choice((-1.0, 1.0), len(system.cells))
            low = np.where(todo, np.maximum(system.low, -self.need), system.low)
            high = np.where(todo, self.need, np.inf)
            moved = system.solve(np.where(todo, -way, 0.0), low, high)
            if moved is None:
                return
            self._seen(system.cells, moved)
            left = int((~self.settled[system.cells]).sum())
            if turn % 2 and left > 0.9 * before:
                return
            before = left if turn % 2 else before

    def _alone(self, system: _System, at: int) -> bool:
        """Move one cell as far as it goes; whether that is room enough."""
        here = int(np.searchsorted(system.cells, at))
        for way in (1.0, -1.0):
            cost, low, high = np.zeros(len(system.cells)), system.low.copy(), np.full(len(system.cells), np.inf)
            cost[here] = -way
            if way > 0:
                high[here] = np.ceil(self.low[at] - _NEAR) + self.enough[at]
            else:
                low[here] = max(low[here], np.floor(self.high[at] + _NEAR) - self.enough[at])
            moved = system.solve(cost, low, high)
            if moved is not None:
                self._seen(system.cells, moved)
            if self.settled[at]:
                return True
        return False

    def _repair(self, gone: Flags, at: int) -> Flags:
        """Of the cells that could be hidden those that it takes, and cost the least, to give one cell room."""
        part = _parts(self.line, self.cell, gone | ~self.fixed)
        system = _System.of(self, (gone | ~self.fixed) & (part == part[at]))
        here = int(np.searchsorted(system.cells, at))
        more = np.zeros(len(gone), bool)
        if gone[system.cells].all():
            self.settled[at] = True  # there is nothing else to hide
            return more

        def towards(goal: float, way: float) -> bool:
            """Move the cell at least to a goal; what must be hidden for it is."""
            price = np.where(gone[system.cells] | more[system.cells], 0.0, _price(self.amount[system.cells]))
            moved = system.cheapest(price, here, goal, way)
            if moved is None:
                return False
            more[system.cells[(np.abs(moved) > _NEAR) & (price > 0)]] = True
            self._seen(system.cells, moved)
            return True

        if towards(np.ceil(self.low[at] - _NEAR) + self.enough[at], 1.0):
            return more
        least, most = system.reach(here, self.need)
        need = min(self.enough[at], int(_width(least, most)))
        if _width(self.low[at], self.high[at]) < need:
            towards(min(most, np.ceil(self.low[at] - _NEAR) + need), 1.0)
        if _width(self.low[at], self.high[at]) < need:
            towards(max(least, np.floor(self.high[at] + _NEAR) - need), -1.0)
        self.settled[at] = True  # there is no more to be had
        return more


@dataclass(frozen=True)
class _System:
    """Sums over some cells, all others being known: deviations from the true values add up to 0."""

    cells: Indexes
    matrix: Any
    low: Numbers

    @classmethod
    def of(cls, room: Room, some: Flags) -> _System:
        from scipy.sparse import csr_array  # type: ignore[import-untyped]

        kept = some[room.cell]
        cells = np.unique(room.cell[kept])
        rows, row = np.unique(room.line[kept], return_inverse=True)
        column = np.searchsorted(cells, room.cell[kept])
        matrix = csr_array((room.sign[kept].astype(float), (row, column)), shape=(len(rows), len(cells)))
        return cls(cells, matrix, -np.maximum(room.amount[cells], 0))

    def solve(self, cost: Numbers, low: Numbers, high: Numbers, matrix: Any = None) -> Numbers | None:
        """A solution of least cost within bounds; None where there is none.

        Raises :class:`ExportRefused` where that cannot be found out: nothing is taken for hidden well that was not looked at."""
        from scipy.optimize import linprog  # type: ignore[import-untyped]

        matrix = self.matrix if matrix is None else matrix
        bounds = np.column_stack([low, high])
        for presolve in (True, False):
            found = linprog(
                cost,
                A_eq=matrix,
                b_eq=np.zeros(matrix.shape[0]),
                bounds=bounds,
                method="highs",
                options={"presolve": presolve},
            )
            if found.status in (_SOLVED, _NO_SOLUTION):
                return np.asarray(found.x, float) if found.status == _SOLVED else None
        raise ExportRefused(
            f"what can be found out of hidden counts could not be computed ({found.message}); nothing was exported. Report this"
        )

    def cheapest(self, price: Numbers, here: int, goal: float, way: float) -> Numbers | None:
        """The solution in which one cell has moved to a goal or beyond and the others as little as may be, by their prices."""
        from scipy.sparse import hstack

        size = len(self.cells)
        low, high = np.zeros(2 * size), np.r_[np.full(size, np.inf), -self.low]  # what goes up, what goes down
        if way > 0:
            low[here], high[size + here] = max(goal, 0.0), 0.0
        else:
            low[size + here], high[here] = max(-goal, 0.0), 0.0
        if (low > high).any():
            return None
        # of two that cost the same the first
        price = price * (1 + 1e-3 * np.arange(size) / size)
        moved = self.solve(np.r_[price, price], low, high, hstack([self.matrix, -self.matrix], format="csr"))
        return None if moved is None else moved[:size] - moved[size:]

    def reach(self, here: int, need: int) -> tuple[float, float]:
        """The least and the greatest that one cell can be moved to, at most ``need`` either way."""
        found = []
        for way in (1.0, -1.0):
            cost, low, high = np.zeros(len(self.cells)), self.low.copy(), np.full(len(self.cells), np.inf)
            cost[here], low[here], high[here] = way, max(low[here], -need), need
            moved = self.solve(cost, low, high)
            found.append(0.0 if moved is None else float(moved[here]))
        return found[0], found[1]


def _price(amount: Numbers) -> Numbers:
    return np.where(amount > 0, 1 + np.log1p(np.maximum(amount, 0)) / 10, _OF_ZERO)


def _width(low: Any, high: Any) -> Any:
    return (np.floor(high + _NEAR) - np.ceil(low - _NEAR)).astype(np.int64)


def _parts(line: Indexes, cell: Indexes, some: Flags) -> Indexes:
    """For each cell the number of the part that hangs together by sums over some of the cells."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    kept = some[cell]
    line, cell = line[kept], cell[kept]
    size = len(some) + int(line.max(initial=-1)) + 1
    links = coo_array((np.ones(len(cell), np.int8), (cell, line + len(some))), shape=(size, size))
    return np.asarray(connected_components(links, directed=False)[1][: len(some)], np.int64)
