"""``lienthong demo``: an invented province's inbox, the main job, and the warehouse beside the truth.

Here: the inbox and the truth in the home folder, the comparison, and what is printed. Not here: the inventing
(:mod:`pipelines.sample`), the job. Everything that the demo uses, the repository makes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli_output import Screen, plural
from .cli_run import account, main_job, next_steps, show_account
from .report import Unclear, touched

if TYPE_CHECKING:
    import polars as pl
    import psycopg

    from .flow import Pipeline, Ran
    from .sample import Size, Truth
    from .settings import Settings

_HERE = Path(__file__).parent
FEW = 28
"""Communes of the small cut."""
_SHOWN = 25
"""Differences that are printed; ``--json`` has all."""


@dataclass(frozen=True)
class Cut:
    """How much of the province a demo takes: communes (the first so many), quarters, and the size of the rest."""

    communes: int
    periods: tuple[str, ...]
    size: Size


QUARTERS = ("2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3", "2026-Q4", "2027-Q1", "2027-Q2")


def small(communes: int | None = None) -> Cut:
    """A few communes and departments over three quarters; for tests ``communes``, with as little of the rest as there can be."""
    from .sample import SMALL

    if communes is None:
        return Cut(FEW, QUARTERS[1:4], SMALL)
    return Cut(communes, QUARTERS[1:4], replace(SMALL, departments=3, divisions=1, schools=1, staff=0, dossiers=600))


def whole(quarters: int = len(QUARTERS)) -> Cut:
    """The whole province over its first quarters."""
    from .sample import Size

    return Cut(65, QUARTERS[:quarters], Size())


def run_demo(
    settings: Settings, screen: Screen, call: str, cut: Cut, *, direct: bool = False, by_quarter: bool = False
) -> int:
    """Run the demo in the settings' home; 0 where the warehouse equals the truth, else 2.

    ``by_quarter``: files wait in an outbox until the quarter in which they arrive, and each quarter is a run of its own, as it
    would be over the years. Raises :class:`Unclear` where the home, or the database that the settings name, holds something
    that the demo did not make.
    """
    from .flow import Pipeline

    home = settings.home
    pipeline = Pipeline(
        replace(
            settings, inbox=str(home / "inbox"), archive=str(home / "archive"), reference=None, contracts=(),
            province="56", settle_seconds=0.0,
        )
    )  # fmt: skip
    truth = _written(pipeline, screen, cut, home / ("outbox" if by_quarter else "inbox"))
    with pipeline.connection() as connection:
        _refuse_others(connection, truth)
    runs = list(_runs(pipeline, screen, truth, direct)) if by_quarter else []
    if not by_quarter:
        with screen.progress() as pipeline.progress:
            ran = main_job(pipeline, direct=direct)
    else:
        ran = runs[-1].ran
    with pipeline.connection() as connection:
        done = account(connection, ran)
        found = compare_with_truth(connection, truth)
        example = _example(connection)
        everything = touched(
            connection, [r[0] for r in connection.execute("select submission_id from intake.submission")], None
        )
    differences = [line for lines in found.values() for line in lines]
    if screen.as_json:
        quarters = [run.said for run in runs]
        screen.json({**done, "differences": differences, "files": len(truth.submissions), "quarters": quarters})
    else:
        _show(screen, truth, done, everything, found, runs)
        screen.say("Look at next:")
        screen.commands([*next_steps(call, everything), *_tour(call, example)])
    return 2 if differences else 0


@dataclass(frozen=True)
class _Quarter:
    """What the run of one quarter did and took."""

    ran: Ran
    said: dict[str, Any]


def _runs(pipeline: Pipeline, screen: Screen, truth: Truth, direct: bool) -> Iterator[_Quarter]:
    """Let the files of each quarter arrive and run the job over them; the last takes what came later."""
    from .sample import arrived_by

    home = pipeline.settings.home
    for number, period in enumerate(truth.periods):
        last = number == len(truth.periods) - 1
        for path in arrived_by(truth, None if last else period):
            waiting, there = home / "outbox" / path, home / "inbox" / path
            if waiting.exists():
                there.parent.mkdir(parents=True, exist_ok=True)
                waiting.rename(there)
        screen.note(f"{period} …")
        started = time.perf_counter()
        with screen.progress() as pipeline.progress:
            ran = main_job(pipeline, direct=direct)
        seconds = time.perf_counter() - started
        with pipeline.connection() as connection:
            size = connection.execute("select pg_database_size(current_database()) / 1000000").fetchone()
            rows = connection.execute(
                "select coalesce(sum(rows_accepted + rows_quarantined + rows_set_aside), 0)::bigint from intake.submission "
                "where delivery_id = any(%s)", [ran.received],
            ).fetchone()  # fmt: skip
        assert size is not None
        assert rows is not None
        yield _Quarter(
            ran,
            {"quarter": period, "files": len(ran.received), "rows": rows[0], "seconds": round(seconds, 1),
             "versions": sum(m.opened for m in ran.merged), "database_mb": int(size[0])},
        )  # fmt: skip


def compare_with_truth(connection: psycopg.Connection, truth: Truth) -> dict[str, list[str]]:
    """The differences between what is published, the answers and the truth, by dataset and 'answers'; an empty list = equal."""
    from psycopg.rows import dict_row

    from .sample import compare, compare_answers, compare_facts, compare_frame

    with connection.cursor(row_factory=dict_row) as cursor:
        history = cursor.execute("select * from mart_v1.villages_history").fetchall()
        answers = cursor.execute((_HERE / "demo.sql").read_text(encoding="utf-8")).fetchall()
        facts = cursor.execute((_HERE / "demo_facts.sql").read_text(encoding="utf-8")).fetchall()
    found = {
        "villages": compare(truth, history),
        "answers": compare_answers(truth, answers),
        "successions": compare_facts(truth, facts),
    }
    for dataset in truth.frames.datasets():
        if dataset not in ("planted", "villages"):
            found[dataset] = [
                line
                for part in _slices(truth, dataset)
                for line in compare_frame(dataset, part, _held(connection, dataset, part))
            ]
    return found


def _slices(truth: Truth, dataset: str) -> Iterator[pl.DataFrame]:
    """The truth of a dataset in what is compared at a time: its periods, its parts, or all of it."""
    from .sample import PERIODIC

    for _, part in truth.frames.parts(dataset):
        if dataset in PERIODIC:
            yield from part.partition_by("valid_from", maintain_order=True)
        else:
            yield part


def _held(connection: psycopg.Connection, dataset: str, right: pl.DataFrame) -> pl.DataFrame:
    """What the warehouse holds of a slice of the truth, with its columns: what it says of the slice's period; of dossiers how
    those received on the slice's days stand now; else all versions. Numbers of persons come from the vault: of invented people,
    and this is their steward's command."""
    import polars as pl
    from psycopg import sql

    from .sample import PERIODIC

    column: dict[str, sql.Composable] = {name: sql.Identifier("h", name) for name in right.columns}
    where: list[sql.Composable] = [sql.SQL("h.publish_to is null")]
    vault = sql.SQL("")
    if "citizen_id" in column:
        column["citizen_id"] = sql.Identifier("i", "value")
        vault = sql.SQL("join vault.identifier i on i.subject = h.citizen_id")
    if dataset in PERIODIC:
        where.append(sql.SQL("h.valid_from = {}").format(sql.Literal(right["valid_from"][0])))
    elif dataset == "dossiers":
        days = right.select(pl.col("received_on").min().alias("first"), pl.col("received_on").max().alias("last")).row(
            0
        )
        where.append(sql.SQL("h.valid_to is null and h.received_on between {} and {}").format(*map(sql.Literal, days)))
    # COPY writes booleans as t and f, which Polars does not read
    shown = [
        sql.SQL("({})::text as {}" if kind == pl.Boolean else "{} as {}").format(column[name], sql.Identifier(name))
        for name, kind in right.schema.items()
    ]
    query = sql.SQL("copy (select {} from core.{} h {} where {}) to stdout (format csv, header)").format(
        sql.SQL(", ").join(shown), sql.Identifier(dataset), vault, sql.SQL(" and ").join(where)
    )
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        return pl.read_csv(b"".join(copy), schema_overrides=right.schema)


