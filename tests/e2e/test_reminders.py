"""Reminders: a simulated year against plain loops, each once whatever happens, and a real mail server and a real web server."""

from __future__ import annotations

import email
import email.policy
import hashlib
import hmac
import json
import random
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from assets.core.decisions import decide
from assets.returns.reminders import alerts
from assets.returns.reminders.channels import Mail, Message, NotSent, Webhook
from assets.returns.reminders.contacts import BadContacts, Contact, read_contacts
from assets.returns.reminders.plan import plan
from assets.returns.reminders.policy import MailServer, Policy
from assets.returns.reminders.send import Off, Round, send_letters, standings, switch
from schemas.vietnam import VIETNAM
from tests.e2e import year
from tests.e2e.conftest import Make
from tests.e2e.flows import HEAD, World, text_csv

POLICY = Policy()


class Kept:
    """A channel that keeps what it is given; ``fails``: kinds of failure to answer with first."""

    name = "mail"

    def __init__(self, fails: Sequence[NotSent | Exception] = ()) -> None:
        self.sent: list[Message] = []
        self.fails = list(fails)

    def send(self, message: Message) -> Sequence[str]:
        if self.fails:
            raise self.fails.pop(0)
        self.sent.append(message)
        return []


def everybody(world: World) -> dict[str, Contact]:
    return {code: Contact(code, code, (f"{code}@tinh.vn",), None) for code in world.pipeline.senders}


def round_of(world: World, connection: psycopg.Connection, channel: Kept, now: datetime) -> Round:
    world.pipeline.expect(connection, now)
    return send_letters(connection, world.pipeline.contracts, everybody(world), [channel], now, POLICY, "KHCN")


# --- a year ------------------------------------------------------------------------------------------------------------


def _step(line: year.Line, state: object, today: date) -> str | None:
    """The step of a period on a working day, by the words of docs/reminders.md."""
    if state not in ("OPEN", "OVERDUE", "REJECTED"):
        return None
    if today <= line.due:
        left = year.working_days(today, line.due)
        return "DUE" if left == 0 else next((f"BEFORE_{n}" for n in (1, 3) if left <= n), None)
    past = year.working_days(line.due, today)
    return f"AFTER_{past - (past - 1) % 5}" if 1 <= past <= 61 else None


def test_a_year_of_reminders_is_as_plain_loops_say(make_world: Make, tmp_path: Path) -> None:
    since = date(year.YEAR, 1, 1)
    world = make_world(reference=year.reference_folder(tmp_path / "lists"), due_since=since)
    expected = year.lines([s.code for s in world.pipeline.senders.values() if s.kind == "commune"], since)
    sent, luck, kept = year.drawn(expected, seed=2), random.Random(3), Kept()
    made: dict[tuple[str, str, str, str], bool] = {}
    told: set[tuple[str, str, str]] = set()
    counted: Counter[tuple[str, int]] = Counter()
    letters = 0
    with world.pipeline.connection() as connection:
        year.write(connection, sent)
        switch(connection, True, by="test", reason="a year")
        day = date(year.YEAR, 1, 2)
        while day < date(year.YEAR + 1, 1, 1):
            day += timedelta(1)
            if luck.random() < 0.6:  # nothing ran on that day
                continue
            now = datetime.combine(day, time(luck.choice((8, 17))), VIETNAM).astimezone(UTC)
            done = round_of(world, connection, kept, now)
            if not year.works(day):
                assert not done.sent
                continue
            whom = set()
            states = year.known(expected, sent, now)
            for line in expected:
                found = states.get((line.sender, line.dataset, line.period))
                step = found and _step(line, found[1], day)
                name = (line.sender, line.dataset, line.period)
                if not found or not step or (*name, step) in made:
                    continue
                whom.add(found[4])
                made[*name, step] = step.startswith("AFTER") and name not in told
                if made[*name, step]:
                    told.add(name)
                    counted[str(found[4]), line.due.year] += 1
            letters += len(whom)
            assert len(done.sent) == len(whom), day
        rows = connection.execute("select sender, dataset, period, step, counted from ops.reminder").fetchall()
        assert {tuple(r[:4]): r[4] for r in rows} == made
        here = standings(connection, POLICY)
    assert {(s.responsible, s.year): s.number for s in here} == counted
    assert {(s.responsible, s.year): s.level for s in here} == {k: (n >= 3) + (n >= 6) for k, n in counted.items()}
    levels = Counter(s.level for s in here)
    assert min(levels[n] for n in (0, 1, 2)) > 2, levels
    assert len(kept.sent) == letters > 500 and len({m.message_id for m in kept.sent}) == letters


