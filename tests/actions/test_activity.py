"""The activity: what is told, to whom, in which words; filters, paging, the file."""

import csv
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from peewee import DatabaseError

from tests.client import Browser, words_of
from tests.people import Cast, invite
from webapp import clock
from webapp.actions import invitations
from webapp.actions.activity import AT_ONCE, GROUPS
from webapp.database import database
from webapp.models import AuditEvent, Invitation, User
from webapp.views.told import TOLD

SOURCES = Path(__file__).resolve().parents[2] / "webapp"
# Of the seller, of a person's own money, of a sign-in, or a mere copy: no organisation is told.
HIDDEN = {
    "acceptance:confirmed",
    "authenticator:added",
    "authenticator:removed",
    "factors:forgotten",
    "invoice:copied",
    "membership:removed",
    "message:discarded",
    "message:retried",
    "month:reconciled",
    "operator:created",
    "passkey:added",
    "passkey:doubted",
    "passkey:removed",
    "password:changed",
    "recovery-code:used",
    "recovery-codes:made",
    "person:erased",
    "refund:consent-asked",
    "refund:handed-over",
    "refund:paid-by-hand",
    "refund:retried",
    "report:made",
    "report:seen",
    "report:taken-back",
}


def shown(browser: Browser, query: str = "") -> list[str]:
    """The sentences on the page, in its order."""
    page = browser.get(f"/activity{query}")
    assert page.status_code == 200
    events = re.search(r'(?s)id="events">(.*?)</ol>', page.text)
    found = re.findall(r"(?s)<li[^>]*>\s*<p>(.*?)</p>", events[1] if events else "")
    return [re.sub(r"<[^>]*>", "", each) for each in found]


def test_every_kind_that_is_recorded_is_told_or_hidden_on_purpose() -> None:
    recorded = {
        kind
        for path in (SOURCES / "actions").rglob("*.py")
        for kind in re.findall(
            r"(?:record(?:_all)?\(|_record\(|_tell\(|_send_anew\(|kind=)[^)]*?\"(\w+:[\w-]+)\"",
            path.read_text(),
        )
        if not kind.startswith(("mail:", 'credit:push"', "subscription:"))
    }
    told = {kind for _, kinds in GROUPS.values() for kind in kinds}

    assert len(recorded) > 15
    assert recorded <= told | HIDDEN, "say it in GROUPS and TOLD, or hide it here"
    assert told | {each for each in recorded if each.startswith("invitation:")} <= set(TOLD)
    assert not told & HIDDEN


def test_what_was_done_is_told_in_words_the_newest_first(cast: Cast, day: Any) -> None:
    owner = cast.membership("owner")
    day.shift(timedelta(minutes=1))
    tom = invite(cast.users["owner"], "Tom Roy <tom@example.org>")
    day.shift(timedelta(minutes=1))
    invitations.mend(owner, tom.id, "tom@example.com")
    day.shift(timedelta(minutes=1))
    invitations.decline(tom, "no")
    day.shift(timedelta(minutes=1))
    cast.browser("admin").post("/settings", recommendation="credit", locale="fr")

    assert shown(cast.browser("owner")) == [
        "Hugo changed the settings: refund or credit, first reminder, second reminder, last"
        " reminder.",
        "Tom Roy declined.",
        "Claire corrected the address and sent a new link to Tom Roy.",
        "Claire invited Tom Roy.",
        "Hugo invited zoe@example.org.",
    ]


def test_it_is_told_in_french_too(cast: Cast) -> None:
    User.update(locale="fr").execute()

    assert shown(cast.browser("owner")) == ["Hugo a invité zoe@example.org."]


def test_another_organisation_sees_its_own_only(cast: Cast) -> None:
    assert shown(cast.browser("foreign owner")) == ["Rose invited max@example.org."]


def tell(cast: Cast, kind: str, subject: str = "x:1", **facts: Any) -> None:
    AuditEvent.create(
        at=clock.now(), account=cast.organisation, kind=kind, subject=subject, facts=facts
    )


