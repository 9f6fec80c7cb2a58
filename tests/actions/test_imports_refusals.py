"""Importing: the lines that are refused, and why."""

from pathlib import Path
from typing import Any

import pytest

from tests.imports import import_csv, import_json, import_text
from webapp.actions.imports import CHUNK, Counts
from webapp.imports import files
from webapp.imports.fields import FIRST_YEAR
from webapp.models import Account, Invoice, LedgerTransfer, Membership, Payment, Subscription, User

pytestmark = pytest.mark.usefixtures("app")

GOOD = {
    "email": "camille@example.org",
    "currency": "EUR",
    "period_start": "2026-01-01",
    "period_end": "2027-01-01",
    "paid": "120.00",
    "tax": "20.00",
    "payment_reference": "pi_1",
}

CSV_REASONS: list[tuple[dict[str, str], str]] = [
    ({"email": ""}, "email: is missing"),
    ({"email": "camille"}, "email: 'camille' is not a mail address"),
    ({"email": "a@example.org, b@example.org"}, "is not a mail address"),
    ({"email": "mi\u212ae@example.org"}, "is not a mail address"),
    ({"name": "x" * 121}, "name: is longer than 120 characters"),
    ({"password_hash": "demonstration"}, "password_hash: is not a hash of a known form"),
    ({"password_hash": "$1$salt$md5crypt"}, "password_hash: is not a hash of a known form"),
    ({"locale": "de"}, "locale: 'de' is neither fr nor en"),
    ({"currency": "EURO"}, "currency: 'EURO' is not a currency"),
    ({"currency": "XTS"}, "currency: XTS is not a known currency"),
    ({"billing_zone": "Paris"}, "billing_zone: 'Paris' is not a time zone such as Europe/Paris"),
    ({"billing_zone": "../../etc/passwd"}, "billing_zone: "),
    ({"country": "FRA"}, "country: 'FRA' is not a country code of two letters"),
    ({"period_start": "01/01/2026"}, "period_start: '01/01/2026' is not a day such as 2026-11-30"),
    ({"period_start": "2026-02-30"}, "period_start: '2026-02-30' is not a day"),
    ({"period_start": "20260101"}, "period_start: '20260101' is not a day"),
    ({"period_start": "0001-01-01"}, f"period_start: the year is not between {FIRST_YEAR}"),
    ({"period_start": ""}, "period_start: is missing"),
    ({"period_end": ""}, "period_end: is missing"),
    ({"period_end": "2026-01-01"}, "period_end: 2026-01-01 is not after period_start"),
    ({"paid": "12,5"}, "paid: '12,5' is not an amount such as 120.00"),
    ({"paid": "-1"}, "paid: '-1' is negative"),
    ({"paid": "1.005"}, "paid: '1.005' has too many decimals: EUR has 2"),
    ({"currency": "JPY"}, "paid: '120.00' has too many decimals: JPY has 0"),
    ({"paid": "9" * 30}, "is too large"),
    ({"paid": "1e3"}, "paid: '1e3' is not an amount"),
    ({"paid": ""}, "tax: there is no amount paid that it could be in"),
    ({"tax": "120.01"}, "tax: is more than was paid"),
    ({"tax_rate": "a fifth"}, "tax_rate: 'a fifth' is not a rate in per cent"),
    ({"tax_rate": "120"}, "tax_rate: '120' is not a rate in per cent"),
    ({"paid_at": "yesterday"}, "paid_at: 'yesterday' is not a time such as"),
    ({"paid_at": "9999-12-31T23:59:59-14:00"}, "paid_at: "),
    ({"payment_reference": "x" * 201}, "payment_reference: is longer than 200 characters"),
    ({"invoice_date": "30.12.2025"}, "invoice_date: '30.12.2025' is not a day"),
    ({"owed": "12.00"}, "owed_number: is missing"),
    ({"owed": "12.00", "owed_number": "F-2", "owed_due": "soon"}, "owed_due: 'soon' is not a day"),
]

