"""``lienthong demo``: an invented province's inbox, the main job, and the warehouse beside the truth.

Here: the inbox and the truth in the home folder, the comparison, and what is printed. Not here: the inventing
(:mod:`pipelines.sample`), the job. Everything that the demo uses, the repository makes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli_output import Screen, plural
from .cli_run import account, main_job, next_steps, show_account
from .report import Unclear, touched

if TYPE_CHECKING:
    import psycopg

    from .flow import Pipeline
    from .sample import Truth
    from .settings import Settings

_HERE = Path(__file__).parent
_SHOWN = 25
"""Differences that are printed; ``--json`` has all."""


def run_demo(settings: Settings, screen: Screen, call: str, *, direct: bool = False, communes: int = 65) -> int:
    """Run the demo in the settings' home; 0 where the warehouse equals the truth, else 2.

    ``communes``: how many of the province's communes take part. Raises :class:`Unclear` where the home, or the database
    that the settings name, holds something that the demo did not make.
    """
    from .flow import Pipeline

    home = settings.home
    pipeline = Pipeline(
        replace(
            settings, inbox=str(home / "inbox"), archive=str(home / "archive"), reference=None, contracts=(),
            province="56", settle_seconds=0.0,
        )
    )  # fmt: skip
    truth = _inbox(pipeline, screen, communes)
    with pipeline.connection() as connection:
        _refuse_others(connection, truth)
    with screen.progress() as pipeline.progress:
        ran = main_job(pipeline, direct=direct)
    with pipeline.connection() as connection:
        done = account(connection, ran)
        differences = compare_with_truth(connection, truth)
        example = _example(connection)
        everything = touched(
            connection, [r[0] for r in connection.execute("select submission_id from intake.submission")], None
        )
    if screen.as_json:
        screen.json({**done, "differences": differences, "files": len(truth.submissions)})
    else:
        _show(screen, truth, done, differences)
        screen.say("Look at next:")
        screen.commands([*next_steps(call, everything), *_tour(call, example)])
    return 2 if differences else 0


def compare_with_truth(connection: psycopg.Connection, truth: Truth) -> list[str]:
    """The differences between what is published, the answers and the truth; none where they are equal."""
    from psycopg.rows import dict_row

    from .sample import compare

    with connection.cursor(row_factory=dict_row) as cursor:
        history = cursor.execute("select * from mart_v1.villages_history").fetchall()
        answers = cursor.execute((_HERE / "demo.sql").read_text(encoding="utf-8")).fetchall()
        facts = cursor.execute((_HERE / "demo_facts.sql").read_text(encoding="utf-8")).fetchall()
    return compare(truth, history, answers, facts)


def _inbox(pipeline: Pipeline, screen: Screen, communes: int) -> Truth:
    """The inbox under the home, written where it is not there yet; its truth.

    The folder of the truth is made first: an inbox beside it is the demo's own, even if writing it was interrupted.
    """
    from .sample import Truth, generate

    home = pipeline.settings.home
    inbox, folder = home / "inbox", home / "demo-truth"
    present = {str(p.relative_to(inbox)) for p in inbox.rglob("*") if p.is_file()} if inbox.is_dir() else set()
    if present and not folder.is_dir():
        _refuse(home, f"its inbox holds {plural(len(present), 'file')}", present)
    try:
        truth = Truth.load(folder)
    except (OSError, ValueError):
        truth = None
    if truth is None or {s.path for s in truth.submissions} - present:
        senders = pipeline.reference.senders.iter_rows(named=True)
        real = [(s["code"], s["name"]) for s in senders if s["kind"] == "commune"]
        chosen = list(truth.communes) if truth else real[:communes]
        screen.note(f"Writing the inbox of {plural(len(chosen), 'commune')} to {inbox} …")
        folder.mkdir(parents=True, exist_ok=True)
        truth = generate(inbox, communes=chosen, offices=True)
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


def _show(screen: Screen, truth: Truth, done: dict[str, Any], differences: list[str]) -> None:
    first, last = truth.periods[0], truth.periods[-1]
    silent = f"; {plural(len(truth.silent), 'commune')} sent nothing" if truth.silent else ""
    screen.say(
        f"An invented province: {plural(len(truth.communes), 'commune')}, {first} to {last}, "
        f"{plural(len(truth.submissions), 'file')} in the inbox{silent}."
    )
    if not done["received"] and not done["submissions"]:
        screen.say("This is not the first run, and nothing new has arrived.")
    show_account(screen, done)
    if differences:
        screen.say(f"The warehouse differs from the truth in {plural(len(differences), 'place')}:", style="bold red")
        for line in differences[:_SHOWN]:
            screen.say(f"  {line}")
        if len(differences) > _SHOWN:
            screen.say(f"  … and {len(differences) - _SHOWN} more; --json has all")
    else:
        versions = plural(len(truth.villages), "version")
        screen.say(
            f"The warehouse equals the truth: {versions} of villages, {plural(len(truth.facts), 'fact')} about organisations, "
            f"officers, posts and successions, and the answer to each of the "
            f"{plural(len(truth.submissions), 'file')}.",
            style="bold green",
        )


def _tour(call: str, example: dict[str, Any] | None) -> list[tuple[str, str]]:
    steps = [(f"{call} ui", "the board of senders and periods")]
    if example is not None:
        key = f"--key commune_code={example['commune_code']} --key village_name='{example['village_name']}'"
        steps.insert(0, (f"{call} trace villages {key}", "from figures back to cells"))
    return steps
