"""The package of a workbook (a zip of XML parts), patched: marked cells, comments, one new first sheet, nothing that runs.

Here: the parts that may differ (content types, the workbook and its relations, styles, the sheets that are marked with their
relations and comments) and those that are left out; any other part keeps its bytes. Not here: the inside of a sheet
(:mod:`.sheet_patch`), what is said (:mod:`.returned`), workbooks made anew (:mod:`.made`).

The rules of the format are those of ECMA-376 part 1 (SpreadsheetML) and part 2 (packages).
"""

from __future__ import annotations

import copy
import logging
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from lxml import etree

from assets.intake.limits import Limits
from assets.intake.tables import OWN_ANSWER, is_our_answer
from assets.intake.workbook import BROKEN_PACKAGE, Package, letters
from schemas.grid import Unreadable

from .page import Page, sheet_xml
from .sheet_patch import RELATIONS, Patched, Restyle, Unpatchable, patch, reaches_out, suspicious
from .zipcopy import rewritten

log = logging.getLogger(__name__)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
AUTHOR = "Liên Thông"
"""Of our comments: by it they are known when the workbook comes back."""
FILLS = {"error": "FFF4B6A9", "warning": "FFFCE4A6", "repaired": "FFC9DDF2"}
"""Tone -> colour of a cell, each of another lightness, so that they differ without colour too; the comment says the tone in words.
They are nobody else's, and are taken off again when the workbook comes back."""
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml."
_BOOK_TYPE = f"{SHEET_TYPE}sheet.main+xml"
_ANEW = ("xlmacrosheet", "xlintlmacrosheet", "dialogsheet")
_REMOVED = {
    "externallink": "external_link", "externallinkpath": "external_link", "vbaproject": "macro", "vbaprojectsignature": "macro",
    "vbaprojectsignatureagile": "macro", "vbaprojectsignaturev3": "macro", "attachedtoolbars": "macro", "extensibility": "macro",
    "usercustomization": "macro", "oleobject": "object", "package": "object", "control": "object", "ctrlprop": "object",
    "activexcontrolbinary": "object", "connections": "connection", "querytable": "connection", "powerpivotdata": "connection",
    "volatiledependencies": "connection", "webextensiontaskpanes": "object", "webextension": "object",
}  # fmt: skip
"""Last word of a relation's type -> what is said of what it leads to."""
_REMOVED_PLACES = re.compile(
    r"^(?:xl/(?:vbaproject|externallinks/|activex/|ctrlprops/|embeddings/|querytables/|connections\.xml|volatiledependencies)"
    r"|customui/|usercustomization/|xl/webextensions/|xl/model/)"
)
"""Parts that go even where nothing leads to them: what looks for macros in files looks for the part alone."""
_KINDS_BY_PLACE = {
    "xl/vbaproject": "macro", "xl/externallinks/": "external_link", "xl/querytables/": "connection",
    "xl/connections.xml": "connection", "xl/volatiledependencies": "connection", "xl/model/": "connection",
    "customui/": "macro", "usercustomization/": "macro",
}  # fmt: skip
_XF_MAX = 64_000
_SELECTED = re.compile(rb"tabSelected\s*=\s*[\"'](?:1|true)")
SIGN = f"[{AUTHOR}]"
"""First line of what we say in a comment: some programs lose whose it is."""


@dataclass(frozen=True)
class Mark:
    """A cell that something is said about. ``tone``: of :data:`FILLS`; ``note``: its comment, '' where it has none."""

    row: int
    column: int
    tone: str
    note: str = ""


@dataclass
class _Sheet:
    name: str
    path: str
    element: Any
    position: int
    """Among all sheets of the old workbook."""
    number: int | None
    """As the reader counts worksheets; None for a sheet of charts."""
    selected: bool = False
    """Whether it still says of itself that it is selected."""


