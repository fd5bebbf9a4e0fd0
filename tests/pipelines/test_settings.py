"""Settings from the environment: bounds on what is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.intake.limits import MIB, Limits
from pipelines.settings import _LIMITS, BadSetting, Settings


def test_limits_default_and_set() -> None:
    assert Settings.from_environment({}).limits == Limits()
    found = Settings.from_environment({"LIENTHONG_LIMIT_UNPACKED_MB": "64", "LIENTHONG_LIMIT_ROWS": "1000"}).limits
    assert found == Limits(unpacked_bytes=64 * MIB, rows=1000)


def test_every_limit_is_a_setting() -> None:
    assert {limit for limit, _, _ in _LIMITS.values()} == set(Limits.__dataclass_fields__)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "hai", "٣", "9" * 5000, " 7"])
@pytest.mark.parametrize("name", _LIMITS)
def test_a_bad_limit_names_itself_and_what_is_usual(name: str, text: str) -> None:
    limit, unit, least = _LIMITS[name]
    usual = getattr(Limits(), limit) // unit
    with pytest.raises(BadSetting, match=f"^{name} must be a whole number from {least} to .* it is {usual}$"):
        Settings.from_environment({name: text})


MAIL = {"LIENTHONG_MAIL_SERVER": "mail.tinh.vn:587", "LIENTHONG_MAIL_FROM": "a@tinh.vn"}


def test_mail_and_its_secrets(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("x y\n")
    secret.chmod(0o600)
    login = {"LIENTHONG_MAIL_USER": "u", "LIENTHONG_MAIL_PASSWORD_FILE": str(secret)}
    mail = Settings.from_environment({**MAIL, **login}).mail
    assert mail is not None and (mail.host, mail.port, mail.tls, mail.password) == (
        "mail.tinh.vn",
        587,
        "starttls",
        "x y",
    )
    secret.chmod(0o644)
    with pytest.raises(BadSetting, match="password can be read by others; chmod 600 it"):
        Settings.from_environment({**MAIL, **login})


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"LIENTHONG_MAIL_SERVER": "mail.tinh.vn"}, "LIENTHONG_MAIL_SERVER must be host:port"),
        ({"LIENTHONG_MAIL_SERVER": "mail.tinh.vn:587"}, "LIENTHONG_MAIL_FROM must be the address"),
        ({**MAIL, "LIENTHONG_MAIL_TLS": "ssl"}, "LIENTHONG_MAIL_TLS must be one of starttls, tls, none"),
        ({**MAIL, "LIENTHONG_MAIL_USER": "u"}, "needed together"),
        ({**MAIL, "LIENTHONG_MAIL_USER": "u", "LIENTHONG_MAIL_PASSWORD_FILE": "/nowhere/x"}, "x cannot be read"),
        ({"LIENTHONG_ALERTS_TO": "a@tinh.vn; đâu đó"}, "LIENTHONG_ALERTS_TO must be addresses"),
        ({"LIENTHONG_REMINDER_LEVELS": "6,3"}, "LIENTHONG_REMINDER_LEVELS"),
        ({"LIENTHONG_REMIND_EVERY": "0"}, "LIENTHONG_REMIND_EVERY"),
        ({"LIENTHONG_DUE_SINCE": "1/1/2026"}, "LIENTHONG_DUE_SINCE must be a day such as 2026-01-01"),
    ],
)
def test_what_cannot_be_used_is_said(env: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        Settings.from_environment(env)


def test_several_machines_need_what_they_share() -> None:
    env = {"LIENTHONG_EXECUTOR": "celery"}
    for name in ("DATABASE_URL", "INBOX", "ARCHIVE", "RETURNS", "ANSWERS", "KEY_FILE"):
        with pytest.raises(BadSetting, match=f"LIENTHONG_EXECUTOR=celery needs LIENTHONG_{name}"):
            Settings.from_environment(env)
        env[f"LIENTHONG_{name}"] = "/srv/x"
    assert Settings.from_environment(env).executor == "celery"
    with pytest.raises(BadSetting, match="LIENTHONG_EXECUTOR must be"):
        Settings.from_environment({"LIENTHONG_EXECUTOR": "dask"})
