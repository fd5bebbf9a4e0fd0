"""Who is written to: ``contacts.csv`` of the installation, with the columns sender, name, email, webhook.

Addresses of officials are personal data: they are in this file and in what is sent, in no log, ledger or error.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_COLUMNS = ("sender", "name", "email", "webhook")
# one address as people have them; no quoted local parts, no comments, nothing that could begin another header
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class BadContacts(ValueError):
    """The file of contacts cannot be used; the text names lines and remedies, and no address."""


@dataclass(frozen=True)
class Contact:
    """Whom to write to for a sender: addresses (one at least), or a webhook, or both."""

    sender: str
    name: str
    emails: tuple[str, ...]
    webhook: str | None


def read_contacts(path: Path, senders: Collection[str] | None = None) -> dict[str, Contact]:
    """The contacts by sender; none where there is no file. ``senders``: codes that there are. Raises :class:`BadContacts`."""
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadContacts(f"{path.name} is not UTF-8; save it as “CSV UTF-8”") from None
    lines = list(csv.reader(text.splitlines()))
    if not lines or [c.strip() for c in lines[0]] != list(_COLUMNS):
        raise BadContacts(f"{path.name}, line 1: the header is {','.join(_COLUMNS)}")
    found: dict[str, Contact] = {}
    faults = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(c.strip() for c in cells):
            continue
        said = _fault(cells, found, senders)
        if said:
            faults.append(f"{path.name}, line {number}: {said}")
            continue
        sender, name, email, webhook = (c.strip() for c in cells)
        found[sender] = Contact(sender, name, tuple(_split(email)), webhook or None)
    if faults:
        raise BadContacts("\n".join(faults))
    return found


def _fault(cells: list[str], found: Collection[str], senders: Collection[str] | None) -> str | None:
    if len(cells) != len(_COLUMNS):
        return f"{len(_COLUMNS)} cells are needed, there are {len(cells)}"
    sender, _, email, webhook = (c.strip() for c in cells)
    if any(not c.isprintable() for c in cells):
        return "a cell holds a character that cannot be printed"
    if senders is not None and sender not in senders:
        return f"there is no sender {sender!r}; write its code, such as SNV or 22366"
    if sender in found:
        return f"the sender {sender} stands here twice"
    if not email and not webhook:
        return "an email or a webhook is needed"
    if not all(map(_ADDRESS.fullmatch, _split(email))):
        return "the email is none; write addresses such as vanthu@tinh.gov.vn, with ';' between several"
    if webhook and not is_webhook(webhook):
        return "the webhook must be an address that begins with https:// or http://"
    return None


def _split(email: str) -> list[str]:
    return [one.strip() for one in email.split(";") if one.strip()]


def is_address(text: str) -> bool:
    """Whether it is an e-mail address as this module takes them."""
    return _ADDRESS.fullmatch(text) is not None


def is_webhook(text: str) -> bool:
    """Whether it is the address of a webhook: http or https, with a host, without a password."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.password is None
    except ValueError:
        return False