JSON_REASONS: list[tuple[Any, str]] = [
    ([], "is not a JSON object such as"),
    ({"email": 7}, "email: must be text"),
    ({"email": None}, "email: is missing"),
    ({"name": ["Camille"]}, "name: must be text"),
    ({"payments": {}}, "payments: must be a list of objects"),
    ({"payments": [7]}, "payments: must be a list of objects"),
    ({"payments": [{}]}, "payments[0].reference: is missing"),
    ({"payments": [{"reference": "a"}]}, "payments: 'a' is new and has no captured_minor"),
    (
        {"payments": [{"reference": "a", "captured_minor": 12.5}]},
        "payments[0].captured_minor: '12.5' is not a whole number of minor units",
    ),
    (
        {"payments": [{"reference": "a", "captured_minor": True}]},
        "payments[0].captured_minor: 'True' is not a whole number of minor units",
    ),
    ({"payments": [{"reference": "a", "captured_minor": -1}]}, "'-1' is negative"),
    ({"payments": [{"reference": "a", "captured_minor": 10**30}]}, "is too large"),
    (
        {"payments": [{"reference": "a", "captured_minor": 9, "gateway": "paypal"}]},
        "payments[0].gateway: 'paypal' is none of simulated, stripe, none",
    ),
    (
        {"payments": [{"reference": "a", "captured_minor": 9}] * 2},
        "payments: the reference 'a' is there twice",
    ),
    ({"invoices": [{"number": "F-1"}]}, "invoices: 'F-1' is new and has no total_minor"),
    (
        {"invoices": [{"number": "F-1", "total_minor": 5, "paid_minor": 6}]},
        "invoices[0].paid_minor: is more than the total",
    ),
    (
        {"invoices": [{"number": "F-1", "total_minor": 5, "pay_url": "javascript:alert(1)"}]},
        "invoices[0].pay_url: 'javascript:alert(1)' is not an address such as https://",
    ),
    ({"other_users": ["bob@example.org"]}, "other_users: must be a list of objects"),
    ({"other_users": [{"email": "bob"}]}, "other_users[0].email: 'bob' is not a mail address"),
    ({"other_users": [{"email": "camille@example.org"}]}, "is there twice"),
]


def counts_of_everything() -> list[int]:
    models = (User, Account, Membership, Subscription, Payment, Invoice, LedgerTransfer)
    return [model.select().count() for model in models]


@pytest.mark.parametrize(("changes", "reason"), CSV_REASONS)
def test_a_line_of_csv_is_refused_with_its_reason_and_the_others_are_kept(
    changes: dict[str, str], reason: str
) -> None:
    counts, reasons = import_csv(
        {"email": "first@example.org"}, {**GOOD, **changes}, {"email": "last@example.org"}
    )

    assert counts == Counts(imported=2, refused=1)
    assert list(reasons) == [3]
    assert reason in reasons[3]
    assert counts_of_everything() == [2, 2, 2, 0, 0, 0, 0]


@pytest.mark.parametrize(("changes", "reason"), JSON_REASONS)
def test_a_line_of_json_is_refused_with_its_reason(changes: Any, reason: str) -> None:
    plan = {"period_start": "2026-01-01", "period_end": "2027-01-01"}
    base = {"email": "camille@example.org", **plan}
    line = {**base, **changes} if isinstance(changes, dict) else changes
    counts, reasons = import_json({"email": "first@example.org"}, line)

    assert counts == Counts(imported=1, refused=1)
    assert list(reasons) == [2]
    assert reason in reasons[2]
    assert counts_of_everything() == [1, 1, 1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "is not well-formed JSON"),
        ("[" * 100_000, "is not well-formed JSON"),
        ('{"email": NaN}', "is not well-formed JSON"),
        ('{"email": "a@example.org", "name": "\\ud800"}', ""),
    ],
)
def test_broken_json_is_one_refused_line(text: str, reason: str) -> None:
    counts, reasons = import_text(f'{text}\n{{"email": "b@example.org"}}\n', "people.jsonl")

    assert counts.imported + counts.refused == 2
    assert reasons.get(1, "").startswith(reason)


def test_a_person_named_twice_is_refused_the_second_time() -> None:
    counts, reasons = import_csv(GOOD, {"email": "CAMILLE@example.org"}, {"email": "b@example.org"})

    assert counts == Counts(imported=2, refused=1)
    assert reasons == {3: "email: 'camille@example.org' is on line 2 already"}


def test_another_user_of_two_accounts_is_refused_the_second_time() -> None:
    bob = {"other_users": [{"email": "bob@example.org"}]}
    counts, reasons = import_json(
        {"email": "a@example.org", **bob}, {"email": "b@example.org", **bob}
    )

    assert counts == Counts(imported=1, refused=1)
    assert reasons == {2: "other_users: 'bob@example.org' is on line 1 already"}


@pytest.mark.parametrize("at_once", [True, False])
def test_a_gateway_s_payment_belongs_to_one_account(at_once: bool) -> None:
    other = {**GOOD, "email": "other@example.org"}
    if at_once:
        counts, reasons = import_csv(GOOD, other, {"email": "third@example.org"})
        assert counts == Counts(imported=2, refused=1)
    else:
        import_csv(GOOD)
        counts, reasons = import_csv({"email": "third@example.org"}, other)
        assert counts == Counts(imported=1, refused=1)
    assert list(reasons.values()) == ["payments: 'pi_1' is a payment of another account"]
    assert Payment.select().count() == LedgerTransfer.select().count() == 1
    assert not User.select().where(User.email == "other@example.org").exists()


def test_a_change_that_fails_leaves_nothing_of_its_line() -> None:
    import_csv(GOOD, {"email": "b@example.org", "name": "Before"})

    counts, reasons = import_csv({**GOOD, "email": "b@example.org", "name": "After"})

    assert (counts, list(reasons)) == (Counts(refused=1), [2])
    assert not User.select().where(User.name == "After").exists()
    assert Subscription.select().count() == 1


