"""Pictures of the board: trends against a target, the quality of a dataset, the tiles of a map.

Here: drawing SVG whose texts are texts with Matplotlib, which is imported where a picture is drawn (a board of which nothing
changed draws none). The same figures give the same bytes. Colours are those of Okabe and Ito (2008), told apart by the
colour-blind; no picture says anything by colour alone.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from schemas.vietnam import written_number

BLUE, ORANGE, RED, GREY = "#0072B2", "#E69F00", "#D55E00", "#6b6b6b"
_FONT = ["Noto Sans", "DejaVu Sans", "Segoe UI", "Arial", "sans-serif"]


def _figure(height: float = 2.3) -> tuple[Any, Any]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "lienthong", "font.family": "sans-serif", "font.size": 9}
    figure = Figure(figsize=(6.4, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(lambda value, _: _number(value))
    return figure, axes


def _number(value: float) -> str:
    """As numbers are written in Vietnam."""
    return written_number(Decimal(f"{value:.10g}")).replace("-", "\N{MINUS SIGN}")


def _svg(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return out.getvalue().replace(b"font: 9px 'sans-serif'", f"font: 9px {', '.join(_FONT)}".encode())


def trend(periods: Sequence[str], values: Sequence[float | None], targets: Sequence[float | None], unit: str) -> bytes:
    """A figure by period (gaps where nothing is known) with its target as a broken line."""
    figure, axes = _figure()
    places = range(len(periods))
    shown = [float("nan") if v is None else v for v in values]
    axes.plot(places, shown, color=BLUE, marker="o", markersize=4, linewidth=1.8)
    if any(t is not None for t in targets):
        goal = [float("nan") if t is None else t for t in targets]
        axes.plot(places, goal, color=RED, linestyle="--", marker="_", markersize=8, linewidth=1.2)
        last = max(n for n, t in enumerate(targets) if t is not None)
        axes.annotate("chỉ tiêu", (last, goal[last]), color=RED, xytext=(0, 4), textcoords="offset points", ha="right")
    _ticks(axes, periods)
    axes.set_ylabel(unit)
    return _svg(figure)


def quality(periods: Sequence[str], parts: Mapping[str, Sequence[int]]) -> bytes:
    """Rows by period, one part upon the other (accepted, faulty), each with a hatching of its own."""
    figure, axes = _figure()
    below = [0] * len(periods)
    for (name, counts), colour, hatch in zip(parts.items(), (BLUE, ORANGE, GREY), ("", "///", "..."), strict=False):
        axes.bar(
            range(len(periods)),
            counts,
            bottom=below,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            label=name,
            width=0.7,
        )
        below = [b + c for b, c in zip(below, counts, strict=True)]
    _ticks(axes, periods)
    axes.set_ylabel("số dòng")
    axes.legend(frameon=False, loc="upper left", ncols=3, bbox_to_anchor=(0, 1.18))
    return _svg(figure)


def _ticks(axes: Any, periods: Sequence[str]) -> None:
    step = max(1, -(-len(periods) // 8))
    axes.set_xticks(range(0, len(periods), step), periods[::step])
    axes.margins(x=0.04)


def tiles(places: Mapping[str, tuple[float, float]]) -> dict[str, tuple[int, int]]:
    """Code -> (row, column) of a grid with one tile for each unit: from north to south in rows of about one length, in a row from
    west to east. ``places``: code -> (latitude, longitude). The same places give the same grid."""
    width = max(1, round(len(places) ** 0.5))
    order = sorted(places, key=lambda code: (-places[code][0], code))
    found: dict[str, tuple[int, int]] = {}
    for row in range(-(-len(order) // width)):
        members = sorted(order[row * width : (row + 1) * width], key=lambda code: (places[code][1], code))
        found |= {code: (row, column) for column, code in enumerate(members)}
    return found
