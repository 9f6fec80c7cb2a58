"""Eight writers at once, and books that hold at every moment; a short run of the bank."""

import pytest
from flask import Flask

from tests.drills.bank import Bank, quick_gateway
from tests.drills.bank_steps import DECK

pytestmark = pytest.mark.drill

SECONDS = 8
# Always the same, so that a failure is of the change at hand; `make drills` seeds by the clock.
SEED = 1


def test_whatever_eight_writers_do_at_once_the_books_hold(app: Flask) -> None:
    bank = Bank(SEED)
    with quick_gateway():
        bank.run(SECONDS)
    print(bank.figures())

    assert bank.problems == []
    assert bank.checks > 1
    assert (bank.done | bank.refused).keys() == DECK.keys(), "every kind of step had its turn"
