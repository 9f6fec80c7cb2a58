"""`backup` and `restore`: a copy is whole, and putting it back gives all of it, or nothing."""

import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from tests.imports import contents
from tests.money import make_organisation, settled
from webapp.database import database
from webapp.models import Account


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "affluent.backup"


def run(app: Flask, *words: object) -> Result:
    result = app.test_cli_runner().invoke(args=[str(word) for word in words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def everything() -> dict[str, Any]:
    found = contents()
    database.close()
    return found


def test_a_copy_put_back_is_everything_as_it_was(app: Flask, file: Path) -> None:
    settled("credit")
    before = everything()
    taken = run(app, "backup", file)
    assert taken.exit_code == 0, taken.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "everything about everybody is in it"
    make_organisation("Later")

    result = run(app, "restore", file, "--replace")

    assert (result.exit_code, result.stdout) == (0, "put back; the ledger holds\n"), result.output
    assert everything() == before


def test_what_is_there_is_only_replaced_when_that_is_said(app: Flask, file: Path) -> None:
    run(app, "backup", file)
    make_organisation("Later")

    result = run(app, "restore", file)

    assert result.exit_code == 1
    assert "To replace all of it by the copy: --replace." in result.stderr
    assert Account.select().count() == 1


def test_an_empty_database_takes_a_copy(app: Flask, file: Path) -> None:
    run(app, "backup", file)

    assert run(app, "restore", file).exit_code == 0


def test_a_copy_never_writes_over_a_file(app: Flask, file: Path) -> None:
    file.write_text("yesterday's")

    result = run(app, "backup", file)

    assert (result.exit_code, file.read_text()) == (1, "yesterday's")
    assert "is there already" in result.stderr
    assert list(file.parent.glob(".*.part")) == []


@pytest.mark.parametrize("is_cut", [False, True])
def test_what_is_no_whole_copy_changes_nothing(app: Flask, file: Path, is_cut: bool) -> None:
    settled("refund")
    run(app, "backup", file)
    # A PostgreSQL archive is listed from its head: a short one must break while it is put back.
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3] if is_cut else b"no copy at all" * 100)
    before = everything()

    result = run(app, "restore", file, "--replace")

    assert result.exit_code == 1
    assert everything() == before


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_program_that_is_missing_is_named(
    app: Flask, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.backups.HOMES", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")

    result = run(app, "backup", file)

    assert result.exit_code == 1
    assert "pg_dump was not found" in result.stderr