# --- once ----------------------------------------------------------------------------------------------------------------


def _at(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 7, day, hour, tzinfo=VIETNAM).astimezone(UTC)


@pytest.fixture
def late(make_world: Make) -> Iterator[tuple[World, psycopg.Connection]]:
    """A world in which one commune has sent the second quarter; the others are late from 7 July on."""
    world = make_world()
    world.drop(world.communes[0], text_csv([HEAD, ("Thôn A", "Thôn", 70, 300)]), "a.csv", at=_at(3))
    world.run()
    with world.pipeline.connection() as connection:
        yield world, connection


def test_nothing_is_sent_until_it_is_switched_on(late: tuple[World, psycopg.Connection]) -> None:
    world, connection = late
    kept = Kept()
    with pytest.raises(Off, match="reminders on"):
        round_of(world, connection, kept, _at(7))
    assert len(plan(connection, _at(7), POLICY)) == len(world.communes) - 1
    assert not kept.sent and world.rows("select count(*) from ops.reminder") == [(0,)]
    switch(connection, True, by="test", reason="từ tháng 7")
    assert len(round_of(world, connection, kept, _at(7)).sent) == len(world.communes) - 1
    switch(connection, False, by="test", reason="tạm dừng")
    with pytest.raises(Off):
        round_of(world, connection, kept, _at(14))
    with pytest.raises(psycopg.errors.RaiseException):
        connection.execute("update ops.reminder_switch set sending = true")


def test_each_goes_once_and_a_failed_one_again(late: tuple[World, psycopg.Connection]) -> None:
    world, connection = late
    switch(connection, True, by="test", reason="x")
    others = len(world.communes) - 1
    kept = Kept([NotSent("ANSWER_451", for_good=False), NotSent("RECIPIENT_REFUSED", for_good=True)])
    done = round_of(world, connection, kept, _at(7))
    assert (len(done.sent), len(done.failed), len(done.refused)) == (others - 2, 1, 1)
    # greylisted: a while later it goes, under the same name; what is refused for good is not tried this way again
    done = round_of(world, connection, kept, _at(7, 10))
    assert (len(done.sent), done.failed, done.refused) == (1, [], [])
    assert done.sent[0] not in {m.message_id for m in kept.sent[:-1]}
    for when in (
        _at(7, 11),
        _at(8),
        _at(6),
        _at(7, 12),
    ):  # nor does a clock that goes back or forth send anything twice
        assert not round_of(world, connection, kept, when).sent or when == _at(6)
    refused = world.rows("select l.responsible from ops.letter l where state = 'refused'")[0][0]
    assert refused not in {s.responsible for s in standings(connection, POLICY)}
    # two weeks of silence: one letter each, at the step that is reached by now, and nobody is counted twice
    before = len(kept.sent)
    round_of(world, connection, kept, _at(28))
    communes = [m for m in kept.sent[before:] if m.data["sender"] in world.communes]
    assert len({m.data["sender"] for m in communes}) == len(communes) == others
    here = [s for s in standings(connection, POLICY) if s.responsible in world.communes]
    assert {(s.number, s.level) for s in here} == {(1, 0)} and len(here) == others


def test_what_died_between_sending_and_writing_goes_again_and_counts_once(
    late: tuple[World, psycopg.Connection],
) -> None:
    world, connection = late
    switch(connection, True, by="test", reason="x")

    class Died(BaseException):
        pass

    class Dies(Kept):
        def send(self, message: Message) -> Sequence[str]:
            super().send(message)
            raise Died  # it went, and nobody wrote that down

    dies, kept = Dies(), Kept()
    with pytest.raises(Died):
        round_of(world, connection, dies, _at(7))
    done = round_of(world, connection, kept, _at(7, 8) + timedelta(minutes=5))  # too early to know
    first = dies.sent[0]
    assert first.message_id not in done.sent
    again = round_of(world, connection, kept, _at(7, 9))
    assert again.sent == [first.message_id]
    assert {s.number for s in standings(connection, POLICY)} == {1}
    # and one whose file came meanwhile is cancelled
    with pytest.raises(Died):
        round_of(world, connection, Dies(), _at(14))
    sender = world.rows("select responsible from ops.letter where state = 'sending'")[0][0]
    world.drop(sender, text_csv([HEAD, ("Thôn A", "Thôn", 70, 300)]), "muon.csv", at=_at(14, 9))
    world.run()
    assert round_of(world, connection, kept, _at(14, 10)).cancelled == 1
    assert world.rows("select state, count(*) from ops.letter where responsible = %s group by 1 order by 1", [sender]) == [
        ("cancelled", 1), ("sent", 1)
    ]  # fmt: skip


