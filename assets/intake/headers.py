"""Which contract do the header texts of a table speak, and which of its columns stands under which letter?

Here: comparison of header texts with the synonyms, labels and names of contract columns. Not here: where in a sheet
the header is and what the rows below it are (:mod:`assets.intake.tables`). Texts are compared by
:func:`schemas.text.fold_one`, so without diacritics, case and punctuation (domain.md §6.1, N15).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from assets.intake.spread import Spread, doubled, find_spread, sub_headers
from schemas.contract import Column, Contract
from schemas.grid import Problem, Unreadable
from schemas.text import clean_one, fold_one

LONGEST_HEADER = 500
"""Characters; a longer text is no header."""
_REMEMBERED = 16384
fold_header = lru_cache(maxsize=_REMEMBERED)(fold_one)
"""Headers repeat from file to file: folding each text once keeps small files cheap."""

_UNLIKE = 0.25
"""Texts whose lengths alone make them less alike than this are not proposed for each other."""
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BONUS = 0.01
"""What makes two header rows with sub-columns better than their upper row alone, which names the same columns."""
_TRAILING_NUMBER = re.compile(r"[\s.:]*\d+\s*$")
_PARENT = re.compile(r"\s*[/:\n>]\s*|\s+[-–—]\s+")


@dataclass(frozen=True)
class ContractMatch:
    """How well the headers of a table answer to one contract.

    ``texts``: letter -> header texts from top to bottom; ``columns``: contract column -> sheet letter; ``missing``:
    required columns that no header answers to; ``duplicates``: label -> letters that answer to it equally well.
    ``score`` counts what is explained (required 1, optional 1/2) less what is missing or double (1 each);
    ``looseness`` breaks ties: 0 = every header is a synonym letter for letter.
    """

    contract: Contract
    texts: Mapping[str, tuple[str, ...]]
    columns: dict[str, str]
    missing: tuple[Column, ...]
    duplicates: dict[str, tuple[str, ...]]
    score: float
    looseness: int
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Contract column -> letters of the columns that hold its parts, where it has no column of its own (domain.md N6)."""
    spread: Mapping[str, Spread] = field(default_factory=dict)
    """Contract column -> the columns that its value is spread over, where it has none of its own (domain.md N19, N26)."""

    given: Mapping[str, str] = field(default_factory=dict)
    """Contract column -> its value as the sheet's name or title states it, where no header does."""

    @cached_property
    def _shown(self) -> dict[str, str]:
        # what is shown is stored as JSON, which has no NUL
        return {x: " / ".join(clean_one(t) for t in stack).replace("\0", "␀") for x, stack in self.texts.items()}

    @property
    def headers(self) -> dict[str, str]:
        """Contract column -> header text as sent."""
        spread = {n: " | ".join(self._shown[x] for x in s.letters) for n, s in self.spread.items()}
        return {name: self._shown[letter] for name, letter in self.columns.items()} | spread

    @property
    def places(self) -> dict[str, str]:
        """Contract column -> sheet letter, or the first and last letter of those that its value is spread over ('E:F')."""
        return self.columns | {name: spread.place for name, spread in self.spread.items()}

    @cached_property
    def taken(self) -> frozenset[str]:
        """Letters of all columns that the contract knows."""
        groups = (*self.joined.values(), *(s.letters for s in self.spread.values()))
        return frozenset((*self.columns.values(), *(x for letters in groups for x in letters)))

    @property
    def unmatched(self) -> dict[str, str]:
        """Letter -> header text of columns that the contract does not know."""
        return {letter: text for letter, text in self._shown.items() if letter not in self.taken}

    @property
    def rank(self) -> tuple[float, int]:
        """Greater is better; equal ranks of two contracts are ambiguous."""
        return (self.score, -self.looseness)

    @property
    def meant(self) -> bool:
        """Is it plain that the sender meant this contract, even if a required header is unknown?"""
        required = [c.name for c in self.contract.columns if c.header_required]
        found = sum(name in self.places or name in self.given for name in required)
        return 2 * found >= len(required) and (len(self.places) >= 2 or len(self.contract.columns) == 1)

    def nearest(self, column: Column) -> str:
        """The unmatched header text that looks most like one of the column's spellings; '' where there is none."""
        spellings = [fold_header(t) for t in (*column.synonyms, column.label)]
        best, nearest = -1.0, ""
        for text in self.unmatched.values():
            folded = fold_header(text) if len(text) <= LONGEST_HEADER else ""
            for spelling in spellings if folded else ():
                # likeness takes squared time, and no more than this can come of it
                most = 2 * min(len(folded), len(spelling)) / (len(folded) + len(spelling))
                if most > max(best, _UNLIKE) and (likeness := _likeness(folded, spelling)) > best:
                    best, nearest = likeness, text
        return nearest

    def problem(self) -> Problem | None:
        """The reason to reject, or None."""
        for label, letters in self.duplicates.items():
            shown = ", ".join(letters)
            return Problem("DUPLICATE_HEADER", {"dataset": self.contract.dataset, "label": label, "columns": shown})
        for column in self.missing:
            params = {"dataset": self.contract.dataset, "label": column.label, "nearest": self.nearest(column)}
            return Problem("MISSING_HEADER", params)
        return None


