"""What an installation decides of reminders: when, how many, and by which mail server. Light: settings import it at each start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Tls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True)
class Policy:
    """When somebody is reminded, in working days: ``before`` the day, on it, on the first after it, and then ``every`` so many, but
    not after ``until``. ``levels``: how many of a year make the first and the second level."""

    before: tuple[int, ...] = (3, 1)
    every: int = 5
    until: int = 61
    levels: tuple[int, int] = (3, 6)

    def level(self, number: int) -> int:
        """0, 1 (responsibility is reviewed) or 2 (discipline may be considered)."""
        return sum(number >= limit for limit in self.levels)


@dataclass(frozen=True)
class MailServer:
    """The server that takes the province's mail, and in whose name it is sent."""

    host: str
    port: int
    sender: str
    tls: Tls = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    timeout: float = 30.0