def test_admins_are_not_told_of_billing_and_nobody_of_a_persons_money(cast: Cast) -> None:
    tell(cast, "invoice:paid", number="F-7")
    tell(cast, "credit:pushed", amount_minor=4997, currency="EUR")
    for kind in HIDDEN:
        tell(cast, kind)

    assert shown(cast.browser("owner"))[:2] == [
        "€49.97 of credit went to billing.",
        "Invoice F-7 was paid.",
    ]
    for query in ("", "?kind=billing"):
        words = " ".join(shown(cast.browser("admin"), query))
        assert "F-7" not in words
        assert "49.97" not in words
    assert len(shown(cast.browser("owner"))) == 3


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?q=zoe", 1),
        ("?q=HUGO", 1),
        ("?q=claire", 2),
        ("?q=tom+roy", 1),
        ("?q=nobody", 0),
        ("?q=%25", 0),
        ("?kind=invitations", 3),
        ("?kind=settings", 0),
        ("?from=2026-11-23&to=2026-11-23", 3),
        ("?from=2026-11-24", 0),
        ("?to=2026-11-22", 0),
    ],
)
def test_it_is_filtered_by_person_kind_and_day(cast: Cast, query: str, count: int) -> None:
    invite(cast.users["owner"], "Tom Roy <tom@example.org>")
    invite(cast.users["owner"], "Léa Bon <lea@example.org>")

    assert len(shown(cast.browser("owner"), query)) == count


@pytest.mark.parametrize("query", ["?from=yesterday", "?from=2026-11-24&to=2026-11-23", "?kind=x"])
def test_a_filter_that_cannot_be_read_says_so(cast: Cast, query: str) -> None:
    page = cast.browser("owner").get(f"/activity{query}")

    assert page.status_code == 422
    assert 'aria-invalid="true"' in page.text


@pytest.mark.parametrize("after", ["x", "1~", "~1", "nan~1", "1~0", "1e999~1", f"1~{2**63}"])
def test_a_key_of_nonsense_is_the_first_page(cast: Cast, after: str) -> None:
    assert len(shown(cast.browser("owner"), f"?after={after}")) == 1


def test_pages_follow_each_other_without_a_gap(cast: Cast, day: Any) -> None:
    emails = " ".join(f"p{at:03}@example.org" for at in range(AT_ONCE + 10))
    cast.browser("owner").post("/invitations", emails=emails, confirmed="yes")
    browser, address, seen = cast.browser("owner"), "/activity", list[str]()
    for _ in range(2):
        page = browser.get(address)
        seen += shown(browser, address.removeprefix("/activity"))
        more = re.search(r'href="(/activity\?after=[^"]+)"', page.text)
        address = more[1] if more else ""

    assert address == ""
    assert len(seen) == len(set(seen)) == AT_ONCE + 11


def test_the_file_has_every_page_and_no_formula(cast: Cast) -> None:
    emails = " ".join(f"p{at:03}@example.org" for at in range(AT_ONCE + 5))
    cast.browser("owner").post("/invitations", emails=emails, confirmed="yes")
    Invitation.update(name='=HYPERLINK("x")').where(
        Invitation.email == "p001@example.org"
    ).execute()

    answer = cast.browser("owner").get("/activity.csv")

    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="activity.csv"'
    heading, *rows = csv.reader(StringIO(answer.get_data(as_text=True).removeprefix("\ufeff")))
    assert heading == ["When (UTC)", "Who", "Address", "To whom", "What", "Kind"]
    assert len(rows) == AT_ONCE + 6
    assert ["2026-11-23 09:15:00", "Hugo", "hugo@dumas.example"] in [row[:3] for row in rows]
    assert [row[3] for row in rows if "HYPERLINK" in row[3]] == ['\'=HYPERLINK("x")']
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_the_file_keeps_to_the_filter(cast: Cast) -> None:
    answer = cast.browser("owner").get("/activity.csv?q=nobody")

    assert answer.get_data(as_text=True).count("\n") == 1


@pytest.mark.parametrize(
    "verb", ["UPDATE audit_event SET kind = 'x'", "DELETE FROM audit_event WHERE id > 0"]
)
def test_the_database_refuses_to_change_what_happened(cast: Cast, verb: str) -> None:
    with pytest.raises(DatabaseError, match="audit: events only grow"), database.atomic():
        database.execute_sql(verb)
    assert AuditEvent.select().exists()


def test_the_page_says_so_when_nothing_matches(cast: Cast) -> None:
    page = words_of(cast.browser("owner").get("/activity?q=nobody"))

    assert "Nothing matches this filter." in page
    assert "Download" not in page