class Book:
    """A workbook that is being patched; raises :class:`Unpatchable` where it is to be made anew."""

    def __init__(self, data: bytes, limits: Limits | None = None) -> None:
        self.data = data
        self.removed: list[tuple[str, str]] = []
        """What was taken out: (kind, which), for the officer to read."""
        self.written: dict[str, bytes] = {}
        self.dropped: set[str] = set()
        self._limits = limits or Limits()
        with _patching():
            self.package = Package(data, self._limits)
            self._open()

    def _open(self) -> None:
        package = self.package
        if len({info.filename for info in package.zip.infolist()}) != len(package.parts):
            raise Unpatchable("two parts of one name")  # a program may read the one that is not patched
        self.book_path = "xl/workbook.xml"
        if self.book_path not in package.parts:
            self.book_path = dict(package.relations("").values())["officeDocument"]
        self.book = self._tree(self.book_path)
        self.ns = etree.QName(self.book).namespace
        self.types = self._tree("[Content_Types].xml")
        self.rels = self._relations(self.book_path)
        self._lost: dict[str, set[str]] = {}
        for name in [n for n in package.parts if n.endswith(".rels")]:
            self._disarm(name)
        for name, info in package.parts.items():
            place = _REMOVED_PLACES.match(name)
            if place is not None and info.filename not in self.dropped:
                if not name.endswith(".rels"):
                    self.removed.append((_KINDS_BY_PLACE.get(place[0], "object"), posixpath.basename(info.filename)))
                self._drop(name)
        by_id = {r.get("Id"): r for r in self.rels}
        self.sheets: list[_Sheet] = []
        listed = self.book.find(f"{{{self.ns}}}sheets")
        if listed is None:
            raise Unpatchable("no sheets")
        self.listed = listed
        for position, element in enumerate(listed):
            relation = by_id.get(_id_of(element))
            if relation is None:
                raise Unpatchable("sheet without a part")
            kind = _kind(relation)
            if kind in _ANEW:
                raise Unpatchable(kind)
            path = _target(self.book_path, relation)
            number = sum(s.number is not None for s in self.sheets) if kind == "worksheet" else None
            self.sheets.append(_Sheet(element.get("name", ""), path, element, position, number))
        self.styles = _Styles(self)
        self._take_ours_off()

    @property
    def names(self) -> dict[int, str]:
        """Number of a worksheet, as the reader counts, -> its name."""
        return {s.number: s.name for s in self.sheets if s.number is not None}

    # --- parts ------------------------------------------------------------------------------------------------------

    def _tree(self, path: str) -> Any:
        """A part as a tree with all that stands in it, comments too."""
        self.package.tree(path)  # within the reader's bounds, without a document type
        return etree.fromstring(self.package.read(path), etree.XMLParser(resolve_entities=False, no_network=True))

    def _name(self, path: str) -> str:
        """The name under which the zip has a part; the path itself where it is new."""
        info = self.package.parts.get(path.lower())
        return info.filename if info is not None else path

    def _has(self, path: str) -> bool:
        return path.lower() in self.package.parts

    def _put(self, path: str, root: Any) -> None:
        self.written[self._name(path)] = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)

    def _relations(self, path: str) -> Any:
        part = _rels_path(path)
        return (
            self._tree(part)
            if self._has(part)
            else etree.Element(f"{{{PACKAGE_RELATIONS}}}Relationships", nsmap={None: PACKAGE_RELATIONS})
        )

    def _disarm(self, name: str) -> None:
        """Take out of one part of relations what runs or fetches."""
        owner = posixpath.join(
            posixpath.dirname(posixpath.dirname(name)), posixpath.basename(name).removesuffix(".rels")
        )
        is_book = owner == self.book_path.lower()
        root = self.rels if is_book else self._tree(name)
        changed = False
        for relation in list(root):
            if not isinstance(relation.tag, str):
                continue
            kind, outside = _kind(relation), relation.get("TargetMode") == "External"
            target = "" if outside else _target(owner, relation)
            if kind in _REMOVED or (target and _REMOVED_PLACES.match(target.lower())):
                self.removed.append((_REMOVED.get(kind, "object"), posixpath.basename(target) or kind))
                self._lost.setdefault(owner, set()).add(relation.get("Id", ""))
                if kind == "querytable" and "/tables/" in owner:
                    raise Unpatchable("table of a query")
                root.remove(relation)
                if target and not outside:
                    self._drop(target)
                changed = True
            elif outside and kind != "hyperlink" and relation.get("Target") != "NULL":
                self.removed.append(("linked_part", kind))
                relation.set("Target", "NULL")
                changed = True
            elif kind == "pivotcachedefinition":
                source = self._tree(target).find("{*}cacheSource")
                if source is not None and source.get("type") == "external":
                    raise Unpatchable("pivot table of a connection")
        if changed and not is_book:
            self._put(name, root)

    def _drop(self, path: str) -> None:
        for part in (path, _rels_path(path)):
            if self._has(part):
                self.dropped.add(self._name(part))
            for override in self.types.iterfind(f"{{{TYPES}}}Override"):
                if override.get("PartName", "").lstrip("/").lower() == part.lower():
                    self.types.remove(override)

    def _take_ours_off(self) -> None:
        """An answer that was sent back: its sheet goes, before a new one comes."""
        if not any(OWN_ANSWER.fullmatch(s.name) for s in self.sheets):
            return
        ours = {g.name for g in Package(self.data, self._limits).grids() if is_our_answer(g)}
        for sheet in [s for s in self.sheets if s.name in ours]:
            self.listed.remove(sheet.element)
            self.sheets.remove(sheet)
            relation = next(r for r in self.rels if r.get("Id") == _id_of(sheet.element))
            self.rels.remove(relation)
            self._drop(sheet.path)

    # --- sheets -----------------------------------------------------------------------------------------------------

    def mark(self, marks: Mapping[int, Sequence[Mark]]) -> None:
        """Colour cells and write comments (number of the worksheet as the reader counts -> marks); take out what reaches out
        of any sheet."""
        with _patching():
            for sheet in self.sheets:
                if sheet.number is not None:
                    self._mark(sheet.number, sheet, marks.get(sheet.number, ()))

    def _mark(self, number: int, sheet: _Sheet, marks: Sequence[Mark]) -> None:
        data = self.package.read(sheet.path)
        sheet.selected = _SELECTED.search(data) is not None and not marks
        old = self.styles.old
        if not marks and not old and not self._lost.get(sheet.path.lower()) and not suspicious(data):
            return
        cells: dict[int, dict[int, str]] = {}
        for mark in marks:
            cells.setdefault(mark.row, {}).setdefault(mark.column, mark.tone)
        notes = {(m.row, m.column): m.note for m in reversed(marks) if m.note}
        rels = self._relations(sheet.path)
        restyle = Restyle(cells, self.styles.marked, old)
        comments = next((r for r in rels if _kind(r) == "comments"), None)
        wanted = _fresh_id(rels) if notes else None
        done = patch(data, restyle, wanted, unselect=bool(cells))
        self.removed += [("formula", f"{sheet.name}!{address}") for address in done.formulas]
        if done.changed:
            self.written[self._name(sheet.path)] = done.data
        if notes or (comments is not None and old):
            self._comment(number, sheet, notes, rels, comments, done, wanted)

    def _comment(
        self,
        number: int,
        sheet: _Sheet,
        notes: Mapping[tuple[int, int], str],
        rels: Any,
        comments: Any,
        done: Patched,
        wanted: str | None,
    ) -> None:
        strict = self.ns != MAIN
        kinds = "http://purl.oclc.org/ooxml/officeDocument/relationships" if strict else RELATIONS
        drawing = next((r for r in rels if r.get("Id") == done.drawing), None) if done.drawing else None
        if done.drawing and drawing is None:
            raise Unpatchable("drawing of comments is not there")
        if comments is not None:
            path = _target(sheet.path, comments)
            root = self._tree(path)
        else:
            path = self._free("xl/lien_thong/comments{}.xml", number)
            root = etree.Element(f"{{{self.ns}}}comments", nsmap={None: self.ns})
            _relate(rels, _fresh_id(rels, 1), f"{kinds}/comments", sheet.path, path)
            self._override(path, f"{SHEET_TYPE}comments+xml")
        kept = _with_notes(root, self.ns, notes)
        self._put(path, root)
        drawing_path = (
            _target(sheet.path, drawing)
            if drawing is not None
            else self._free("xl/lien_thong/vmlDrawing{}.vml", number)
        )
        before = self.package.read(drawing_path) if drawing is not None else None
        self.written[self._name(drawing_path)] = _with_shapes(before, notes, kept)
        if drawing is None and wanted is not None:
            _relate(rels, wanted, f"{kinds}/vmlDrawing", sheet.path, drawing_path)
            self._default("vml", "application/vnd.openxmlformats-officedocument.vmlDrawing")
        self._put(_rels_path(sheet.path), rels)

    def _free(self, pattern: str, number: int) -> str:
        """A path that no part has."""
        while self._has(path := pattern.format(number + 1)) or path in self.written:
            number += 1
        return path

    def _override(self, path: str, kind: str) -> None:
        etree.SubElement(self.types, f"{{{TYPES}}}Override", PartName=f"/{path}", ContentType=kind)

    def _default(self, extension: str, kind: str) -> None:
        known = {e.get("Extension", "").lower() for e in self.types.iterfind(f"{{{TYPES}}}Default")}
        if extension not in known:
            self.types.insert(0, etree.Element(f"{{{TYPES}}}Default", Extension=extension, ContentType=kind))

    # --- the whole --------------------------------------------------------------------------------------------------

    def finished(self, page: Page) -> bytes:
        """The package with our sheet before the others."""
        with _patching():
            return self._finished(page)

    def _finished(self, page: Page) -> bytes:
        names = {s.name.casefold() for s in self.sheets}
        name, n = page.name, 2
        while name.casefold() in names:  # the sender's own sheet of that name
            name, n = f"{page.name} ({n})", n + 1
        path = "xl/lien_thong/sheet.xml"
        relation = _fresh_id(self.rels)
        kinds = RELATIONS if self.ns == MAIN else "http://purl.oclc.org/ooxml/officeDocument/relationships"
        _relate(self.rels, relation, f"{kinds}/worksheet", self.book_path, path)
        self._override(path, f"{SHEET_TYPE}worksheet+xml")
        number = 1 + max((int(s.element.get("sheetId", 0)) for s in self.sheets), default=0)
        first = etree.Element(f"{{{self.ns}}}sheet", nsmap={"r": kinds})
        first.set("name", name)
        first.set("sheetId", str(number))
        first.set(f"{{{kinds}}}id", relation)
        self.listed.insert(0, first)
        opened = self._shift(name, page)
        self._without_formulas()
        self.written[path] = sheet_xml(page, self.ns, self.styles.ours, opened=opened)
        for override in self.types.iterfind(f"{{{TYPES}}}Override"):
            if override.get("PartName", "").lstrip("/").lower() == self.book_path.lower():
                override.set("ContentType", _BOOK_TYPE)
        self.styles.put()
        self._put(self.book_path, self.book)
        self._put(_rels_path(self.book_path), self.rels)
        self._put("[Content_Types].xml", self.types)
        return rewritten(self.data, self.written, self.dropped)

    def _shift(self, name: str, page: Page) -> bool:
        """What counts sheets by position, moved on; whether ours is the one that opens.

        It opens unless a sheet that is not patched says that it is selected: of two selected sheets what is typed into one goes
        into both.
        """
        now = {s.position: n for n, s in enumerate(self.sheets, 1)}
        views = self.book.find(f"{{{self.ns}}}bookViews")
        if views is None:
            views = etree.Element(f"{{{self.ns}}}bookViews")
            etree.SubElement(views, f"{{{self.ns}}}workbookView")
            self.listed.addprevious(views)
        opened = not any(s.selected for s in self.sheets)
        for view in views:
            active = int(view.get("activeTab", 0))
            view.set("activeTab", "0" if opened else str(now.get(active, 0)))
            if "firstSheet" in view.attrib:
                view.set("firstSheet", "0")
        defined = self.book.find(f"{{{self.ns}}}definedNames")
        if defined is None:
            defined = etree.Element(f"{{{self.ns}}}definedNames")
            after = next(
                (
                    e
                    for e in (self.book.find(f"{{{self.ns}}}{tag}") for tag in ("externalReferences", "functionGroups"))
                    if e is not None
                ),
                self.listed,
            )
            after.addnext(defined)
        for named in list(defined):
            local = named.get("localSheetId")
            if local is not None and int(local) not in now:
                defined.remove(named)
            elif reaches_out(named.text or "") or any(
                named.get(k) in ("1", "true") for k in ("function", "vbProcedure", "xlm")
            ):
                self.removed.append(("name", named.get("name", "")))
                defined.remove(named)
            elif local is not None:
                named.set("localSheetId", str(now[int(local)]))
        title = etree.Element(f"{{{self.ns}}}definedName", name="_xlnm.Print_Titles", localSheetId="0")
        title.text = f"{quoted(name)}!${page.head}:${page.head}"
        if page.head:
            defined.insert(0, title)
        if not len(defined):
            self.book.remove(defined)
        references = self.book.find(f"{{{self.ns}}}externalReferences")
        if references is not None:
            self.book.remove(references)
        return opened

    def _without_formulas(self) -> None:
        """The chain of calculation names cells with formulas: where one was taken out it is made anew by the program."""
        if not any(kind == "formula" for kind, _ in self.removed):
            return
        for relation in [r for r in self.rels if _kind(r) == "calcchain"]:
            self.rels.remove(relation)
            self._drop(_target(self.book_path, relation))