def _written(pipeline: Pipeline, screen: Screen, cut: Cut, where: Path) -> Truth:
    """The inbox under the home (or the outbox, ``where``), written where it is not there yet; its truth.

    The folder of the truth is made first: an inbox beside it is the demo's own, even if writing it was interrupted.
    """
    from .sample import Frames, Truth, generate

    home = pipeline.settings.home
    folder = home / "demo-truth"
    present = {
        str(p.relative_to(home / name))
        for name in {"inbox", where.name}
        for p in (home / name).rglob("*")
        if p.is_file()
    }
    if present and not folder.is_dir():
        _refuse(home, f"its inbox holds {plural(len(present), 'file')}", present)
    try:
        truth = Truth.load(folder)
    except (OSError, ValueError, TypeError, KeyError):
        truth = None
    if truth is None or {s.path for s in truth.submissions} - present:
        senders = pipeline.reference.senders.iter_rows(named=True)
        real = [(s["code"], s["name"]) for s in senders if s["kind"] == "commune"]
        chosen = list(truth.communes) if truth else real[: cut.communes]
        screen.note(f"Writing what {plural(len(chosen), 'commune')} and the departments send to {where} …")
        folder.mkdir(parents=True, exist_ok=True)
        with screen.progress() as progress:
            truth = generate(
                where, communes=chosen, periods=truth.periods if truth else cut.periods, province=cut.size,
                frames=Frames(folder / "frames"), progress=progress,
            )  # fmt: skip
        truth.save(folder)
    others = present - {s.path for s in truth.submissions}
    if others:
        _refuse(home, f"its inbox holds {plural(len(others), 'file')} that the demo did not write", others)
    return truth