@dataclass(frozen=True, eq=False)
class _Words:
    """The folded header spellings of one contract, and what the search asks of it again and again."""

    contract: Contract
    names: Mapping[str, str]
    """Folded spelling -> column name; the first column that claims a spelling has it. A part of a joined column has the
    column's name with its number, 'unit_name#0'."""
    below: frozenset[str]
    """Folded sub-headers of columns whose values may be spread over several."""
    columns: tuple[tuple[Column, bool, str | None], ...]
    """Its columns; whether the header of each must be there; the pattern of a sheet's name or title that states its value."""
    required: tuple[Column, ...]
    parted: tuple[Column, ...]
    """Columns that may come in parts."""

    @classmethod
    def of(cls, contract: Contract) -> _Words:
        """Synonyms first, then labels and names: what the contract's author wrote on purpose wins."""
        names: dict[str, str] = {}
        columns = [c for c in contract.columns if c.source == c.name]  # those have no header of their own
        for column in columns:
            for text in column.synonyms:
                names.setdefault(fold_header(text), column.name)
        for column in columns:
            names.setdefault(fold_header(column.label), column.name)
            names.setdefault(fold_header(column.name), column.name)
        for column in columns:
            for number, spellings in enumerate(column.options.get("join", ())):
                for text in spellings:
                    names.setdefault(fold_header(text), f"{column.name}#{number}")
        names.pop("", None)
        return cls(
            contract,
            names,
            frozenset(_fold_below(text) for c in contract.columns for text in sub_headers(c)),
            tuple((c, c.header_required, c.options.get("fromSheet")) for c in contract.columns),
            tuple(c for c in contract.columns if c.header_required),
            tuple(c for c in contract.columns if c.options.get("join")),
        )


@dataclass(frozen=True)
class _Meaning:
    """What the header texts above one column mean.

    ``claims``: number of a contract -> (looseness, column name) of the tightest reading; ``below``: numbers of the
    contracts of which the lowest text is a sub-header.
    """

    claims: Mapping[int, tuple[int, str]]
    below: frozenset[int]


_NOTHING = _Meaning({}, frozenset())


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The header spellings of several contracts in one index: a text is looked up once, however many contracts there are."""

    words: tuple[_Words, ...]
    names: Mapping[str, Mapping[int, str]]
    """Folded spelling -> number of a contract -> column name."""
    below: Mapping[str, frozenset[int]]
    """Folded sub-header -> numbers of contracts."""
    _found: dict[tuple[str, ...], _Meaning] = field(default_factory=dict)

    @classmethod
    def of(cls, contracts: Sequence[Contract]) -> Vocabulary:
        """The index of contracts, numbered in their order."""
        words = tuple(_words(_Same(contract)) for contract in contracts)
        names: dict[str, dict[int, str]] = {}
        below: dict[str, set[int]] = {}
        for number, one in enumerate(words):
            for form, name in one.names.items():
                names.setdefault(form, {})[number] = name
            for form in one.below:
                below.setdefault(form, set()).add(number)
        return cls(words, names, {form: frozenset(numbers) for form, numbers in below.items()})

    @cached_property
    def least(self) -> tuple[int, ...]:
        """Numbers of the contracts, those that require the fewest headers first."""
        return tuple(sorted(range(len(self.words)), key=lambda n: len(self.words[n].required)))

    @cached_property
    def labelled(self) -> Mapping[int, Sequence[int]]:
        """Count of row labels -> numbers of the contracts that have so many."""
        found: dict[int, list[int]] = {}
        for number, one in enumerate(self.words):
            if one.contract.row_labels:
                found.setdefault(len(one.contract.row_labels), []).append(number)
        return found

    @cached_property
    def named_by_sheet(self) -> bool:
        """Whether a contract takes a value from a sheet's name or titles."""
        return any(pattern is not None for one in self.words for _, _, pattern in one.columns)

    def lookup(self, texts: tuple[str, ...]) -> _Meaning:
        """What one column's header texts, from top to bottom, mean to each contract."""
        found = self._found.get(texts)
        if found is None:
            if any(len(text) > LONGEST_HEADER for text in texts):
                return _NOTHING  # prose, or an attempt at patterns that take squared time
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            found = self._found[texts] = self._lookup(texts)
        return found

    def _lookup(self, texts: tuple[str, ...]) -> _Meaning:
        claims: dict[int, tuple[int, str]] = {}
        for looseness, form, before in _spell(texts):
            parents = self.names.get(before, {}) if before is not None else {}
            for number, name in self.names.get(form, {}).items():
                # 'Số hộ / Số khẩu' names two columns, not a parent and its child
                if parents.get(number, name) == name:
                    claims.setdefault(number, (looseness, name))
        below = self.below.get(_fold_below(texts[-1]), frozenset()) if self.below else frozenset()
        return _Meaning(claims, below) if claims or below else _NOTHING