def quoted(name: str) -> str:
    """A sheet's name as formulas have it."""
    return "'" + name.replace("'", "''") + "'"


# --- relations ----------------------------------------------------------------------------------------------------------


def _rels_path(path: str) -> str:
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _kind(relation: Any) -> str:
    return str(relation.get("Type", "")).rsplit("/", 1)[-1].lower()


def _target(owner: str, relation: Any) -> str:
    target = relation.get("Target", "").replace("\\", "/")
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(owner), target)).lstrip("/")


def _id_of(element: Any) -> str:
    return next((str(v) for k, v in element.items() if k.endswith("}id")), "")


def _fresh_id(rels: Any, skip: int = 0) -> str:
    known = {r.get("Id", "") for r in rels}
    free = (f"rIdLT{n}" for n in range(1, len(known) + 3))
    return [name for name in free if name not in known][skip]


def _relate(rels: Any, name: str, kind: str, owner: str, path: str) -> None:
    etree.SubElement(rels, f"{{{PACKAGE_RELATIONS}}}Relationship", Id=name, Type=kind, Target=f"/{path}")


# --- comments -----------------------------------------------------------------------------------------------------------


def _with_notes(root: Any, ns: str, notes: Mapping[tuple[int, int], str]) -> set[tuple[int, int]]:
    """Write notes into a part of comments, in place of those of an earlier answer; places that the sender's own comments have.

    A cell has one comment: the sender's stays, and ours stands below it. A thread keeps to itself; the sheet says what is wrong.
    """
    tag = f"{{{ns}}}".__add__
    authors, listed = root.find(tag("authors")), root.find(tag("commentList"))
    if authors is None:
        authors = etree.Element(tag("authors"))
        root.insert(0, authors)
    if listed is None:
        listed = etree.SubElement(root, tag("commentList"))
    names = [a.text or "" for a in authors]
    if AUTHOR not in names:
        etree.SubElement(authors, tag("author")).text = AUTHOR
        names.append(AUTHOR)
    mine = names.index(AUTHOR)
    kept: dict[tuple[int, int], Any] = {}
    for comment in list(listed):
        whole = "".join(comment.itertext())
        if comment.get("authorId") == str(mine) or whole.startswith(SIGN):
            listed.remove(comment)
            continue
        kept[_place(comment.get("ref", ""))] = comment
        if SIGN in whole:
            _cut(comment, tag("t"))
    for (row, column), note in sorted(notes.items()):
        own = kept.get((row, column))
        if own is None:
            comment = etree.SubElement(listed, tag("comment"), ref=f"{letters(column)}{row}", authorId=str(mine))
            _run(etree.SubElement(comment, tag("text")), tag, f"{SIGN}\n{note}")
        elif not names[int(own.get("authorId", 0))].startswith("tc="):
            text = own.find(tag("text"))
            _run(text, tag, f"\n{SIGN}\n{note}")
    return set(kept)


