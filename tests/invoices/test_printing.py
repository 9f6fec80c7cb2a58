"""The process that renders for others: same bytes, replaced, limited, and lost without harm."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoices import pdf, printing
from invoices.printing import Lost, Printer


@pytest.fixture
def printer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Printer]:
    """It leaves no folder behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    printer = Printer(renders=2)
    yield printer
    printer.close()
    assert not list(tmp_path.glob("affluent-*"))


def test_it_makes_the_same_bytes_and_is_replaced_after_some(printer, statement_of):
    statement = statement_of("refund")
    expected, processes = pdf.render(statement), []
    for _ in range(3):
        assert printer.render(statement) == expected
        processes.append(printer.process.pid)
    assert processes[0] == processes[1] != processes[2]


def test_one_that_is_killed_loses_one_document_and_another_takes_its_place(printer, statement_of):
    statement = statement_of("credit")
    content = printer.render(statement)
    os.kill(printer.process.pid, signal.SIGKILL)
    with pytest.raises(Lost):
        printer.render(statement)
    assert printer.render(statement) == content


def test_it_ends_with_who_asks_and_leaves_nothing(printer, statement_of, tmp_path):
    printer.render(statement_of("refund"))
    (folder,) = tmp_path.glob("affluent-*")
    assert list(folder.rglob("*"))
    printer.process.stdin.close()
    assert printer.process.wait(20) == 0
    assert not folder.exists()
    printer.process.stdin = None


def test_it_knows_no_secret_and_has_limits(printer, statement_of, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "of the application")
    printer.render(statement_of("refund"))
    with open(f"/proc/{printer.process.pid}/environ", "rb") as file:
        assert b"SECRET_KEY" not in file.read()
    with open(f"/proc/{printer.process.pid}/limits") as file:
        limits = {line[:26].strip(): line[26:].split()[0] for line in file}
    assert limits["Max address space"] == str(printing.LIMITS[printing.resource.RLIMIT_AS])
    assert limits["Max cpu time"].isdigit()


def test_what_cannot_be_printed_says_so_and_the_process_goes_on(printer, statement_of):
    statement, printer.renders = statement_of("refund"), 10
    printer.render(statement)
    process = printer.process
    with pytest.raises(ValueError, match="Error"):
        printer.render(Unprintable())
    assert printer.render(statement)
    assert printer.process is process


class Unprintable:
    def to_json(self):
        return {"number": "none"}
