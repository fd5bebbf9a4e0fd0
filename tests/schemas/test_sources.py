"""Declarations of sources: strict, each finding with its line and a remedy, and no secret in them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from schemas.sources import NoSecret, RestSource, SourcesWrong, SqlSource, load_sources, read_sources, resolved

GOOD = """\
sender: STC
sources:
  - name: du_toan
    dataset: annual_quotas
    kind: sql
    url: postgresql://reader@db.stc.local:5432/ngan_sach
    password: ${env:STC_PASSWORD}
    schema: public
    table: v_chi_tieu
    incremental: {column: updated_at, lookback: 2h}
    schedule: "0 2 * * *"
    limits: {rows: 1000, bytes: 500MB, seconds: 10m}
  - name: ho_so
    dataset: service_statistics
    kind: rest
    url: https://api.stc.local/v1
    path: /thong-ke
    records: data.items
    paging: {kind: page, parameter: page, size_parameter: per_page, size: 500, total: meta.total}
    auth: {kind: bearer, token: "${file:/etc/lienthong/token}"}
  - name: hop_thu
    kind: inbox
    url: sftp://stc@files.stc.local/gui
    options: {password: "${env:STC_SFTP}"}
"""


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "STC.yaml").write_text(GOOD, encoding="utf-8")
    found = load_sources(tmp_path, {"STC"}, {"annual_quotas", "service_statistics"})
    assert list(found) == ["STC/du_toan", "STC/ho_so", "STC/hop_thu"]
    sql, rest = found["STC/du_toan"].spec, found["STC/ho_so"].spec
    assert isinstance(sql, SqlSource) and isinstance(rest, RestSource)
    assert sql.incremental is not None and (sql.incremental.lookback, sql.limits.bytes, sql.limits.seconds) == (
        timedelta(hours=2),
        500 << 20,
        600,
    )
    assert load_sources(tmp_path / "none") == {}


WRONG = [
    ("sender: STC", "sender: STX", 1, "there is no sender 'STX'; did you mean 'STC'?"),
    (
        "dataset: annual_quotas",
        "dataset: annual_quota",
        4,
        "there is no dataset 'annual_quota'; did you mean 'annual_quotas'?",
    ),
    ("kind: sql", "kind: ftp", 3, "kind must be sql, rest or inbox"),
    ("    table: v_chi_tieu\n", "", 3, "the key 'table' is missing"),
    ("table: v_chi_tieu", "tabel: v_chi_tieu", 9, "the key 'tabel' is not known; did you mean 'table'?"),
    ("lookback: 2h", "lookbak: 2h", 10, "the key 'lookbak' is not known; did you mean 'lookback'?"),
    ("lookback: 2h", "lookback: -5", 10, "write 0 or more"),
    ("lookback: 2h", "lookback: hai giờ", 10, "write a time such as 30s, 15m, 2h or 3d"),
    ("${env:STC_PASSWORD}", "bimat123", 7, "a secret does not stand here; write ${env:NAME}"),
    ("reader@db", "reader:bimat123@db", 6, "a password does not stand in the URL"),
    ('"${file:/etc/lienthong/token}"', "bimat123", 20, "a secret does not stand here"),
    ('"${env:STC_SFTP}"', "bimat123", 24, "a secret does not stand here"),
    ("name: ho_so", "name: du_toan", 13, "the name 'du_toan' stands here twice"),
    ("name: ho_so", "name: Hồ Sơ", 13, "write a name of small letters"),
    ("    kind: rest\n", "    kind: rest\n    kind: rest\n", 16, "the key 'kind' stands here twice"),
    ("https://api", "file:///api", 16, "write a URL that begins with https:// or http://"),
    ("parameter: page, ", "", 19, "paging by page needs parameter"),
    ('"0 2 * * *"', '"daily"', 11, "write five fields of cron"),
    ("rows: 1000", "rows: 0", 12, "greater than or equal to 1"),
    ("sources:\n", "sources: [\n", 3, "this is no YAML"),
    ('"0 2 * * *"', '"99 99 * * *"', 11, "write five fields of cron, in numbers"),
    ("5432/ngan_sach", "5432/ngan_sach?password=bimat123", 6, "write password: ${file:/path/to/it}"),
    ("sftp://stc@", "sftp://stc:bimat123@", 23, "write options: {password: ${file:/path/to/it}}"),
    (
        "    path: /thong-ke",
        "    headers: {Authorization: Bearer bimat123}",
        17,
        "${file:/path/to/it} (Authorization)",
    ),
    ("    path: /thong-ke", "    params: {api_key: bimat123}", 17, "${file:/path/to/it} (api_key)"),
    (
        "{password:",
        "{client_kwargs: {aws_secret_access_key: bimat123}, password:",
        24,
        "(aws_secret_access_key)",
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "said"), WRONG, ids=[w[3][:30] for w in WRONG])
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, line: int, said: str, tmp_path: Path) -> None:
    assert old in GOOD
    (tmp_path / "STC.yaml").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SourcesWrong) as wrong:
        load_sources(tmp_path, {"STC"}, {"annual_quotas", "service_statistics"})
    assert any(f.line == line and said in f.text for f in wrong.value.findings), wrong.value
    assert "bimat123" not in str(wrong.value)


def test_a_file_that_is_wrong_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """Nor do files that nobody can read, and of a source that two files declare nobody knows which is meant."""
    (tmp_path / "STC.yaml").write_text(GOOD, encoding="utf-8")
    other = GOOD.replace("sender: STC", "sender: SNV")
    (tmp_path / "SNV.yaml").write_text(other, encoding="utf-8")
    (tmp_path / "x.yaml").write_text(GOOD.replace("sender: STC", "sender: SYT").replace("kind: sql", "kind: ftp"))
    (tmp_path / "y.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "z.yaml").mkdir()
    (tmp_path / "SNV2.yaml").write_text(
        "sender: SNV\nsources:\n" + other.partition("sources:\n")[2].split("  - name: ho_so")[0]
    )
    found = read_sources(tmp_path)
    assert set(found.sources) == {"SNV/ho_so", "SNV/hop_thu", "STC/du_toan", "STC/ho_so", "STC/hop_thu"}
    assert [f.file for f in found.findings] == ["SNV2.yaml", "x.yaml", "y.yaml", "z.yaml"]
    assert "cannot be read" in found.findings[-1].text
    with pytest.raises(SourcesWrong):
        load_sources(tmp_path)


def test_a_secret_may_stand_within_a_header_by_its_name(tmp_path: Path) -> None:
    more = 'headers: {Authorization: "Token ${env:T}"}\n    params: {api_key: "${env:K}", nam: 2026}'
    (tmp_path / "STC.yaml").write_text(GOOD.replace("path: /thong-ke", more), encoding="utf-8")
    assert len(load_sources(tmp_path)) == 3


def test_one_source_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("STC.yaml", "STC2.yaml"):
        (tmp_path / name).write_text(GOOD, encoding="utf-8")
    with pytest.raises(SourcesWrong, match=r"STC2\.yaml, line 1: STC/du_toan is declared in another file too"):
        load_sources(tmp_path)


SCHEDULES = ["0 2 * * *", "*/15 7-17 * * 1-5", "0,30 0 1,15 */3 *", "59 23 31 12 7", "0-30/5 * * * *", "60 * * * *", "* 24 * * *",
             "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "*/99 * * * *", "5-1 * * * *", "daily", "a b c d e", "* * * *",
             "0 2 * * *,", "-1 * * * *"]  # fmt: skip


@pytest.mark.parametrize("cron", SCHEDULES)
def test_no_schedule_is_taken_that_dagster_would_refuse(cron: str, tmp_path: Path) -> None:
    """Dagster loads no job at all where one schedule is wrong."""
    from dagster._utils.schedules import is_valid_cron_schedule

    (tmp_path / "STC.yaml").write_text(GOOD.replace("0 2 * * *", cron), encoding="utf-8")
    good = SCHEDULES.index(cron) < 5
    assert is_valid_cron_schedule(cron) or not good
    if good:
        assert len(load_sources(tmp_path)) == 3
    else:
        with pytest.raises(SourcesWrong, match="five fields of cron"):
            load_sources(tmp_path)


def test_secrets_are_looked_up_when_they_are_used(tmp_path: Path) -> None:
    secret = tmp_path / "s"
    secret.write_text("bí mật\n")
    secret.chmod(0o600)
    assert (
        resolved(f"${{file:{secret}}}") == "bí mật" and resolved("${env:X}", {"X": "y"}) == "y" and resolved("a") == "a"
    )
    secret.chmod(0o640)
    for value in (f"${{file:{secret}}}", "${env:NOT_THERE_AT_ALL}", f"${{file:{tmp_path}/none}}"):
        with pytest.raises(NoSecret):
            resolved(value)