def _cut(comment: Any, tag: str) -> None:
    """Take what we said below a comment of the sender off it."""
    ours = False
    for text in comment.iter(tag):
        before, sign, _ = (text.text or "").partition(SIGN)
        text.text = "" if ours else before.removesuffix("\n") if sign else before
        ours = ours or bool(sign)


def _run(text: Any, tag: Callable[[str], str], words: str) -> None:
    run = etree.SubElement(text, tag("r"))
    font = etree.SubElement(run, tag("rPr"))
    etree.SubElement(font, tag("sz"), val="9")
    etree.SubElement(font, tag("rFont"), val="Tahoma")
    said = etree.SubElement(run, tag("t"))
    said.text = words
    said.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")


def _place(reference: str) -> tuple[int, int]:
    found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference)
    if found is None:
        raise Unpatchable("comment without a place")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column


_VML = (
    'xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
    'xmlns:x="urn:schemas-microsoft-com:office:excel"'
)
_SHAPE_TYPE = (
    '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
    '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>'
)
_ANY_SHAPE = re.compile(rb"<v:shape[\s>](?:[^<]++|<(?!v:shape[\s>]|/v:shape>))*+</v:shape>")
_NOTE = re.compile(rb"ObjectType=[\"']Note[\"']")
_NOTE_AT = re.compile(rb"<x:Row>\s*(\d+)\s*</x:Row>\s*<x:Column>\s*(\d+)\s*</x:Column>")


