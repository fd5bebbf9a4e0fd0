"""Settings from the environment: bounds on what is sent."""

from __future__ import annotations

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
