"""Grids of cells as they arrived -> the same grids with every cell in Unicode, or marked as one that cannot be told.

Here: which cells need a look at all, the choice for a body of cells and its columns, kinds and notes. Not here: tables
and verdicts on texts (:mod:`.encodings`), bytes of files (:mod:`.csvfile`), fonts of workbooks (:mod:`.workbook`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas import messages
from schemas.grid import KIND, Kind, Problem
from schemas.syllables import vowel_pairs

from .encodings import (
    LABELS,
    UNICODE,
    Choice,
    decode,
    detect,
    foreign_readings,
    is_vietnamese,
    may_be,
    settle,
    settle_by_font,
    words_of,
)

_NOT_OURS = "\x80-\x9f¡-¯±´-¿ÄÅÆÇËÎÏÐÑÖ×ØÛÜÞßäåæçëîïðñö÷øûüþÿŒœŠšŸŽžƒˆ˜‚„†‡‰‹›€™"
"""What Vietnamese has no use for, of the characters that a byte may become."""


_VOWELS = "aeiouyàáâãèéêìíòóôõùúý"
_TONED = "".join(v for v in _VOWELS if not v.isascii())
_CAPITAL, _SMALL_LETTER = "À-ÖØ-Þ", "a-zß-öø-ÿ"


def _odd_pairs() -> Iterator[tuple[str, str]]:
    """Pairs of vowels that no syllable has, of which one at least is no ASCII: a vowel and what may not stand behind it."""
    legal = vowel_pairs()
    for x in _VOWELS:
        if odd := "".join(y for y in _VOWELS if x + y not in legal and not (x + y).isascii()):
            yield x, odd


def _suspect() -> str:
    """Also pairs of letters that no syllable has: vowels ('íi'), a tone before a stop ('àt'), a capital behind a small one."""
    odd = "|".join(f"{x}[{ys}]" for x, ys in _odd_pairs())
    return (
        f"[{_NOT_OURS}]|[ÃĂ]\xa0|(?i:{odd}|[àãèìòõù][cpt]|[òóõôùú]nh|ýng)"
        f"|[{_SMALL_LETTER}][{_CAPITAL}]|[A-Z][{_CAPITAL}][{_SMALL_LETTER}]"
    )


def _suspect_for_python() -> str:
    """The same for Python, whose search runs through a text only where all alternatives begin with one set of characters:
    those beyond ASCII that each of them has, the letter before looked at behind it. Polars cannot look behind."""
    toned = "|".join(f"(?<={x})[{ys}]" for x, ys in _odd_pairs() if x in _TONED)
    plain = "|".join(f"(?<={x}[{''.join(y for y in ys if y in _TONED)}])" for x, ys in _odd_pairs() if x not in _TONED)
    return (
        f"[{_NOT_OURS}ÃĂ{_TONED}{_CAPITAL}]"
        f"(?:(?<=[{_NOT_OURS}])|(?<=[ÃĂ])\xa0|(?i:{toned}|{plain}|(?<=[àãèìòõù])[cpt]|(?<=[òóõôùú])nh|(?<=ý)ng)"
        f"|(?<=[{_SMALL_LETTER}][{_CAPITAL}])|(?<=[A-Z][{_CAPITAL}])[{_SMALL_LETTER}])"
    )


SUSPECT = _suspect()
"""Matches nearly every text that is no Vietnamese as it stands but is in a legacy encoding (and some others)."""
_SUSPECT = re.compile(_suspect_for_python())
_SMALL = 2_000
"""Rows up to which Python is quicker than the fixed cost of Polars' expressions."""
_FEW = 3
"""Texts that are certainly Unicode for each that seems to be in another encoding: from so many on, the others stand."""


def suspicious(texts: Sequence[str]) -> bool:
    """Whether any of the texts may be in a legacy encoding; quick."""
    joined = "\n".join(texts)
    if joined.isascii():
        return False
    if len(joined) < 1 << 17:
        return _SUSPECT.search(joined) is not None
    return bool(pl.Series(texts).str.contains(SUSPECT).any())


@dataclass
class Settled:
    """Answers for the distinct texts of one column: text as it arrived -> text in Unicode, and whether it can be read."""

    choice: Choice
    answers: dict[str, tuple[str, bool]]
    doubts: set[str]
    """Encodings that the texts left out may be in."""


