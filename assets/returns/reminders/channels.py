"""How a message goes out: by e-mail or to a webhook, behind one interface.

Here: handing a message over, and saying what became of it by kind. An error says which kind it is and never an address, a
password or what a server answered: answers quote addresses.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Protocol, Self

from .policy import MailServer


@dataclass(frozen=True)
class Message:
    """What is said. ``message_id``: the same for the same message, so that one that goes out twice is known again; ``data``: what a
    webhook gets beside the text."""

    message_id: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


class NotSent(Exception):
    """It did not go out. ``kind``: why, in one word; ``for_good``: trying again would not help."""

    def __init__(self, kind: str, *, for_good: bool) -> None:
        super().__init__(kind)
        self.kind, self.for_good = kind, for_good


class Channel(Protocol):
    """A way out."""

    name: str

    def send(self, message: Message) -> Sequence[str]:
        """Hand it over; the kinds of what was refused of it, where part of its recipients were. Raises :class:`NotSent`."""


class Mail:
    """E-mail: one connection for all messages of a round, opened again where the server closed it. A context manager."""

    name = "mail"

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self._open: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        if self._open is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._open.quit()
            self._open = None

    def send(self, message: Message) -> Sequence[str]:
        """Hand the message to the mail server."""
        fresh = self._open is None
        try:
            return self._send(message)
        except NotSent as error:
            self.close()
            # a server may close a connection that was idle; a new one gets one try
            if fresh or error.kind != "DISCONNECTED":
                raise
        return self._send(message)

    def _send(self, message: Message) -> Sequence[str]:
        with _kinds():
            if self._open is None:
                self._open = self._connected()
            refused = self._open.send_message(
                self._letter(message), from_addr=self.server.sender, to_addrs=list(message.to)
            )
            return sorted({"RECIPIENT_LATER" if code < 500 else "RECIPIENT_REFUSED" for code, _ in refused.values()})

    def _connected(self) -> smtplib.SMTP:
        server = self.server
        context = ssl.create_default_context(cafile=server.ca_file)
        if server.tls == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
            if server.tls == "starttls":
                smtp.starttls(context=context)
        if server.user is not None:
            smtp.login(server.user, server.password or "")
        return smtp

    def _letter(self, message: Message) -> EmailMessage:
        # the policy refuses a line break in a header, so that nothing a sender wrote can add one
        letter = EmailMessage(policy=SMTP)
        letter["From"], letter["To"] = self.server.sender, ", ".join(message.to)
        letter["Subject"] = message.subject
        letter["Date"] = format_datetime(message.at)
        letter["Message-ID"] = f"<{message.message_id}@{self.server.sender.partition('@')[2]}>"
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(message.text)
        letter.add_alternative(message.html, subtype="html")
        return letter


@contextmanager
def _kinds() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise NotSent("RECIPIENT_REFUSED", for_good=all(code >= 500 for code, _ in error.recipients.values())) from None
    except UnicodeEncodeError:  # smtplib logs in with ASCII only
        raise NotSent("LOGIN_NOT_ASCII", for_good=False) from None
    except smtplib.SMTPAuthenticationError:
        raise NotSent("LOGIN_REFUSED", for_good=False) from None
    except smtplib.SMTPServerDisconnected:
        raise NotSent("DISCONNECTED", for_good=False) from None
    except smtplib.SMTPResponseException as error:
        raise NotSent(f"ANSWER_{error.smtp_code}", for_good=error.smtp_code >= 550) from None
    except ssl.SSLError:
        raise NotSent("NO_TRUST", for_good=False) from None
    except (smtplib.SMTPException, TimeoutError, socket.gaierror, OSError) as error:
        raise NotSent("TIMEOUT" if isinstance(error, TimeoutError) else "UNREACHABLE", for_good=False) from None


class Webhook:
    """A JSON POST, signed: ``X-Lienthong-Signature: sha256=HMAC(secret, timestamp + "." + body)``, with the time in
    ``X-Lienthong-Timestamp`` and the message's id in ``Idempotency-Key``."""

    name = "webhook"

    def __init__(self, secret: bytes, timeout: float = 15.0, tries: int = 3, pause: float = 1.0) -> None:
        self.secret, self.timeout, self.tries, self.pause = secret, timeout, tries, pause

    def send(self, message: Message) -> Sequence[str]:
        """Post it to each address; a server that is busy or broken is asked again, with growing pauses."""
        body = json.dumps(
            {"id": message.message_id, "subject": message.subject, "text": message.text, **message.data},
            ensure_ascii=False,
        ).encode()
        stamp = str(int(message.at.timestamp()))
        signature = hmac.new(self.secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json; charset=utf-8", "X-Lienthong-Timestamp": stamp,
            "X-Lienthong-Signature": f"sha256={signature}", "Idempotency-Key": message.message_id,
        }  # fmt: skip
        for url in message.to:
            self._post(url, body, headers)
        return []

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        import requests

        for attempt in range(1, self.tries + 1):
            try:
                # where it leads is in the installation's settings; an answer may not lead elsewhere
                answer = requests.post(url, body, headers=dict(headers), timeout=self.timeout, allow_redirects=False)
            except requests.Timeout:
                failed = NotSent("TIMEOUT", for_good=False)
            except requests.exceptions.SSLError:
                raise NotSent("NO_TRUST", for_good=False) from None
            except requests.RequestException:
                failed = NotSent("UNREACHABLE", for_good=False)
            else:
                if 200 <= answer.status_code < 300:
                    return
                busy = answer.status_code in (408, 425, 429) or answer.status_code >= 500
                failed = NotSent(f"ANSWER_{answer.status_code}", for_good=not busy)
            if failed.for_good or attempt == self.tries:
                raise failed from None
            time.sleep(self.pause * 2 ** (attempt - 1))
