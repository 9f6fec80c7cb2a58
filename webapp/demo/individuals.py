"""Individuals on free, monthly and yearly plans, brought in as an import brings them."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Any

from webapp import clock
from webapp.actions.imports import Import, Sources
from webapp.imports.files import Line
from webapp.imports.rows import Defaults
from webapp.payments import simulated
from webapp.policy import policy

FREE = "ines.faure@mail.example"
YEARLY = "camille.roux@mail.example"
OWING = "theo.marchand@mail.example"
JOINED = "anais.garnier@mail.example"


def load(password_hash: str) -> None:
    bring_in(password_hash, told(clock.today(policy().billing_zone)))


def bring_in(password_hash: str, people: list[dict[str, Any]]) -> None:
    """Raises ValueError with the reason when a line would be refused."""
    settings = policy()
    is_simulated = settings.payments == "simulated"
    sources = Sources(
        Defaults("fr", "EUR", settings.billing_zone, settings.payments),
        simulated.capture if is_simulated else None,
    )
    lines = (
        Line(number, {"password_hash": password_hash, **values}, is_json=True)
        for number, values in enumerate(people, start=1)
    )
    Import(sources, _refused).run(lines)


def told(today: date) -> list[dict[str, Any]]:
    """The people's lines; the days are such that there is something left of every plan."""
    year, month = (today - timedelta(days=120), 12), (today - timedelta(days=11), 1)
    earlier = (today - timedelta(days=19), 1)
    return [
        person(FREE, "Inès Faure"),
        person("sam.taylor@mail.example", "Sam Taylor", locale="en"),
        person(YEARLY, "Camille Roux", *year, paid=[18739]),
        person(OWING, "Théo Marchand", *month, paid=[1800], owed=1800),
        person("lea.fontaine@mail.example", "Léa Fontaine", *earlier, paid=[1800]),
        person("marc.oliveira@mail.example", "Marc Oliveira", *year, paid=[18000, 3600]),
        person(JOINED, "Anaïs Garnier", *earlier, paid=[2400]),
    ]


def person(
    email: str,
    name: str,
    start: date | None = None,
    months: int = 0,
    paid: list[int] | None = None,
    owed: int = 0,
    locale: str = "fr",
    by_hand: bool = False,
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "email": email,
        "name": name,
        "locale": locale,
        "currency": "EUR",
        "address": "12 rue des Tanneurs\n59000 Lille",
        "country": "FR",
    }
    if start is None:
        return values
    number = f"F-{start:%Y-%m}-{name.split()[0][:2].upper()}"
    return {
        **values,
        "plan": "yearly" if months == 12 else "monthly",
        "period_start": start.isoformat(),
        "period_end": after(start, months).isoformat(),
        "payments": [
            _payment(f"{number}-{at}", start + timedelta(days=30 * at), minor, by_hand)
            for at, minor in enumerate(paid or ())
        ],
        "invoices": [_unpaid(f"{number}-9", start, owed)] if owed else [],
    }


def _payment(number: str, day: date, minor: int, by_hand: bool) -> dict[str, Any]:
    """By card, or by a bank transfer that no gateway saw."""
    way = {"method": "", "gateway": "none"} if by_hand else {"method": "Visa •••• 4242"}
    return {
        **way,
        "reference": f"demo_{number}",
        "captured_minor": minor,
        "tax_rate": "20",
        "captured_at": day.isoformat(),
        "invoice_number": number,
    }


def _unpaid(number: str, start: date, minor: int) -> dict[str, Any]:
    return {
        "number": number,
        "issued_on": start.isoformat(),
        "due_on": (start + timedelta(days=14)).isoformat(),
        "total_minor": minor,
        "tax_minor": minor // 6,
        "pay_url": f"{policy().base_url}/dev/pay/{number}",
    }


def after(start: date, months: int) -> date:
    """The same day some months later, or the last day of that month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _refused(number: int, reason: str) -> None:
    raise ValueError(f"demo line {number}: {reason}")