def settle_column(texts: Sequence[str], body: Choice, *, arrived_as_unicode: bool) -> Settled:
    """Settle the distinct texts of one column in a body that is read as ``body``.

    A column of a Unicode body may have been typed with a legacy font: then its own texts decide. Texts that are
    Vietnamese as they stand and in the other encoding too ('Sè', 'Số') are left out there, and in a column of Unicode
    of which more than a few cells seem to be in the other encoding.
    """
    choice = body
    if arrived_as_unicode and body.encoding == UNICODE:
        choice = detect(words_of(texts), arrived_as_unicode=True)
    answers = {text: settle(text, choice, arrived_as_unicode=arrived_as_unicode) for text in texts}
    bad = [text for text, (_, good) in answers.items() if not good]
    doubts: set[str] = set()
    if choice.encoding == UNICODE:
        doubts = {encoding for text in bad for encoding in foreign_readings(text)}
        both = [text for text in texts if any(may_be(text, encoding) for encoding in doubts)]
        if len(bad) * _FEW > len(texts) - len(both):
            answers |= {text: (text, False) for text in both}
    elif choice.encoding and body.encoding == UNICODE:
        both = [text for text in texts if is_vietnamese(text) and may_be(text, choice.encoding)]
        answers |= {text: (text, False) for text in both}
        doubts = {choice.encoding, UNICODE}
    elif bad:
        doubts = set(choice.rivals) or {choice.encoding, UNICODE if arrived_as_unicode else "cp1252"}
    return Settled(choice, answers, doubts)