def test_two_at_once_share_nothing_twice(late: tuple[World, psycopg.Connection]) -> None:
    world, connection = late
    switch(connection, True, by="test", reason="x")
    world.pipeline.expect(connection, _at(7))
    kept, go = Kept(), threading.Barrier(3)

    def one() -> None:
        with psycopg.connect(world.pipeline.url, autocommit=True) as own:
            go.wait()
            send_letters(own, world.pipeline.contracts, everybody(world), [kept], _at(7), POLICY, "KHCN")

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept.sent) == len({m.message_id for m in kept.sent}) == len(world.communes) - 1


def test_a_letter_says_what_when_how_and_how_often(late: tuple[World, psycopg.Connection]) -> None:
    world, connection = late
    switch(connection, True, by="test", reason="x")
    kept = Kept()
    round_of(world, connection, kept, _at(8))
    letter = kept.sent[0]
    assert letter.subject == "Nhắc gửi 1 báo cáo đã quá hạn"
    title = world.pipeline.contracts["villages"].title
    assert f"- {title}, kỳ 2026-Q2: hạn gửi 06/07/2026, đã quá 2 ngày làm việc, chưa nhận được tệp." in letter.text
    assert (
        "Năm 2026, đơn vị đã bị nhắc 1 lần vì quá hạn. Từ 3 lần trong năm, trách nhiệm của người đứng đầu được xem xét."
        in letter.text
    )
    assert "Đơn vị hỗ trợ: KHCN." in letter.text and "<script" not in letter.html and "<li>" in letter.html
    assert letter.data["reminders"][0]["step"] == "AFTER_1" and letter.data["reminders"][0]["counted"]


