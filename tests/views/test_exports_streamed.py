"""Downloads leave while they are read, on both engines."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from tests.books import make_books, render_all
from tests.money import ACCEPTED, browser_of
from webapp import archives, downloads
from webapp.actions import journal, statement_list
from webapp.database import database, transaction
from webapp.models import Account
from webapp.views import exports


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    monkeypatch.setattr(exports, "DOCUMENTS", 1)
    monkeypatch.setattr(archives, "PIECE", 1)
    monkeypatch.setattr(downloads, "PIECE", 1)
    monkeypatch.setattr(statement_list, "IN_A_CHUNK", 1)
    monkeypatch.setattr(journal, "IN_A_CHUNK", 1)
    with time_machine.travel(ACCEPTED, tick=False) as clock:
        yield clock


def test_who_downloads_slowly_keeps_nobody_from_writing(
    app: Flask, small_pieces: time_machine.Traveller
) -> None:
    books = make_books(small_pieces)
    render_all()
    operator = browser_of(app, books.operator)
    whole = {}
    for address in ("statements.csv", "statements.zip", "journal.csv"):
        response = operator.get(f"/{address}?month=2026-11", buffered=False)
        pieces = response.iter_encoded()
        begun = [next(pieces), next(pieces)]
        assert not database.in_transaction()
        with transaction():
            Account.update(name="Renamed").where(Account.id == books.organisation.id).execute()
        whole[address] = b"".join([*begun, *pieces])
        response.close()
        assert len(begun[0] + begun[1]) < len(whole[address]) / 2
    assert {address: b"Renamed" in content for address, content in whole.items()} == {
        "statements.csv": False,
        "statements.zip": False,
        "journal.csv": True,
    }


def test_a_download_that_is_broken_off_leaves_nothing_behind(
    app: Flask, small_pieces: time_machine.Traveller
) -> None:
    operator = browser_of(app, make_books(small_pieces).operator)
    for address in ("statements.csv", "statements.xlsx", "journal.csv"):
        response = operator.get(f"/{address}?month=2026-11", buffered=False)
        next(iter(response.iter_encoded()))
        response.close()

        assert operator.get("/statements").status_code == 200
        assert not database.in_transaction()
