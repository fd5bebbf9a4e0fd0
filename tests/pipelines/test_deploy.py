"""The files of docs/deploy: they can be read, say the same as the code, and name nothing that there is not."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.dagster_home import _YAML
from schemas.roles import ROLES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
FILES = sorted(p for p in DEPLOY.iterdir() if p.name != "README.md")
UNITS = sorted(DEPLOY.glob("*.service"))


def unit(path: Path) -> dict[str, dict[str, list[str]]]:
    """Section -> key -> values; a unit may name a key more than once."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), defaultdict(list))
        elif line.strip() and not line.startswith("#"):
            key, sign, value = line.partition("=")
            assert sign, f"{path.name}: {line}"
            section[key].append(value)
    return found


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def settings() -> dict[str, str]:
    lines = (DEPLOY / "lienthong.env").read_text(encoding="utf-8").splitlines()
    return dict(line.removeprefix("# ").split("=", 1) for line in lines if re.match(r"(# )?[A-Z_]+=", line))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_each_is_named_in_the_guide(path: Path) -> None:
    assert f"]({path.name})" in (DEPLOY / "README.md").read_text(encoding="utf-8")


def test_every_setting_that_is_named_is_read() -> None:
    code = "".join(p.read_text(encoding="utf-8") for top in ("pipelines", "assets") for p in (ROOT / top).rglob("*.py"))
    known = set(re.findall(r"LIENTHONG_[A-Z_]+[A-Z]", code))
    for path in [*FILES, DEPLOY / "README.md"]:
        named = set(re.findall(r"LIENTHONG_[A-Z_]+[A-Z]", path.read_text(encoding="utf-8")))
        assert named <= known, f"{path.name}: {named - known}"
    assert {"LIENTHONG_HOME", "LIENTHONG_DATABASE_URL"} <= settings().keys()


@pytest.mark.parametrize("path", UNITS, ids=lambda p: p.name)
def test_a_unit_runs_what_there_is_and_may_do_little(path: Path) -> None:
    service = unit(path)["Service"]
    (command,) = service["ExecStart"]
    program, *arguments = shlex.split(command)
    assert program.startswith("/opt/lienthong/.venv/bin/")
    assert (Path(sys.prefix) / "bin" / Path(program).name).exists()
    if "-m" in arguments:
        assert importlib.util.find_spec(arguments[arguments.index("-m") + 1]) is not None
        assert arguments[arguments.index("-d") + 1] == service["WorkingDirectory"][0] == "/opt/lienthong"
    assert service["User"] == ["lienthong"] and service["UMask"] == ["0077"]
    assert service["EnvironmentFile"] == ["/etc/lienthong/lienthong.env"]
    assert settings()["LIENTHONG_HOME"] == f"/var/lib/{service['StateDirectory'][0]}"
    assert service["ProtectSystem"] == ["strict"] and service["CapabilityBoundingSet"] == [""]
    assert {"NoNewPrivileges", "PrivateTmp", "ProtectHome", "SystemCallFilter"} <= service.keys()
    for name in re.findall(r"\$\{(\w+)\}", command):
        assert name in settings()
    if "-m" in arguments:  # without its file Dagster would keep its records, and telemetry, as it likes
        assert unit(path)["Unit"]["ConditionPathExists"] == [f"{settings()['DAGSTER_HOME']}/dagster.yaml"]


def test_the_guide_makes_every_role() -> None:
    (listed,) = re.findall(r"^for role in ([a-z ]+); do", (DEPLOY / "README.md").read_text(encoding="utf-8"), re.M)
    assert {f"lienthong_{role}" for role in listed.split()} == set(ROLES)


def test_every_timer_has_its_service() -> None:
    for timer in DEPLOY.glob("*.timer"):
        assert timer.with_suffix(".service").exists() and unit(timer)["Timer"]["Persistent"] == ["true"]


