from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from invoices.periods import BillingPeriod, local_day

NOVEMBER = BillingPeriod(date(2026, 11, 1), date(2026, 12, 1))


@pytest.mark.parametrize(
    ("on", "unused"),
    [(date(2026, 10, 1), 30), (date(2026, 11, 1), 30), (date(2026, 11, 2), 29),
     (date(2026, 11, 30), 1), (date(2026, 12, 1), 0), (date(2027, 1, 1), 0)],
)  # fmt: skip
def test_the_day_itself_counts_as_unused(on, unused):
    assert NOVEMBER.days == 30
    assert NOVEMBER.unused_days(on) == unused


@pytest.mark.parametrize("end", [date(2026, 11, 1), date(2026, 10, 31)])
def test_a_period_without_a_day_is_refused(end):
    with pytest.raises(ValueError, match="end after it starts"):
        BillingPeriod(date(2026, 11, 1), end)


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [(datetime(2026, 11, 23, 22, 59, tzinfo=UTC), "Europe/Paris", date(2026, 11, 23)),
     (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), "Europe/Paris", date(2026, 11, 24)),
     (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), "Europe/Paris", date(2026, 7, 2)),
     (datetime(2026, 11, 23, 4, 59, tzinfo=UTC), "America/New_York", date(2026, 11, 22)),
     (datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "Pacific/Kiritimati", date(2026, 11, 24))],
)  # fmt: skip
def test_the_day_is_that_of_the_zone(instant, zone, day):
    assert local_day(instant, zone) == day


def test_a_naive_moment_has_no_day():
    with pytest.raises(ValueError, match="without a time zone"):
        local_day(datetime(2026, 11, 23, 12), "Europe/Paris")


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "", "../../etc/passwd", "/etc/passwd"])
def test_an_unknown_zone_is_refused(zone):
    with pytest.raises(ValueError, match="not a known time zone"):
        local_day(datetime(2026, 11, 23, 12, tzinfo=UTC), zone)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [(date(2027, 1, 31), date(2027, 2, 28), 28), (date(2027, 2, 28), date(2027, 3, 31), 31),
     (date(2027, 3, 31), date(2027, 4, 30), 30), (date(2028, 1, 31), date(2028, 2, 29), 29),
     (date(2028, 2, 29), date(2028, 3, 31), 31), (date(2028, 2, 29), date(2029, 2, 28), 365),
     (date(2028, 1, 1), date(2029, 1, 1), 366), (date(2100, 1, 1), date(2101, 1, 1), 365),
     (date(2000, 1, 1), date(2001, 1, 1), 366), (date(2026, 12, 31), date(2027, 1, 31), 31)],
)  # fmt: skip
def test_months_of_any_length_and_leap_years_are_counted_day_by_day(start, end, days):
    period = BillingPeriod(start, end)
    assert period.days == days
    assert period.unused_days(start) == days
    assert period.unused_days(period.last_day) == 1


@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_periods_anchored_on_the_31st_follow_each_other_without_a_day_lost_or_counted_twice(year):
    anchors = [date(year, month, monthrange(year, month)[1]) for month in range(1, 13)]
    periods = [BillingPeriod(*pair) for pair in pairwise(anchors)]
    assert sum(period.days for period in periods) == (anchors[-1] - anchors[0]).days
    for period, following in pairwise(periods):
        assert period.unused_days(following.start) == 0
        assert following.unused_days(following.start) == following.days


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [  # One instant, three days.
     (datetime(2026, 11, 30, 11, 0, tzinfo=UTC), "Pacific/Auckland", date(2026, 12, 1)),
     (datetime(2026, 12, 1, 9, 59, tzinfo=UTC), "Pacific/Honolulu", date(2026, 11, 30)),
     (datetime(2026, 12, 1, 10, 0, tzinfo=UTC), "Pacific/Honolulu", date(2026, 12, 1)),
     (datetime(2026, 11, 30, 11, 0, tzinfo=UTC), "UTC", date(2026, 11, 30)),
     # Summer time begins and ends: the hour that is skipped or repeated belongs to its day.
     (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), "Europe/Paris", date(2026, 3, 29)),
     (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), "Europe/Paris", date(2026, 3, 29)),
     (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), "Europe/Paris", date(2026, 3, 30)),
     (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), "Europe/Paris", date(2026, 10, 25)),
     (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), "Europe/Paris", date(2026, 10, 25)),
     (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), "Europe/Paris", date(2026, 10, 26)),
     # Midnight itself does not exist there on that day.
     (datetime(2018, 11, 4, 3, 0, tzinfo=UTC), "America/Sao_Paulo", date(2018, 11, 4)),
     (datetime(2018, 11, 4, 2, 59, tzinfo=UTC), "America/Sao_Paulo", date(2018, 11, 3)),
     # Samoa went from the 29th to the 31st.
     (datetime(2011, 12, 30, 9, 59, tzinfo=UTC), "Pacific/Apia", date(2011, 12, 29)),
     (datetime(2011, 12, 30, 10, 0, tzinfo=UTC), "Pacific/Apia", date(2011, 12, 31))],
)  # fmt: skip
def test_a_day_begins_and_ends_when_it_does_there(instant, zone, day):
    assert local_day(instant, zone) == day
    elsewhere = instant.astimezone(timezone(timedelta(hours=-7)))
    assert local_day(elsewhere, zone) == day


def test_a_month_with_a_day_of_23_hours_still_has_all_its_days():
    march = BillingPeriod(date(2026, 3, 1), date(2026, 4, 1))
    begin = datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    days = [local_day(begin + timedelta(hours=hour), "Europe/Paris") for hour in range(31 * 24 - 1)]
    assert sorted({march.unused_days(day) for day in days}) == list(range(1, 32))


@pytest.mark.parametrize(
    ("trial_end", "on", "days", "unused"),
    [(date(2026, 11, 8), date(2026, 11, 3), 23, 23),  # in the trial: all that was paid for is left
     (date(2026, 11, 8), date(2026, 11, 8), 23, 23), (date(2026, 11, 8), date(2026, 11, 9), 23, 22),
     (date(2026, 11, 8), date(2026, 11, 30), 23, 1), (date(2026, 11, 8), date(2026, 12, 1), 23, 0),
     (date(2026, 11, 1), date(2026, 11, 16), 30, 15),  # it ended before the period
     (date(2026, 10, 8), date(2026, 11, 16), 30, 15),
     (date(2026, 12, 1), date(2026, 11, 16), 0, 0),  # the period is nothing but a trial
     (date(2027, 1, 1), date(2026, 11, 16), 0, 0)],
)  # fmt: skip
def test_the_days_of_a_trial_do_not_count(trial_end, on, days, unused):
    period = BillingPeriod(NOVEMBER.start, NOVEMBER.end, trial_end)
    assert period.days == days
    assert period.unused_days(on) == unused


@pytest.mark.parametrize(
    ("trial_end", "last"),
    [(None, None), (date(2026, 10, 8), None), (date(2026, 11, 1), None),
     (date(2026, 11, 2), date(2026, 11, 1)), (date(2026, 11, 8), date(2026, 11, 7)),
     (date(2027, 1, 1), date(2026, 11, 30))],
)  # fmt: skip
def test_the_last_day_of_a_trial_is_inside_the_period(trial_end, last):
    assert BillingPeriod(NOVEMBER.start, NOVEMBER.end, trial_end).last_trial_day == last
