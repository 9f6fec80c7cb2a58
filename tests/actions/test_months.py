"""Months as people write them."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from webapp.actions import months
from webapp.actions.months import Month
from webapp.errors import NotThere

TODAY = date(2026, 3, 31)


def test_months_follow_each_other() -> None:
    january = Month(date(2026, 1, 1))

    assert str(january.previous) == "2025-12"
    assert str(january.next) == "2026-02"
    assert january.next.previous == january


def test_without_a_word_it_is_the_present_one() -> None:
    assert str(months.asked_for("", TODAY)) == "2026-03"
    assert str(months.asked_for("2025-12", TODAY)) == "2025-12"


@pytest.mark.parametrize(
    "text", ["2026", "2026-13", "2026-00", "0000-01", "9999-12", "2026-1", "x", "\0", "²026-01"]
)
def test_what_is_no_month_is_not_there(text: str) -> None:
    with pytest.raises(NotThere):
        months.asked_for(text, TODAY)


def test_a_month_is_the_sellers(app: Flask) -> None:
    march = Month(date(2026, 3, 1))

    assert march.begins_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert march.ends_at == datetime(2026, 3, 31, 22, tzinfo=UTC)


def test_the_one_shown_can_always_be_chosen() -> None:
    old = Month(date(2001, 1, 1))
    found = months.recent(TODAY, old)

    assert (str(found[0]), found[-1], len(found)) == ("2026-03", old, 25)
    assert len(months.recent(TODAY, found[3])) == 24