def _with_shapes(before: bytes | None, notes: Mapping[tuple[int, int], str], kept: set[tuple[int, int]]) -> bytes:
    """A drawing with the boxes of our comments, as tall as their texts, hidden until pointed at; those of an earlier answer go."""
    places = [place for place in sorted(notes) if place not in kept]

    def shapes(first: int) -> str:
        return "".join(_shape(first + n, *place, notes[place]) for n, place in enumerate(places))

    if before is None:
        blocks = ",".join(str(n) for n in range(1, len(places) // 1024 + 2))
        layout = f'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{blocks}"/></o:shapelayout>'
        return f"<xml {_VML}>{layout}{_SHAPE_TYPE}{shapes(1025)}</xml>".encode()

    def stays(found: re.Match[bytes]) -> bytes:
        at = _NOTE_AT.search(found[0]) if _NOTE.search(found[0]) else None
        return found[0] if at is None or (int(at[1]) + 1, int(at[2]) + 1) in kept else b""

    whole = _ANY_SHAPE.sub(stays, before)
    end = whole.rfind(b"</xml>")
    if end < 0:
        raise Unpatchable("drawing of comments")
    first = 1 + max((int(n) for n in re.findall(rb"_x0000_s(\d{1,9})", whole)), default=1024)
    return whole[:end] + shapes(first).encode() + whole[end:]


def _shape(number: int, row: int, column: int, note: str) -> str:
    lines = sum(1 + len(line) // 48 for line in note.split("\n"))
    top = max(row - 2, 0)
    return (
        f'<v:shape {_VML} id="_x0000_s{number}" type="#_x0000_t202" style="position:absolute;visibility:hidden" '
        'fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:path o:connecttype="none"/><v:textbox/>'
        '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{column}, 12, {top}, 4, {column + 4}, 12, {top + max(3, lines)}, 4</x:Anchor>"
        f"<x:AutoFill>False</x:AutoFill><x:Row>{row - 1}</x:Row><x:Column>{column - 1}</x:Column></x:ClientData></v:shape>"
    )


# --- styles -------------------------------------------------------------------------------------------------------------

_NO_STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_FONTS = {
    "text": '<font><sz val="11"/><color rgb="FF000000"/><name val="Arial"/></font>',
    "strong": '<font><b/><sz val="11"/><color rgb="FF000000"/><name val="Arial"/></font>',
    "title": '<font><b/><sz val="15"/><color rgb="FF000000"/><name val="Arial"/></font>',
    "link": '<font><u/><sz val="11"/><color rgb="FF0B4F9E"/><name val="Arial"/></font>',
}
_HEAD_FILL = "FFDDE6F0"
OUR_STYLES: dict[str, tuple[str, str | None, bool]] = {
    "title": ("title", None, False), "label": ("strong", None, False), "text": ("text", None, False),
    "head": ("strong", _HEAD_FILL, True), "cell": ("text", None, True), "link": ("link", None, True),
    **{tone: ("text", fill, True) for tone, fill in FILLS.items()},
}  # fmt: skip
"""Styles of our sheet: font, fill, whether with a border."""


class _Styles:
    """The part of styles: what is there stays, and more comes behind it."""

    def __init__(self, book: Book) -> None:
        self.of = book
        relation = next((r for r in book.rels if _kind(r) == "styles"), None)
        if relation is None:
            self.path = "xl/styles.xml"
            kinds = RELATIONS if book.ns == MAIN else "http://purl.oclc.org/ooxml/officeDocument/relationships"
            _relate(book.rels, _fresh_id(book.rels), f"{kinds}/styles", book.book_path, self.path)
            book._override(self.path, f"{SHEET_TYPE}styles+xml")
            self.root = etree.fromstring(_NO_STYLES.replace(MAIN, book.ns).encode())
        else:
            self.path = _target(book.book_path, relation)
            self.root = book._tree(self.path)
        self.ns = etree.QName(self.root).namespace
        self.made: dict[tuple[int, str], int] = {}
        parts = [self.root.find(f"{{{self.ns}}}{name}") for name in ("fonts", "fills", "borders", "cellXfs")]
        if any(part is None or not len(part) for part in parts):
            raise Unpatchable("styles")
        self.fonts, self.fills, self.borders, self.xfs = parts
        self.tones: dict[str, int] = {}
        self.old = self._old()
        self._count = len(self.xfs)
        self.ours = self._our_styles()

    def _old(self) -> dict[int, int]:
        """Styles with the colours of an earlier answer -> the same without: what colour a cell had before is not known."""
        colours = set(FILLS.values())
        fills = {
            n for n, fill in enumerate(self.fills)
            if any(c.get("rgb") in colours for c in fill.iterfind(f"{{{self.ns}}}patternFill/{{{self.ns}}}fgColor"))
        }  # fmt: skip
        found = {}
        for n, xf in enumerate(list(self.xfs)):
            if int(xf.get("fillId", 0)) in fills:
                plain = copy.deepcopy(xf)
                plain.set("fillId", "0")
                found[n] = self._append(self.xfs, plain)
        return found

    def _append(self, parent: Any, element: Any) -> int:
        if len(parent) >= _XF_MAX:
            raise Unpatchable("too many styles")
        parent.append(element)
        parent.set("count", str(len(parent)))
        return len(parent) - 1

    def _added(self, parent: Any, xml: str) -> int:
        return self._append(parent, etree.fromstring(f'<a xmlns="{self.ns}">{xml}</a>')[0])

    def _fill(self, colour: str) -> int:
        if colour not in self.tones:
            inner = f'<fgColor rgb="{colour}"/><bgColor indexed="64"/>'
            self.tones[colour] = self._added(
                self.fills, f'<fill><patternFill patternType="solid">{inner}</patternFill></fill>'
            )
        return self.tones[colour]

    def marked(self, style: int, tone: str) -> int:
        """The style of a cell in a colour: everything else of it stays."""
        if (style, tone) not in self.made:
            xfs = self.xfs
            xf = copy.deepcopy(xfs[style if style < len(xfs) else 0])
            xf.set("fillId", str(self._fill(FILLS[tone])))
            xf.set("applyFill", "1")
            self.made[style, tone] = self._append(xfs, xf)
        return self.made[style, tone]

    def _our_styles(self) -> dict[str, int]:
        fonts = {name: self._added(self.fonts, xml) for name, xml in _FONTS.items()}
        line = '<{0} style="thin"><color rgb="FF9AA5B1"/></{0}>'
        border = self._added(
            self.borders,
            "<border>" + "".join(line.format(s) for s in ("left", "right", "top", "bottom")) + "<diagonal/></border>",
        )
        found = {}
        for name, (font, fill, lined) in OUR_STYLES.items():
            fill_id, border_id = self._fill(fill) if fill else 0, border if lined else 0
            xf = (
                f'<xf numFmtId="49" fontId="{fonts[font]}" fillId="{fill_id}" borderId="{border_id}" xfId="0" '
                'applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1">'
                '<alignment vertical="top" wrapText="1"/></xf>'
            )
            found[name] = self._added(self.xfs, xf)
        return found

    def put(self) -> None:
        """Write the part."""
        self.of._put(self.path, self.root)


class _patching:
    """Turns what broken packages raise into :class:`Unpatchable`: one hostile file must not keep the answers of all others back,
    and the texts of such errors may hold cell values."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Unpatchable):
            if not isinstance(error, (*BROKEN_PACKAGE, expat.ExpatError, Unreadable)):
                log.warning("a workbook could not be patched: %s", type(error).__name__)
            raise Unpatchable(type(error).__name__) from None
