"""The values that a line names, one kind of value a method; each refusal says where and why."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from invoices.money import LARGEST_MINOR
from invoices.periods import time_zone
from webapp import addresses, texts

MOST_OBJECTS = 500
FIRST_YEAR, LAST_YEAR = 1970, 2200
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RATE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*(%?)")


class RowRefused(Exception):
    """A line is not imported; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a line, or of one object inside it. `label` makes the name that the person
    knows a field by."""

    values: dict[str, Any]
    label: Callable[[str], str] = str

    def names(self, name: str) -> bool:
        return name in self.values

    def is_blank(self, name: str) -> bool:
        """Not named, or named with nothing in it."""
        return self.values.get(name) in (None, "")

    def refuse(self, name: str, why: str) -> RowRefused:
        return RowRefused(f"{self.label(name)}: {why}")

    def raw(self, name: str) -> str:
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.refuse(name, "must be text")
        return value.strip()

    def text(self, name: str, most: int) -> str:
        """One clean line."""
        text = texts.cleaned(self.raw(name), most + 1)
        if len(text) > most:
            raise self.refuse(name, f"is longer than {most} characters")
        return text

    def required(self, name: str, most: int) -> str:
        text = self.text(name, most)
        if not text:
            raise self.refuse(name, "is missing")
        return text

    def address(self, name: str = "email") -> str:
        text = self.raw(name)
        if not text:
            raise self.refuse(name, "is missing")
        try:
            return addresses.normalised(text)
        except ValueError:
            raise self.refuse(name, f"{shown(text)} is not a mail address") from None

    def minor(self, name: str) -> int | None:
        """A whole number of minor units; None when blank."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse(name, f"{shown(value)} is not a whole number of minor units")
        if value < 0:
            raise self.refuse(name, f"{shown(value)} is negative")
        if value > LARGEST_MINOR:
            raise self.refuse(name, "is too large")
        return value

    def day(self, name: str) -> date | None:
        text = self.raw(name)
        return self._day(name, text) if text else None

    def instant(self, name: str, zone: str) -> datetime | None:
        """A day (its first moment in `zone`) or a time, in `zone` unless it says otherwise."""
        text = self.raw(name)
        if not text:
            return None
        if _DAY.fullmatch(text):
            return first_moment(self._day(name, text), zone)
        try:
            found = datetime.fromisoformat(text)
            if found.tzinfo is None:
                found = found.replace(tzinfo=time_zone(zone))
            found = found.astimezone(UTC)
        except (ValueError, OverflowError):
            why = f"{shown(text)} is not a time such as 2026-11-30T14:05:00+01:00"
            raise self.refuse(name, why) from None
        self._within_years(name, found.year)
        return found

    def tax_rate(self, name: str, captured_minor: int, tax_minor: int | None) -> str | None:
        """Per cent as text. Below 1 and without a percent sign it is taken for a fraction when
        that fits the tax better."""
        value = self.values.get(name)
        if value in (None, ""):
            return None
        match = _RATE.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
        if match is None or Decimal(match[1]) > 100:
            raise self.refuse(name, f"{shown(value)} is not a rate in per cent such as 20 or 5.5")
        rate = Decimal(match[1])
        if rate < 1 and not match[2] and is_fraction(rate, captured_minor, tax_minor):
            rate *= 100
        return f"{rate.normalize():f}"

    def link(self, name: str) -> str:
        """An address of a web page."""
        text = self.raw(name)
        if not text:
            return ""
        try:
            parts = urlsplit(text)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            is_web = False
        if not is_web or not text.isprintable() or " " in text or len(text) > 2000:
            raise self.refuse(name, f"{shown(text)} is not an address such as https://example.org")
        return text

    def objects(self, name: str) -> "list[Fields]":
        """A list of objects, each with its place in the names of its fields."""
        listed = self.values.get(name)
        if listed is None:
            return []
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise self.refuse(name, "must be a list of objects")
        if len(listed) > MOST_OBJECTS:
            raise self.refuse(name, f"has more than {MOST_OBJECTS} entries")
        return [Fields(one, (f"{name}[{at}]." + "{}").format) for at, one in enumerate(listed)]

    def _day(self, name: str, text: str) -> date:
        try:
            if not _DAY.fullmatch(text):
                raise ValueError
            found = date.fromisoformat(text)
        except ValueError:
            raise self.refuse(name, f"{shown(text)} is not a day such as 2026-11-30") from None
        self._within_years(name, found.year)
        return found

    def _within_years(self, name: str, year: int) -> None:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise self.refuse(name, f"the year is not between {FIRST_YEAR} and {LAST_YEAR}")


def first_moment(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), time_zone(zone)).astimezone(UTC)


def is_fraction(rate: Decimal, captured_minor: int, tax_minor: int | None) -> bool:
    """Does 0.2 mean 20 %, seeing the tax inside what was captured?"""
    if tax_minor is None:
        return True
    as_fraction = captured_minor * rate / (1 + rate)
    as_percent = captured_minor * rate / (100 + rate)
    return abs(as_fraction - tax_minor) < abs(as_percent - tax_minor)


def shown(value: object) -> str:
    """As it may be repeated on a terminal: short and without control characters."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:39] + "…")