def test_dagsters_limits_are_those_of_the_code() -> None:
    own = yaml.safe_load(_YAML.format(events='"x"'))
    ours = read("dagster.yaml")
    for key in ("telemetry", "nux", "compute_logs", "run_monitoring", "concurrency"):
        assert ours[key] == own[key]
    coordinator = read("helm-values.yaml")["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"]
    runs = own["concurrency"]["runs"]
    assert coordinator["maxConcurrentRuns"] == runs["max_concurrent_runs"]
    assert coordinator["tagConcurrencyLimits"] == runs["tag_concurrency_limits"]
    monitoring = read("helm-values.yaml")["dagsterDaemon"]["runMonitoring"]
    assert (monitoring["startTimeoutSeconds"], monitoring["maxRuntimeSeconds"]) == (
        own["run_monitoring"]["start_timeout_seconds"],
        own["run_monitoring"]["max_runtime_seconds"],
    )


def test_dagster_keeps_its_records_as_its_file_says(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dagster as dg

    assert settings()["DAGSTER_STORAGE_URL"].startswith("postgresql+psycopg2://")
    monkeypatch.setenv("DAGSTER_STORAGE_URL", database_url.replace("postgresql://", "postgresql+psycopg2://", 1))
    (tmp_path / "dagster.yaml").write_bytes((DEPLOY / "dagster.yaml").read_bytes())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert "postgres" in type(instance.run_storage).__module__ and instance.get_runs_count() == 0
        assert not instance.telemetry_enabled and instance.run_monitoring_enabled


def test_the_charts_values_agree_with_themselves() -> None:
    values = read("helm-values.yaml")
    (code,) = values["dagster-user-deployments"]["deployments"]
    assert code["image"] == values["dagsterWebserver"]["image"] == values["dagsterDaemon"]["image"]
    assert "/" not in code["image"]["repository"]
    assert importlib.util.find_spec(code["dagsterApiGrpcArgs"][1]) is not None
    assert values["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"  # docs/notes.md
    assert not values["telemetry"]["enabled"] and "postgresqlPassword" not in values["postgresql"]
    mounted = [m["mountPath"] for m in code["volumeMounts"]]
    assert {m["name"] for m in code["volumeMounts"]} == {v["name"] for v in code["volumes"]}
    for name, value in code["env"].items():
        if value.startswith("/etc/"):
            assert any(value.startswith(path) for path in mounted), name
    # what one pod leaves for the next is on a store
    for name in ("INBOX", "ARCHIVE", "RETURNS", "ANSWERS"):
        assert code["env"][f"LIENTHONG_{name}"].startswith("s3://")
    assert next(v for v in code["volumes"] if v["name"] == "keys")["secret"]["defaultMode"] == 0o400


def test_the_image_has_what_it_needs() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [tuple(line.split(None, 1)) for line in text.splitlines() if line and not line.startswith("#")]
    words = [word for word, _ in steps]
    assert words[:2] == ["ARG", "FROM"] and set(words) <= {
        "ARG",
        "FROM",
        "RUN",
        "WORKDIR",
        "COPY",
        "ENV",
        "USER",
        "CMD",
    }
    copied = [source for word, rest in steps if word == "COPY" for source in rest.split()[:-1]]
    assert all((ROOT / source).exists() for source in copied)
    packages = yaml.safe_load(re.search(r"^packages = (\[.*?\])$", (ROOT / "pyproject.toml").read_text(), re.M)[1])  # type: ignore[index]
    assert {*packages, "requirements.lock", "pyproject.toml"} <= set(copied)
    users = [rest for word, rest in steps if word == "USER"]
    security = read("helm-values.yaml")["dagster-user-deployments"]["deployments"][0]["podSecurityContext"]
    assert users == [str(security["runAsUser"])] and security["runAsNonRoot"]
    # Dagster's part for Kubernetes is of the release of its other parts
    (postgres,) = re.findall(r"^dagster-postgres==(\S+)", (ROOT / "requirements.lock").read_text(), re.M)
    assert f"dagster-k8s=={postgres}" in text
    (chart,) = re.findall(r"^dagster==(\S+)", (ROOT / "requirements.lock").read_text(), re.M)
    assert f"--version {chart}" in (DEPLOY / "helm-values.yaml").read_text(encoding="utf-8")
