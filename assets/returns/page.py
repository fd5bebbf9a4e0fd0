"""One sheet of texts as XML: what is said on it is given, with a style and a link for each cell.

Here: rows, widths, heights, a frozen head, links within the workbook, the page for the printer (A4 landscape, fit to its width).
Texts are inline strings, so that no other part of the workbook changes, and never formulas. Not here: the words
(:mod:`.returned`), the styles (:mod:`.package`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from assets.intake.workbook import letters

from .sheet_patch import RELATIONS

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST = 32_000
"""Characters of a cell (Excel's bound is 32,767)."""
_LINE = 15.5
"""Points of a line of text."""
_LINES = 26
"""Lines of a row at most (Excel's bound is 409 points)."""


@dataclass(frozen=True)
class Item:
    """A cell. ``style``: of ``package.OUR_STYLES``; ``span``: columns that it takes; ``link``: a place such as ``'Sheet'!B17``."""

    text: str
    style: str = "cell"
    span: int = 1
    link: str = ""


@dataclass
class Page:
    """A sheet. ``frozen``: rows that stay in sight; ``head``: the row above a table, printed on each page (0: none)."""

    name: str
    widths: tuple[int, ...]
    rows: list[list[Item]] = field(default_factory=list)
    frozen: int = 0
    head: int = 0


def clear(text: str) -> str:
    """A text that XML can hold, and a cell."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)[:LONGEST]


def sheet_xml(page: Page, namespace: str, styles: Mapping[str, int], *, opened: bool) -> bytes:
    """The part of a sheet; ``opened``: it is the one that is selected."""
    rows, merged, links = [], [], []
    for number, items in enumerate(page.rows, 1):
        cells, column, lines = [], 1, 1
        for item in items:
            place = f"{letters(column)}{number}"
            text = clear(item.text)
            cells.append(
                f'<c r="{place}" s="{styles[item.style]}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
                if text else f'<c r="{place}" s="{styles[item.style]}"/>'
            )  # fmt: skip
            if item.span > 1:
                last = letters(column + item.span - 1)
                merged.append(f'<mergeCell ref="{place}:{last}{number}"/>')
                cells += [
                    f'<c r="{letters(column + n)}{number}" s="{styles[item.style]}"/>' for n in range(1, item.span)
                ]
            if item.link:
                links.append(
                    f"<hyperlink ref={quoteattr(place)} location={quoteattr(item.link)} display={quoteattr(text)}/>"
                )
            width = sum(page.widths[column - 1 : column - 1 + item.span]) or 10
            lines = max(lines, sum(1 + int(len(part) * 1.15) // width for part in text.split("\n")))
            column += item.span
        points = min(lines, _LINES) * _LINE * (1.5 if any(i.style == "title" for i in items) else 1)
        rows.append(f'<row r="{number}" ht="{points}" customHeight="1">{"".join(cells)}</row>')
    selected = ' tabSelected="1"' if opened else ""
    frozen = page.frozen
    pane = (
        f'<pane ySplit="{frozen}" topLeftCell="A{frozen + 1}" activePane="bottomLeft" state="frozen"/>'
        if frozen
        else ""
    )
    widths = "".join(f'<col min="{n}" max="{n}" width="{w}" customWidth="1"/>' for n, w in enumerate(page.widths, 1))
    return "".join((
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{namespace}" xmlns:r="{RELATIONS}">',
        '<sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>',
        f'<sheetViews><sheetView showGridLines="0"{selected} workbookViewId="0">{pane}</sheetView></sheetViews>',
        f'<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols><sheetData>{"".join(rows)}</sheetData>',
        f'<mergeCells count="{len(merged)}">{"".join(merged)}</mergeCells>' if merged else "",
        f'<hyperlinks>{"".join(links)}</hyperlinks>' if links else "",
        '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.5" header="0.3" footer="0.3"/>',
        '<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>',
        "<headerFooter><oddFooter>&amp;R&amp;P/&amp;N</oddFooter></headerFooter></worksheet>",
    )).encode()  # fmt: skip
