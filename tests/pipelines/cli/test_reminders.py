"""``lienthong reminders`` and ``alerts``: a plan sends nothing, sending is off until switched on, and mail really goes."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from .conftest import House

# nobody of the sample sends the monthly KPI
DAY = "2026-07-03T08:00"


class Box:
    def __init__(self) -> None:
        self.got: list[tuple[list[str], EmailMessage]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.got.append((envelope.rcpt_tos, parsed))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def box(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """A mail server that the settings name, and contacts of some."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = Box()
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    for name, value in (("SERVER", f"127.0.0.1:{port}"), ("FROM", "lienthong@tinh.vn"), ("TLS", "none")):
        monkeypatch.setenv(f"LIENTHONG_MAIL_{name}", value)
    codes = [r[0] for r in house.query("select code from core.sender order by 1")]
    lines = [f"{code},{code},{code.lower()}@tinh.vn," for code in codes[:-1]]
    contacts = house.home / "contacts.csv"
    contacts.write_text("\n".join(["sender,name,email,webhook", *lines, ""]), encoding="utf-8")
    yield kept
    server.stop()
    contacts.unlink()


def test_a_plan_shows_every_text_and_sends_nothing(house: House, box: Box) -> None:
    done = house("reminders", "plan", "--at", DAY, "--json")
    assert done.code == 0 and done.json["sending"] is False
    letters = {e["to"]: e for e in done.json["letters"]}
    late = [r for r in letters["KHCN"]["reminders"] if r["counted"]]
    assert {(r["dataset"], r["period"]) for r in late} >= {
        ("kpi_evaluations", "2026-04"),
        ("kpi_evaluations", "2026-05"),
    }
    assert "Kính gửi" in letters["KHCN"]["text"] and "@" not in done.out
    told = house("reminders", "plan", "--at", DAY)
    assert "Nothing was sent; sending is off." in told.out and letters["KHCN"]["subject"] in told.out
    assert box.got == [] and house.query("select count(*) from ops.reminder") == [(0,)]
    off = house("reminders", "send")
    assert off.code == 2 and "sending is off; look at `lienthong reminders plan`" in off.err
    assert house("reminders", "plan", "--at", "2026-07-05", "--json").json["letters"] == []  # a Sunday


def test_what_is_switched_on_goes_by_mail_once(house: House, box: Box) -> None:
    assert house("reminders", "on", "--reason", "từ nay", "--by", "KHCN").code == 0
    assert house.query("select sending, who, reason from ops.reminder_switch") == [(True, "KHCN", "từ nay")]
    # this is about today, whenever that is: on a day off there is nothing to send
    planned = house("reminders", "plan", "--json").json["letters"]
    done = house("reminders", "send", "--json")
    to = {e["to"] for e in planned}
    assert len(done.json["sent"]) == len(box.got) == len([e for e in planned if e["contact"]])
    assert done.code == int(any(not e["contact"] for e in planned))
    assert {got["To"] for _, got in box.got} <= {f"{code.lower()}@tinh.vn" for code in to}
    assert house("reminders", "send", "--json").json["sent"] == []
    listed = house("reminders", "list", "--json")
    assert listed.json["sending"] is True and "@" not in listed.out
    assert house("reminders", "off", "--reason", "tạm dừng").code == 0 and house("reminders", "send").code == 2


def test_a_wrong_file_of_contacts_stops_with_its_line(house: House, box: Box) -> None:
    (house.home / "contacts.csv").write_text("sender,name,email,webhook\nXXX,x,a@b.vn,\n", encoding="utf-8")
    done = house("reminders", "plan")
    assert done.code == 2 and "contacts.csv, line 2: there is no sender 'XXX'" in done.err and "a@b.vn" not in done.err


def test_operators_are_told_of_what_holds(house: House, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    name = house.one("held")
    done = house("alerts", "--json")
    assert done.code == 1 and [a["about"] for a in done.json["alerts"] if a["kind"] == "HELD"] == [name]
    assert name in house("alerts").out and box.got == []
    monkeypatch.setenv("LIENTHONG_ALERTS_TO", "it@tinh.vn")
    assert house("alerts", "--tell", "--json").json["told"] == len(done.json["alerts"])
    assert f"lienthong show {name}" in box.got[0][1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert house("alerts", "--tell", "--json").json["told"] == 0