def _refuse_others(connection: psycopg.Connection, truth: Truth) -> None:
    own = [s.path for s in truth.submissions]
    found = connection.execute(
        "select origin from intake.delivery where origin <> all (%s) order by received_at limit 4", [own]
    ).fetchall()
    if found:
        raise Unclear(
            f"the database holds deliveries that the demo did not make, such as {found[0][0]}; run it in a home of its "
            "own: lienthong --home DIR demo, with LIENTHONG_DATABASE_URL unset"
        )


def _refuse(home: Path, why: str, files: Collection[str]) -> None:
    raise Unclear(
        f"{home} is not a home of the demo: {why}, such as {min(files)}; run it in one of its own: "
        "lienthong --home DIR demo"
    )


def _example(connection: psycopg.Connection) -> dict[str, Any] | None:
    """A village whose figures have changed, to be traced."""
    row = connection.execute(
        "select commune_code, village_name, count(*) from mart_v1.villages_history "
        "where village_name !~ '[''\"\\\\]' group by 1, 2 order by 3 desc, 1, 2 limit 1"
    ).fetchone()
    return None if row is None else {"commune_code": row[0], "village_name": row[1]}


def _show(
    screen: Screen, truth: Truth, done: dict[str, Any], everything: Sequence[dict[str, Any]], found: dict[str, list[str]],
    runs: Sequence[_Quarter],
) -> None:  # fmt: skip
    first, last = truth.periods[0], truth.periods[-1]
    silent = f"; {plural(len(truth.silent), 'commune')} sent nothing" if truth.silent else ""
    screen.say(
        f"An invented province: {plural(len(truth.communes), 'commune')}, {first} to {last}, "
        f"{plural(len(truth.submissions), 'file')} in the inbox{silent}."
    )
    if not done["received"] and not done["submissions"]:
        screen.say("This is not the first run, and nothing new has arrived.")
    if runs:
        names = ("quarter", "files", "rows", "versions", "seconds", "database_mb")
        screen.table(["!Quarter", ">files", ">rows read", ">versions begun", ">seconds", ">database MB"],
                     [[run.said[n] for n in names] for run in runs])  # fmt: skip
    else:
        show_account(screen, done)
    _show_datasets(screen, truth, everything, found)
    differences = [line for lines in found.values() for line in lines]
    if differences:
        screen.say(f"The warehouse differs from the truth in {plural(len(differences), 'place')}:", style="bold red")
        for line in differences[:_SHOWN]:
            screen.say(f"  {line}")
        if len(differences) > _SHOWN:
            screen.say(f"  … and {len(differences) - _SHOWN} more; --json has all")
    else:
        screen.say(
            f"The warehouse equals the truth: the {plural(len(found) - 2, 'dataset')}, {plural(len(truth.facts), 'succession')}, "
            f"and the answer to each of the {plural(len(truth.submissions), 'file')}.",
            style="bold green",
        )


def _show_datasets(
    screen: Screen, truth: Truth, everything: Sequence[dict[str, Any]], found: dict[str, list[str]]
) -> None:
    """A line for each dataset: what was sent of it, what became of it, and whether that is the truth."""
    of: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for submission in everything:
        of[submission["dataset"]].append(submission)
    lines = []
    for dataset in sorted(d for d in truth.frames.datasets() if d != "planted"):
        sent = of[dataset]
        rows = [sum(s[f"rows_{word}"] for s in sent) for word in ("accepted", "quarantined")]
        held = sum(frame.height for _, frame in truth.frames.parts(dataset))
        wrong = len(found.get(dataset, ()))
        lines.append([dataset, len(sent), *rows, held, f"{wrong} differ" if wrong else "equal"])
    names = [
        "!Dataset",
        ">submissions",
        ">rows accepted",
        ">rows quarantined",
        ">versions in the truth",
        "!warehouse and truth",
    ]
    screen.table(names, lines)


def _tour(call: str, example: dict[str, Any] | None) -> list[tuple[str, str]]:
    steps = [(f"{call} ui", "the board of senders and periods")]
    if example is not None:
        key = f"--key commune_code={example['commune_code']} --key village_name='{example['village_name']}'"
        steps.insert(0, (f"{call} trace villages {key}", "from figures back to cells"))
    return steps
