"""An organisation, its people and their money, all told in given words; and everything that leaves
the program then: every page and file that a route gives, every mail, every document."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from itertools import cycle
from pathlib import Path

from peewee import Model
from werkzeug.test import TestResponse

from tests.apps import make_app
from tests.books import render_all
from tests.client import Browser
from tests.databases import fresh_sqlite
from tests.drills.hostile_stage import quick_hashes, roles_for
from tests.drills.live import drain
from tests.failed import failed_refund
from tests.joined import join, make_person
from tests.people import Cast, invite, make_cast, on_the_day
from tests.smtp import parsed
from tests.views.test_access import address_of, draft, invoice, keep_mail
from webapp import clock, mailer, outbox
from webapp.actions import disputes, reminders, reporting, settlements, undo
from webapp.database import database
from webapp.models import (
    Acceptance,
    Account,
    Invitation,
    Invoice,
    KeptMail,
    Membership,
    Passkey,
    Payment,
    Refund,
    Settlement,
    Statement,
    Upload,
    UploadRow,
    User,
)
from webapp.permissions import PUBLIC, declaration_of

# What of each people write, or somebody else's program does.
WRITTEN: dict[type[Model], tuple[str, ...]] = {
    Account: ("name", "address", "tax_id", "recommendation_note"),
    User: ("name",),
    Membership: ("department", "job_title", "location"),
    Invitation: (
        *("name", "department", "job_title", "location", "note", "report"),
        *("decline_reason", "delivery_note"),
    ),
    Payment: ("method", "invoice_number"),
    Invoice: ("number",),
    Upload: ("name", "note"),
    UploadRow: ("name", "department", "job_title", "location"),
    Refund: ("reason", "bank_reference"),
    Passkey: ("name",),
}
QUERIES = {"journal.show": {"month": "2026-11"}}
# Of the organisation's invitations, so that a word is nearly everywhere once.
INVITED = 24


@dataclass
class Told:
    """What left: answers by route and role, mails by number and recipient, documents by number; and
    what the organisation was called, and who joined it, when statements were issued."""

    organisation: str = ""
    joined: set[str] = field(default_factory=set)
    answers: dict[str, TestResponse] = field(default_factory=dict)
    mails: dict[str, EmailMessage] = field(default_factory=dict)
    documents: dict[str, bytes] = field(default_factory=dict)


def told_in(words: list[str], folder: Path, is_printed: bool) -> Told:
    """Always the same people and numbers, whatever the words are. Printing takes long."""
    app = make_app(fresh_sqlite(folder))
    mailer.install(app)
    given, told = cycle(words), Told()
    with app.app_context(), on_the_day(), quick_hashes():
        keep_mail()
        cast = make_cast(app)
        _people(cast)
        _write(given)
        _money(cast)
        told.organisation = Account.get_by_id(cast.organisation.id).name
        told.joined = {one.user.name for one in Acceptance.select()}
        _events(cast)
        if not is_printed:
            render_all()
        drain()
        _answers(cast, told)
        for kept in KeptMail.select().where(KeptMail.message_id != "1"):
            told.mails[f"{kept.message_id} to {kept.recipient}"] = parsed(bytes(kept.content))
        for one in Statement.select().where(Statement.pdf.is_null(False)):
            told.documents[one.number] = bytes(one.pdf)
    database.close()
    return told


def _people(cast: Cast) -> None:
    owner = cast.users["owner"]
    for number in range(INVITED):
        invite(owner, f"invited{number}@example.org", name="x", note="x", department="x")
    Invitation.update(status="declined", answered_at=clock.now(), decline_reason="x").where(
        Invitation.email == "invited1@example.org"
    ).execute()
    draft(cast)
    invoice(cast)
    Passkey.create(user=owner, credential_id="x", public_key="", name="x", created_at=clock.now())
    for number in range(3):
        make_person(f"joins{number}@example.org")


def _write(words: Iterator[str]) -> None:
    """Past all forms: what they clean away is not relied on."""
    for model, names in WRITTEN.items():
        for row in model.select().order_by(model._meta.primary_key):
            values = {name: next(words) for name in names if getattr(row, name) is not None}
            if "note" in values:  # whose lines are paragraphs
                values["note"] = " ".join(values["note"].splitlines())
            model.update(**values).where(model._meta.primary_key == row.get_id()).execute()


def _money(cast: Cast) -> None:
    """Words of this moment are in what is issued."""
    joined = []
    for number, choice in enumerate(("refund", "credit", "credit")):
        user = User.get(User.email == f"joins{number}@example.org")
        joined.append(join(user, cast.organisation, choice))
        if number < 2:
            undo.send_now(user, joined[-1].id)
    undo.undo(joined[-1].user, joined[-1].id)
    settlements.release(Settlement.get(Settlement.acceptance == joined[1]).id)
    failed_refund("failed@example.org", cast.organisation)


def _events(cast: Cast) -> None:
    """Whatever people are told by mail, now."""
    now, yesterday = clock.now(), clock.now() - timedelta(days=1)
    owner, seller = cast.users["owner"].id, cast.users["operator"].id
    late, reported, told = (
        Invitation.get(Invitation.email == f"invited{number}@example.org") for number in (2, 3, 4)
    )
    Invitation.update(expires_at=yesterday).where(Invitation.id == late.id).execute()
    Invitation.update(reported_at=now).where(Invitation.id == reported.id).execute()
    refused, arrived = Refund.get(Refund.state == "failed"), Refund.get(Refund.state != "failed")
    of_credit = {"credits": [["EUR", 1, 4997]], "account_id": cast.organisation.id}
    disputes.note(arrived.payment, True)
    for kind, payload in (
        ("mail:renewal", {"invitation_id": late.id, "user_id": owner}),
        ("mail:seat-free", {"invitation_id": told.id}),
        ("mail:reported", {"invitation_id": reported.id, "user_id": seller}),
        ("mail:answers", {"user_id": owner, "account_id": cast.organisation.id,
                          "invitation_ids": [one.id for one in Invitation.select()]}),
        ("mail:unshared", {"user_id": cast.users["invitee"].id, "owner_id": owner}),
        ("mail:departed", {"membership_id": _ended(cast).id, "is_removed": True}),
        ("mail:refund-failed", {"refund_id": refused.id}),
        ("mail:refunds-failed", {"refund_ids": [refused.id], "count": 1, "user_id": seller,
                                 "account_id": cast.membership("operator").account_id}),
        ("mail:credit-available", {"user_id": owner, **of_credit}),
        ("mail:month", {"user_id": owner, **of_credit, "month": "2026-10"}),
        ("mail:password", {"user_id": owner}),
        ("mail:factor", {"user_id": owner, "change": "passkey:added"}),
    ):  # fmt: skip
        about = told if kind == "mail:seat-free" else None
        outbox.write(kind, payload, invitation=about)


def _ended(cast: Cast) -> Membership:
    removed = cast.users["removed member"]
    found: Membership = Membership.get(
        Membership.user == removed, Membership.account == cast.organisation
    )
    return found


def _answers(cast: Cast, told: Told) -> None:
    """Of every route that shows anything, to each kind of people who may see it."""
    browsers: dict[str, Browser] = {}
    values = {
        "number": Statement.get(Statement.kind == "credit").number,
        "refund_id": Refund.get(Refund.state == "failed").id,
    }
    tokens = {"reports.show": reporting, "reminders.show": reminders}
    for rule in sorted(cast.app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static":
            continue
        own = {**values}
        if rule.endpoint in tokens:
            own["token"] = tokens[rule.endpoint].token_of(cast.invitation)
        path = address_of(cast.app, rule.endpoint, cast, **own)
        declared = declaration_of(cast.app.view_functions[rule.endpoint])
        for role in ("link holder",) if declared == PUBLIC else roles_for(declared):
            if role not in browsers:
                browsers[role] = cast.browser(role)
            query = QUERIES.get(rule.endpoint, {})
            # Read at once: files leave while they are made.
            answer = browsers[role].get(path, query_string=query, buffered=True)
            told.answers[f"{rule.endpoint} to {role}"] = answer