def _fold_below(text: str) -> str:
    """A sub-header as it is compared: without what stands in brackets."""
    return fold_header(_BRACKETS.sub(" ", text))


def _spell(texts: tuple[str, ...]) -> Iterator[tuple[int, str, str | None]]:
    """(looseness, folded form, folded parent if the form was cut off behind a parent), tightest first."""
    folds = [fold_header(text) for text in texts]
    for i in range(len(texts)):
        yield min(i, 1), _together(folds[i:]), None
    bare = [_TRAILING_NUMBER.sub("", _BRACKETS.sub(" ", "\n".join(texts[i:]))) for i in range(len(texts))]
    parts = [[fold_header(part) for part in _PARENT.split(text)] for text in bare]
    for folded in parts:
        yield 2, _together(folded), None
    for folded in parts:
        for i in range(1, len(folded)):
            yield 3, _together(folded[i:]), _together(folded[:i])


def _together(folded: Sequence[str]) -> str:
    """The folded form of texts that stand apart, from their folded forms."""
    return " ".join(filter(None, folded))


class _Same:
    """A contract as a key: equal to itself alone."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.contract is self.contract

    def __hash__(self) -> int:
        return id(self.contract)


@lru_cache(maxsize=256)
def _words(same: _Same) -> _Words:
    return _Words.of(same.contract)


def vocabulary(contracts: Sequence[Contract]) -> Vocabulary:
    """The :class:`Vocabulary` of contracts, the same one for the same contracts."""
    return _vocabulary(tuple(map(_Same, contracts)))


@lru_cache(maxsize=16)
def _vocabulary(same: tuple[_Same, ...]) -> Vocabulary:
    return Vocabulary.of([one.contract for one in same])


def match_headers(
    headers: Mapping[str, Sequence[str]],
    contracts: Sequence[Contract] | Vocabulary,
    unheaded: Sequence[str] = (),
    about: Sequence[str] = (),
) -> list[ContractMatch]:
    """Match header texts against contracts, best first; of those that no text speaks of, only the one that would miss least.

    ``about``: what is said of the whole table: the sheet's name, then its titles.

    ``unheaded``: letters of the columns left of the first header that hold something and have no header: row labels, for
    a contract that has as many.

    ``headers``: sheet column letter -> the texts above that column from top to bottom, e.g. ``{'E': ['Quy mô', 'Số
    hộ']}``; blanks and repeats (a vertically merged cell) are ignored.
    """
    known = contracts if isinstance(contracts, Vocabulary) else Vocabulary.of(contracts)
    texts = {letter: _distinct(stack) for letter, stack in headers.items()}
    texts = {letter: stack for letter, stack in texts.items() if stack}
    claims: dict[int, dict[str, list[tuple[int, str]]]] = {}
    labelled = known.labelled.get(len(unheaded), ())
    for number in labelled:
        labels = known.words[number].contract.row_labels
        claims[number] = {name: [(0, letter)] for name, letter in zip(labels, unheaded, strict=True)}
    spread: set[int] = set()
    for letter, stack in texts.items():
        meaning = known.lookup(stack)
        for number, (looseness, name) in meaning.claims.items():
            claims.setdefault(number, {}).setdefault(name, []).append((looseness, letter))
        spread |= meaning.below
    with_labels = {**texts, **dict.fromkeys(unheaded, ("",))} if labelled else texts
    spoken = claims.keys() | spread
    matches = {
        n: _match(known, n, with_labels if n in labelled else texts, claims.get(n, {}), n in spread, about)
        for n in spoken
    }
    silent = next((n for n in known.least if n not in spoken), None)
    if silent is not None:
        required = known.words[silent].required
        matches[silent] = ContractMatch(known.words[silent].contract, texts, {}, required, {}, -float(len(required)), 0)
    return [matches[n] for n in sorted(matches, key=lambda n: (*(-x for x in matches[n].rank), n))]


def _distinct(stack: Sequence[str]) -> tuple[str, ...]:
    kept: list[str] = []
    for text in stack:
        if text.strip() and (not kept or kept[-1] != text):
            kept.append(text)
    return tuple(kept)


def _match(
    known: Vocabulary,
    number: int,
    texts: Mapping[str, tuple[str, ...]],
    claims: dict[str, list[tuple[int, str]]],
    has_spread: bool,
    about: Sequence[str],
) -> ContractMatch:
    words = known.words[number]
    columns: dict[str, str] = {}
    joined = _joined(words, claims)
    spread = _spread(known, number, texts, claims) if has_spread else {}
    duplicates: dict[str, tuple[str, ...]] = {}
    missing: list[Column] = []
    given: dict[str, str] = {}
    score, looseness = 0.0, 0
    for column, required, pattern in words.columns:
        claim = claims.get(column.name)
        if column.name in spread:
            score += _BONUS + (1 if required else 0.5)
            if twice := doubled(spread[column.name]):
                duplicates[column.label] = twice
                score -= 1
            continue
        if claim is None and pattern is not None and (value := _given(pattern, about)) is not None:
            given[column.name] = value
            score += 0.5 if required else 0
            continue
        if claim is None:
            if required:
                missing.append(column)
                score -= 1
            continue
        tightest = min(claim)[0]
        letters = tuple(letter for level, letter in claim if level == tightest)
        columns[column.name] = letters[0]
        score += 1 if required else 0.5
        looseness += tightest
        if len(letters) > 1:
            duplicates[column.label] = letters
            score -= 1
    return ContractMatch(
        contract=words.contract,
        texts=texts,
        columns=columns,
        missing=tuple(missing),
        duplicates=duplicates,
        score=score,
        looseness=looseness,
        joined=joined,
        spread=spread,
        given=given,
    )


_NUMBERED_COPY = re.compile(r"\s*\(\d{1,2}\)$")
_OFFICE = re.compile(r"(?i)^(?:đơn vị|don vi)\s*:\s*")


def _given(pattern: str, about: Sequence[str]) -> str | None:
    """The value that the sheet's name states by the pattern of ``fromSheet``, else its titles if all that do say the same."""
    if not about:
        return None
    name, *titles = (clean_one(text) for text in about)
    for texts in ([_NUMBERED_COPY.sub("", name)], [_OFFICE.sub("", t).replace(":", " ") for t in titles]):
        found = {m[1].strip() for t in texts if (m := re.fullmatch(pattern, " ".join(t.split()), re.IGNORECASE))}
        if len(found) == 1:
            return found.pop()
    return None


def _spread(
    known: Vocabulary,
    number: int,
    texts: Mapping[str, tuple[str, ...]],
    claims: Mapping[str, list[tuple[int, str]]],
) -> dict[str, Spread]:
    """Columns whose values are spread over sub-columns, which then are no columns of their own."""

    def parent(stack: tuple[str, ...]) -> str | None:
        found = known.lookup(stack).claims.get(number)
        return found[1] if found else None

    return find_spread(known.words[number].contract, texts, claims, _fold_below, parent)


def _joined(words: _Words, claims: dict[str, list[tuple[int, str]]]) -> dict[str, tuple[str, ...]]:
    """Columns without one of their own whose parts are all there; they claim the letter of their first part."""
    found = {}
    for column in words.parted:
        parts = [claims.get(f"{column.name}#{n}", []) for n in range(len(column.options["join"]))]
        if column.name not in claims and all(len(part) == 1 for part in parts):
            found[column.name] = tuple(part[0][1] for part in parts)
            claims[column.name] = parts[0]
    return found


@lru_cache(maxsize=4096)
def _likeness(left: str, right: str) -> float:
    return difflib.SequenceMatcher(None, left, right, autojunk=False).ratio()


def choose(ranked: Sequence[ContractMatch], stated: bool = False) -> ContractMatch:
    """The contract that the headers speak.

    ``stated``: the sender named the dataset, so ``ranked`` holds one contract and it is meant whatever it looks like.
    Raises :class:`schemas.grid.Unreadable` with UNKNOWN_DATASET, AMBIGUOUS_DATASET, DUPLICATE_HEADER or MISSING_HEADER.
    """
    meant = [m for m in ranked if m.meant or stated]
    if not meant:
        raise Unreadable("UNKNOWN_DATASET")
    best = [m for m in meant if m.rank == meant[0].rank]
    if len(best) > 1:
        raise Unreadable("AMBIGUOUS_DATASET", candidates=", ".join(sorted(m.contract.dataset for m in best)))
    problem = best[0].problem()
    if problem is not None:
        raise Unreadable(problem.code, **problem.params)
    return best[0]