@dataclass
class Decoder:
    """Decodes the frames of one body of cells (a CSV, batch by batch, or a sheet), and keeps what is to be told."""

    body: Choice
    arrived_as_unicode: bool
    where: str = field(default_factory=lambda: messages.text("where", "file"))
    """Name of the body within a Vietnamese sentence."""
    _told: set[str] = field(default_factory=set)
    _columns: dict[str, Choice] = field(default_factory=dict)
    _left_out: int = 0
    _doubts: set[str] = field(default_factory=set)

    def _where(self, place: str) -> str:
        return messages.text("where", "column", letter=place, where=self.where) if place else self.where

    def decode(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
        """``frame``: columns of texts (String, null allowed). The frame decoded, and per column with cells that cannot
        be read, which these are (Boolean)."""
        unread: dict[str, pl.Series] = {}
        changed = []
        for column in map(frame.get_column, self._in_question(frame)):
            texts = (
                column.filter(column.str.len_bytes() != column.str.len_chars()).unique(maintain_order=True).to_list()
            )
            settled = settle_column(texts, self.body, arrived_as_unicode=self.arrived_as_unicode)
            if settled.choice.encoding != self.body.encoding:
                self._columns[column.name] = settled.choice
            bad = [text for text, (_, good) in settled.answers.items() if not good]
            if bad:
                unread[column.name] = column.is_in(bad).fill_null(False)
                self._left_out += int(unread[column.name].sum())
                self._doubts |= settled.doubts
            new = {text: found for text, (found, good) in settled.answers.items() if good and found != text}
            if new:
                changed.append(column.replace(list(new), list(new.values())))
        return frame.with_columns(changed) if changed else frame, unread

    def _in_question(self, frame: pl.DataFrame) -> list[str]:
        """The columns that hold any text to settle."""
        usual = self.arrived_as_unicode and self.body.encoding == UNICODE
        if frame.height <= _SMALL:
            columns = {c.name: c.drop_nulls().to_list() for c in frame.get_columns()}
            return [n for n, texts in columns.items() if (suspicious(texts) if usual else not "".join(texts).isascii())]
        beyond = frame.select(pl.all().str.len_bytes().sum() != pl.all().str.len_chars().sum())
        names = [name for name, found in zip(frame.columns, beyond.row(0), strict=True) if found]
        if not usual or not names:
            return names
        found = frame.select(pl.col(names).str.contains(SUSPECT).any()).row(0)
        return [name for name, any_ in zip(names, found, strict=True) if any_]

    @property
    def encodings(self) -> set[str]:
        """Encodings other than Unicode that something was read in."""
        return {choice.encoding for choice in (self.body, *self._columns.values())} - {"", UNICODE}

    def notes(self) -> list[Problem]:
        """What is to be told since the last call."""
        notes = []
        for place, choice in {"": self.body, **self._columns}.items():
            if choice.encoding not in ("", UNICODE) and place not in self._told:
                self._told.add(place)
                notes.append(encoding_read(self._where(place), choice))
        if self._left_out:
            notes.append(encoding_undecided(self.where, self._left_out, self._doubts, whole=not self.body.encoding))
        self._left_out, self._doubts = 0, set()
        return notes


def encoding_read(where: str, choice: Choice) -> Problem:
    """The note that a body of cells was read in another encoding than Unicode."""
    params = {"where": _begin(where), "encoding": LABELS[choice.encoding], "share": f"{choice.share * 100:.0f}"}
    return Problem("ENCODING_READ", params)


def encoding_undecided(where: str, count: int, doubts: Iterable[str], *, whole: bool) -> Problem:
    """The note that cells of a body were left out; ``whole``: nothing could be told of the body itself."""
    names = ", ".join(label for encoding, label in LABELS.items() if encoding in set(doubts))
    params = {"where": _begin(where), "count": count, "candidates": names, "whole": whole}
    return Problem("ENCODING_UNDECIDED", params)


def merged(notes: Iterable[Problem]) -> list[Problem]:
    """Notes of several batches of one body as one list, in which cells are counted together."""
    found: dict[tuple[str, str], Problem] = {}
    for note in notes:
        seen = found.setdefault((note.code, note.params.get("where", "")), note)
        if seen is not note and "count" in note.params:
            seen.params["count"] += note.params["count"]
    return list(found.values())


def _begin(where: str) -> str:
    return where[:1].upper() + where[1:]


def with_kinds(frame: pl.DataFrame, unread: Mapping[str, pl.Series]) -> pl.DataFrame:
    """A grid's frame with the kind UNDECODED where ``unread``."""
    if not unread:
        return frame
    kind = pl.lit(int(Kind.UNDECODED), pl.UInt8)
    return frame.with_columns(
        pl.when(pl.Series(mask)).then(kind).otherwise(pl.col(name + KIND)).alias(name + KIND)
        for name, mask in unread.items()
    )


# ------------------------------------------------------------------------------------------------------------- workbooks

Run = tuple[str, str | None]
"""A text in one font: its encoding, UNICODE for a font without one, None for that of the cell."""
CellFont = str | tuple[Run, ...]
"""The encoding of a cell's font, or the runs of a rich text."""


def decode_fonts(
    columns: Mapping[str, tuple[list[str], bytearray]], fonts: Mapping[str, Mapping[int, CellFont]], where: str
) -> tuple[set[str], list[Problem]]:
    """Decode, in place, the cells of a sheet whose font shows a legacy encoding; the encodings met, and the notes.

    ``columns``: letter -> texts and kinds; ``fonts``: letter -> position in them -> font.
    """
    cells = [
        (columns[letter][0], columns[letter][1], at, _runs(columns[letter][0][at], font))
        for letter, found in fonts.items()
        for at, font in found.items()
        if columns[letter][1][at] == Kind.TEXT
    ]
    texts: dict[str, dict[str, None]] = {}
    for run, encoding in {run for *_, runs in cells for run in runs}:
        if encoding not in (None, UNICODE):
            texts.setdefault(encoding, {})[run] = None
    settled = {encoding: settle_by_font(sorted(found), encoding) for encoding, found in texts.items()}
    left_out, doubts = 0, set()
    for column, kinds, at, runs in cells:
        answers = [settled[e][0][run] if e in settled else (run, True) for run, e in runs]
        if all(good for _, good in answers):
            column[at] = "".join(found for found, _ in answers)
        else:
            kinds[at] = Kind.UNDECODED
            left_out += 1
            doubts |= {UNICODE, *(e for _, e in runs if e in settled)}
    changed = {e: share for e, (answers, share) in settled.items() if any(t != new for t, (new, _) in answers.items())}
    if "tcvn3" in changed:
        changed.pop("tcvn3-capitals", None)
    notes = [encoding_read(where, Choice(encoding, share)) for encoding, share in sorted(changed.items())]
    if left_out:
        notes.append(encoding_undecided(where, left_out, doubts, whole=False))
    return set(changed), notes


def _runs(text: str, font: CellFont) -> tuple[Run, ...]:
    return ((text, font),) if isinstance(font, str) else font


def decode_sheet(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, set[str], list[Problem]]:
    """Decode the cells of a grid's frame that are legacy text in a Unicode font; the encodings met, and the notes."""
    names = [c for c in frame.columns if c != "_row" and not c.endswith(KIND)]
    texts = frame.select(pl.when(pl.col(c + KIND) == int(Kind.TEXT)).then(pl.col(c)).alias(c) for c in names)
    words = words_of(text for c in texts.get_columns() for text in c.drop_nulls().unique(maintain_order=True).to_list())
    decoder = Decoder(detect(words, arrived_as_unicode=True), True, where)
    decoded, unread = decoder.decode(texts)
    filled = [pl.coalesce(decoded[c], frame[c]).alias(c) for c in names]
    frame = with_kinds(frame.with_columns(filled), unread)
    return frame, decoder.encodings, decoder.notes()


def decode_names(names: Sequence[str], encodings: Iterable[str]) -> list[str]:
    """Names of sheets: they have no font, so they are in an encoding that the cells are in, or that all names are in."""
    met = sorted(set(encodings) - {UNICODE, "", "tcvn3-capitals"})
    if not met:
        met = [detect(words_of(names), arrived_as_unicode=True).encoding]
    found = []
    for name in names:
        fits = [e for e in met if e not in ("", UNICODE) and not is_vietnamese(name) and may_be(name, e)]
        found.append(decode(name, fits[0]) if len(fits) == 1 else name)
    return found