# --- contacts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sender,email\nSNV,a@b.vn\n", "line 1: the header is sender,name,email,webhook"),
        ("sender,name,email,webhook\nXYZ,x,a@b.vn,\n", "line 2: there is no sender 'XYZ'"),
        ("sender,name,email,webhook\nSNV,x,a@b.vn,\nSNV,x,c@b.vn,\n", "line 3: the sender SNV stands here twice"),
        ("sender,name,email,webhook\nSNV,x,,\n", "line 2: an email or a webhook is needed"),
        ('sender,name,email,webhook\nSNV,x,"a@b.vn\x0bBcc: c@d.vn",\n', "line 2"),
        ("sender,name,email,webhook\nSNV,x,a b@c.vn,\n", "line 2: the email is none"),
        ("sender,name,email,webhook\nSNV,x,,file:///etc/passwd\n", "line 2: the webhook must be an address"),
        ("sender,name,email,webhook\nSNV,x\n", "line 2: 4 cells are needed"),
    ],
)
def test_a_wrong_contact_names_its_line_and_no_address(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "contacts.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadContacts) as wrong:
        read_contacts(tmp_path / "contacts.csv", {"SNV", "STC"})
    assert said in str(wrong.value) and "@" not in str(wrong.value).replace("vanthu@tinh.gov.vn", "")


def test_contacts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    assert read_contacts(path) == {}
    path.write_bytes("\ufeffsender,name,email,webhook\nSNV,Văn thư,a@b.vn; c@d.gov.vn,https://x.vn/y\n\n".encode())
    assert read_contacts(path, {"SNV"})["SNV"] == Contact("SNV", "Văn thư", ("a@b.vn", "c@d.gov.vn"), "https://x.vn/y")
    path.write_bytes("sender,name,email,webhook\nSNV,Văn thư,a@b.vn,\n".encode("utf-16"))
    with pytest.raises(BadContacts, match="not UTF-8"):
        read_contacts(path)


# --- a real mail server ------------------------------------------------------------------------------------------------------


class Inbox:
    """What a mail server does with what it gets; ``answers``: what it says to the next messages in place of 250."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], email.message.EmailMessage]] = []
        self.answers: list[str] = []
        self.refused: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.got.append((envelope.rcpt_tos, parsed))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


def _auth(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"tinh", b"m4t khau")
    return AuthResult(success=good, handled=False)


@pytest.fixture(params=["none", "starttls", "tls"])
def mail(request: pytest.FixtureRequest, certificate: Path) -> Iterator[tuple[Inbox, MailServer]]:
    inbox, tls = Inbox(), request.param
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    more: dict[str, Any] = {}
    if tls == "starttls":
        more = {"tls_context": context, "require_starttls": True, "authenticator": _auth, "auth_required": True}
    if tls == "tls":
        more = {"ssl_context": context}
    with socket.socket() as free:  # the controller takes no port that is still to be found
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(inbox, hostname="127.0.0.1", port=port, **more)
    server.start()
    login = ("tinh", "m4t khau") if tls == "starttls" else (None, None)
    yield inbox, MailServer("localhost" if tls != "none" else "127.0.0.1", port, "lienthong@tinh.vn", tls, *login,
                            ca_file=str(certificate / "cert.pem"), timeout=5)  # fmt: skip
    server.stop()


def message(**change: Any) -> Message:
    given: dict[str, Any] = {
        "message_id": "abc123", "to": ("snv@tinh.vn",), "subject": "Nhắc gửi 2 báo cáo đã quá hạn", "text": "Kính gửi Sở Nội vụ.\n",
        "html": "<p>Kính gửi Sở Nội vụ.</p>", "at": datetime(2026, 7, 7, 1, tzinfo=UTC), "data": {"kind": "reminder"},
    }  # fmt: skip
    return Message(**{**given, **change})


def test_a_mail_server_gets_it_as_it_was_written(mail: tuple[Inbox, MailServer]) -> None:
    inbox, server = mail
    with Mail(server) as channel:
        assert channel.send(message()) == channel.send(message(message_id="d")) == []
    (to, got), _ = inbox.got
    assert (
        to == ["snv@tinh.vn"]
        and got["Subject"] == "Nhắc gửi 2 báo cáo đã quá hạn"
        and got["From"] == "lienthong@tinh.vn"
    )
    assert got["Message-ID"] == "<abc123@tinh.vn>" and got["Auto-Submitted"] == "auto-generated"
    assert got.get_body(("plain",)).get_content().strip() == "Kính gửi Sở Nội vụ."  # type: ignore[union-attr]
    assert "<p>Kính gửi" in got.get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_a_mail_server_refuses_delays_and_goes_away(mail: tuple[Inbox, MailServer]) -> None:
    inbox, server = mail
    with Mail(server) as channel:
        for answer, kind, for_good in (
            ("451 greylisted snv@tinh.vn", "ANSWER_451", False),
            ("554 no", "ANSWER_554", True),
        ):
            inbox.answers = [answer]
            with pytest.raises(NotSent) as failed:
                channel.send(message())
            assert (failed.value.kind, failed.value.for_good) == (kind, for_good) and "@" not in str(failed.value)
        inbox.refused = {"a@tinh.vn": "550 unknown", "b@tinh.vn": "450 later"}
        assert channel.send(message(to=("snv@tinh.vn", "a@tinh.vn"))) == ["RECIPIENT_REFUSED"]
        with pytest.raises(NotSent) as failed:
            channel.send(message(to=("a@tinh.vn",)))
        assert (failed.value.kind, failed.value.for_good) == ("RECIPIENT_REFUSED", True)
        inbox.answers = ["421 closing"]
        with pytest.raises(NotSent):
            channel.send(message())
        assert channel.send(message()) == []  # on a new connection
    # a line break in a title cannot become a header
    with Mail(server) as channel, pytest.raises(ValueError, match="linefeed"):
        channel.send(message(subject="x\r\nBcc: all@tinh.vn"))
    assert all(to == ["snv@tinh.vn"] for to, _ in inbox.got)


def test_who_is_not_trusted_or_not_there_gets_nothing(mail: tuple[Inbox, MailServer], tmp_path: Path) -> None:
    inbox, server = mail
    if server.tls != "none":
        with pytest.raises(NotSent, match="NO_TRUST"):
            Mail(MailServer(**{**vars(server), "ca_file": None})).send(message())
    if server.user is not None:
        for password, kind in (("other", "LOGIN_REFUSED"), ("mật khẩu", "LOGIN_NOT_ASCII")):
            with pytest.raises(NotSent, match=kind):
                Mail(MailServer(**{**vars(server), "password": password})).send(message())
        assert "m4t khau" not in repr(server)
    with pytest.raises(NotSent, match="UNREACHABLE"):
        Mail(MailServer("127.0.0.1", 1, "a@b.vn", "none")).send(message())
    assert inbox.got == []


# --- a real web server --------------------------------------------------------------------------------------------------------


class Hook(BaseHTTPRequestHandler):
    answers: list[int] = []
    got: list[tuple[dict[str, str], bytes]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = type(self).answers.pop(0) if type(self).answers else 200
        if status == 200:
            type(self).got.append((dict(self.headers), body))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return None


@pytest.fixture
def hook() -> Iterator[str]:
    Hook.answers, Hook.got = [], []
    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_gets_a_signed_message(hook: str) -> None:
    channel = Webhook(b"secret", pause=0)
    Hook.answers = [503, 429]
    assert channel.send(message(to=(hook,))) == []
    headers, body = Hook.got[0]
    said = json.loads(body)
    assert (
        said["subject"] == message().subject and said["kind"] == "reminder" and headers["Idempotency-Key"] == "abc123"
    )
    right = hmac.new(b"secret", headers["X-Lienthong-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Lienthong-Signature"] == f"sha256={right}"
    for answers, kind, for_good in (
        ([404], "ANSWER_404", True),
        ([500] * 3, "ANSWER_500", False),
        ([302], "ANSWER_302", True),
    ):
        Hook.answers = answers
        with pytest.raises(NotSent) as failed:
            channel.send(message(to=(hook,)))
        assert (failed.value.kind, failed.value.for_good) == (kind, for_good) and not Hook.answers
    with pytest.raises(NotSent, match="UNREACHABLE"):
        channel.send(message(to=("http://127.0.0.1:1/",)))
    assert len(Hook.got) == 1


# --- alerts -------------------------------------------------------------------------------------------------------------------


def test_operators_are_told_once_and_again_while_it_holds(make_world: Make) -> None:
    world = make_world()
    rows = [(f"Thôn {chr(65 + n)}", "Thôn", 70, 300) for n in range(10)]
    sender = world.communes[0]
    world.drop(sender, text_csv([HEAD, *rows]), "a.csv", period="2026-Q1", at=datetime(2026, 4, 2, 1, tzinfo=UTC))
    world.drop(sender, text_csv([HEAD, *rows[:3]]), "b.csv", at=_at(3))  # it would end seven of ten: held
    world.drop(world.communes[1], text_csv([("MẬT", "", "", ""), HEAD, *rows]), "c.csv", at=_at(3))
    world.run()
    kept, now = Kept(), _at(7)
    with world.pipeline.connection() as connection:
        alerts.happened(connection, "RUN_FAILED", "1a2b3c4d", now, job="main")
        alerts.happened(connection, "RUN_FAILED", "1a2b3c4d", now, job="main")
        alerts.look(connection, now)
        assert sorted(a.kind for a in alerts.holding(connection)) == ["HELD", "RUN_FAILED", "SECRET"]
        assert alerts.tell(connection, [], [kept], now) == (0, None)
        assert alerts.tell(connection, ["it@tinh.vn"], [Kept([NotSent("TIMEOUT", for_good=False)])], now) == (
            0,
            "mail: TIMEOUT",
        )
        assert alerts.tell(connection, ["it@tinh.vn", "https://x.vn/"], [kept], now) == (3, None)
        text = kept.sent[0].text
        held = world.rows("select submission_id from intake.submission where state = 'held'")[0][0]
        assert (
            f"lienthong show {held}" in text
            and "dấu mật" in text
            and "1a2b3c4d" in text
            and "Thôn" not in text
            and ".csv" not in text
        )
        alerts.look(connection, now + timedelta(hours=1))
        assert alerts.tell(connection, ["it@tinh.vn"], [kept], now + timedelta(hours=1)) == (0, None)
        # what still holds is told again after three days; what happened is not
        later = now + timedelta(days=3, minutes=1)
        alerts.look(connection, later)
        assert alerts.tell(connection, ["it@tinh.vn"], [kept], later) == (1, None)
    with world.connection() as connection:
        decide(connection, held, accept=True, reason="đã gọi điện", by="tỉnh")
    world.run()
    with world.pipeline.connection() as connection:
        alerts.look(connection, later)
        assert alerts.holding(connection) == []