def test_somebody_of_another_account_can_t_be_another_user() -> None:
    import_csv(GOOD)

    line = {"email": "b@example.org", "other_users": [{"email": GOOD["email"]}]}
    counts, reasons = import_json(line)

    assert counts == Counts(refused=1)
    assert reasons == {1: "other_users: 'camille@example.org' belongs to another account"}


def test_a_payment_never_changes_its_currency() -> None:
    import_csv(GOOD)

    for line in ({**GOOD, "currency": "USD"}, {"email": GOOD["email"], "currency": "USD"}):
        _, reasons = import_csv(line)
        assert reasons == {2: "payments: 'pi_1' was paid in EUR, which can't become USD"}
    assert Subscription.get().currency == "EUR"


def test_simulated_payments_are_refused_where_money_is_real() -> None:
    line = {
        "email": "a@example.org",
        "period_start": "2026-01-01",
        "period_end": "2027-01-01",
        "payments": [{"reference": "a", "captured_minor": 1, "gateway": "simulated"}],
    }
    _, reasons = import_json(line, gateway="stripe")

    assert reasons == {1: "payments[0].gateway: 'simulated' is for development and tests only"}


def test_more_lines_than_a_chunk_arrive_whole() -> None:
    people = [
        {**GOOD, "email": f"p{n}@example.org", "payment_reference": f"pi_{n}"}
        for n in range(2 * CHUNK + 7)
    ]
    people[CHUNK]["paid"] = "much"

    counts, reasons = import_csv(*people)

    assert counts == Counts(imported=2 * CHUNK + 6, refused=1)
    assert list(reasons) == [CHUNK + 2]
    assert Payment.select().count() == LedgerTransfer.select().count() == 2 * CHUNK + 6
    people[CHUNK]["paid"] = "120.00"
    assert import_csv(*people)[0] == Counts(imported=1, unchanged=2 * CHUNK + 6)


@pytest.mark.parametrize(
    ("rate", "tax", "stored", "tax_minor"),
    [
        ("20", "20.00", "20", 2000),
        ("5.50", "6.26", "5.5", 626),
        ("20%", "20.00", "20", 2000),
        ("0.2", "20.00", "20", 2000),
        ("0.2", "", "20", 2000),
        ("0.2", "0.24", "0.2", 24),
        ("20", "", "20", 2000),
        ("", "20.00", None, 2000),
        ("0", "0", "0", 0),
    ],
)
def test_a_tax_rate_is_per_cent_or_a_fraction_that_fits(
    rate: str, tax: str, stored: str | None, tax_minor: int
) -> None:
    assert import_csv({**GOOD, "tax_rate": rate, "tax": tax})[0] == Counts(imported=1)

    payment = Payment.get()
    assert (payment.tax_rate, payment.tax_minor) == (stored, tax_minor)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_files_of_any_system_are_read(newline: str, mark: str, delimiter: str) -> None:
    rows = ["Email,Name", 'a@example.org,"Ann\nBee"', "", "b@example.org", "nobody,x"]
    text = newline.join(row.replace(",", delimiter).replace("\n", newline) for row in rows)

    counts, reasons = import_text(mark + text, "people.csv")

    assert counts == Counts(imported=2, refused=1)
    assert reasons == {6: "email: 'nobody' is not a mail address"}
    assert User.get(User.email == "a@example.org").name == "Ann Bee"


def test_a_line_with_more_cells_than_the_heading_is_refused() -> None:
    _, reasons = import_text('email,name\na@example.org,"A",1\nb@example.org,"B"x\n', "p.csv")

    assert reasons[2] == "has 3 cells, and the heading 2"
    assert reasons[3].startswith("is not well-formed CSV")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no column “email”"),
        (b"name\nCamille\n", "has no column “email”"),
        (b"email,name,email\n", "has the column “email” twice"),
        (b'email,""name"\na@example.org,A\n', "has a heading row that is not well-formed"),
        ("email,name\na@example.org,Hélène\n".encode("latin-1"), "is not UTF-8 text (see line 2)"),
        ("email\na@example.org\n".encode("utf-16"), "is not UTF-8 text (see line 1)"),
        (b"email\na@example.org\n\xc3", "ends in the middle of a character"),
    ],
)
def test_a_file_that_can_t_be_read_is_refused_whole(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)

    with pytest.raises(files.Unreadable) as refusal:
        _ = files.lines_in(path), files.read(path)
    assert sentence in str(refusal.value)


def test_unknown_columns_are_named_and_ignored(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,shoe size,\na@example.org,43,\n")

    lines, unknown = files.read(path)

    assert unknown == ["shoe size"]
    assert [line.fields for line in lines] == [{"email": "a@example.org"}]
