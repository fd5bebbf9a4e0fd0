"""Somebody who knows what adds up, and that no count is negative: what hidden cells may be, by trying.

Written apart from what is tested: no linear programming, whole numbers only. A sum is cell -> coefficient; it adds up to what the
true values say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Sum = Mapping[int, int]


def possible(sums: Sequence[Sum], values: Sequence[float], unknown: set[int], cell: int, enough: int = 5) -> int:
    """How many values an unknown cell may have, all others being known; counted up to ``enough``. Those near the truth are tried:
    where there are enough in a row, there are among these."""
    top = int(sum(values)) + enough
    lines = [
        (
            {c: k for c, k in one.items() if c in unknown},
            sum(int(values[c]) * k for c, k in one.items() if c in unknown),
        )
        for one in sums
    ]
    lines = [(parts, rest) for parts, rest in lines if parts]
    true = {c: int(values[c]) for c in unknown}
    found = 0
    for value in sorted(range(max(0, true[cell] - enough), true[cell] + enough), key=lambda v: abs(v - true[cell])):
        if found >= enough:
            break
        found += _solvable(lines, dict.fromkeys(unknown, (0, top)) | {cell: (value, value)}, true)
    return found


def _solvable(
    lines: Sequence[tuple[dict[int, int], int]], bounds: dict[int, tuple[int, int]], true: Mapping[int, int]
) -> bool:
    """Whether whole numbers within the bounds fulfil all sums: narrowed by each sum, then tried one by one."""
    changed = True
    while changed:
        changed = False
        for parts, rest in lines:
            least = {c: min(k * b for b in bounds[c]) for c, k in parts.items()}
            most = {c: max(k * b for b in bounds[c]) for c, k in parts.items()}
            low, high = sum(least.values()), sum(most.values())
            if not low <= rest <= high:
                return False
            for c, k in parts.items():
                # k * x lies between these, whatever the others are; k is 1 or -1 or a little more
                ends = (rest - (high - most[c]), rest - (low - least[c]))
                a, b = (-(-ends[0] // k), ends[1] // k) if k > 0 else (-(ends[1] // -k), -ends[0] // -k)
                new = max(bounds[c][0], a), min(bounds[c][1], b)
                if new[0] > new[1]:
                    return False
                if new != bounds[c]:
                    bounds[c] = new
                    changed = True
    open_ = [c for parts, _ in lines for c in parts if bounds[c][0] < bounds[c][1]]
    if not open_:
        return True
    one = min(open_, key=lambda c: (bounds[c][1] - bounds[c][0], c))
    near = sorted(range(bounds[one][0], bounds[one][1] + 1), key=lambda v: abs(v - true[one]))
    return any(_solvable(lines, bounds | {one: (v, v)}, true) for v in near)
