"""A file of people to invite (rule I4): taken in as a draft, confirmed once, sent by the worker a
chunk at a time. Who may use a file is whoever may invite into its account."""

import zlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from webapp import clock, outbox
from webapp.actions import invitations, limits
from webapp.actions.audit import record
from webapp.actions.inviting import Offer
from webapp.actions.uploads import rows
from webapp.database import transaction
from webapp.errors import Invalid, NotThere, Stale
from webapp.imports import people_columns, sheets
from webapp.imports.sheets import Sheet
from webapp.models import Account, Membership, OutboxMessage, Upload
from webapp.texts import cleaned, cleaned_note

MOST_BYTES = 20 * 1024 * 1024
# A draft that nobody confirms, and the rows of a file that was sent, are not kept for ever.
DRAFT_LASTS = timedelta(days=1)
RESULTS_LAST = timedelta(days=30)


def create(by: Membership, name: str, content: bytes, offer: Offer) -> Upload:
    """Takes a file in as a draft, instead of an earlier draft of the same person. Where its
    columns are recognised its rows are judged at once. Invalid names what is wrong with it."""
    if len(content) > MOST_BYTES:
        raise Invalid("size", field="file")
    try:
        sheet = sheets.read(content)
        headings, columns = _columns(sheet)
    except sheets.Unreadable as error:
        raise Invalid(error.code, field="file") from error
    now = clock.now()
    with transaction():
        invitations.ask_to_invite(by, offer.role)
        Upload.delete().where(
            Upload.account == by.account_id,
            Upload.inviter == by.user_id,
            Upload.status == "draft",
        ).execute()
        upload: Upload = Upload.create(
            account=by.account_id,
            inviter=by.user_id,
            name=cleaned(name, 100),
            headings=headings,
            content=zlib.compress(content),
            licence=offer.licence,
            role=offer.role,
            locale=offer.locale,
            note=cleaned_note(offer.note, 1000),
            created_at=now,
        )
        outbox.write("upload:forget", {"upload_id": upload.id}, leaves_at=now + DRAFT_LASTS)
    if columns:
        _judge(by, upload, sheet, columns)
    return upload


def _columns(sheet: Sheet) -> tuple[list[str], dict[str, int]]:
    """The headings, none where the first row is a person's, and the columns that are understood;
    none unless the address is among them."""
    _, first = next(sheet.rows(), (0, []))
    if not people_columns.is_heading(first):
        return [], ({"email": 0} if len(first) == 1 else {})
    columns = people_columns.recognised(first)
    return [cleaned(cell, 100) for cell in first], columns if "email" in columns else {}


def choose_columns(by: Membership, upload_id: int, columns: Mapping[str, int]) -> Upload:
    """Says which column of a draft holds what, and judges its rows anew."""
    upload = find(by.account, upload_id)
    if "email" not in columns:
        raise Invalid("email", field="email")
    _judge(by, upload, sheet_of(upload), columns)
    return find(by.account, upload_id)


def sheet_of(upload: Upload) -> Sheet:
    """The file of a draft; Stale when it was confirmed."""
    content: Any = Upload.select(Upload.content).where(Upload.id == upload.id).scalar()
    if content is None:
        raise Stale("upload")
    return sheets.read(zlib.decompress(bytes(content)))


def _judge(by: Membership, upload: Upload, sheet: Sheet, columns: Mapping[str, int]) -> None:
    """A file that cannot be read to its end leaves nothing behind."""
    try:
        total = rows.fill(by, upload, sheet, columns)
    except (Invalid, sheets.Unreadable) as error:
        Upload.delete().where(Upload.id == upload.id).execute()
        raise Invalid(error.code, field="file") from error
    Upload.update(columns=dict(columns), total=total).where(
        Upload.id == upload.id, Upload.status == "draft"
    ).execute()


def find(account: Account, upload_id: int) -> Upload:
    """The account's file of that id, or NotThere."""
    query = Upload.light().where(Upload.id == upload_id, Upload.account == account)
    upload: Upload | None = query.first()
    if upload is None:
        raise NotThere("upload")
    return upload


def under_way(account: Account) -> list[Upload]:
    """What is being sent, the newest first."""
    query = Upload.light().where(
        Upload.account == account, Upload.status.in_(("sending", "waiting"))
    )
    return list(query.order_by(Upload.id.desc()))


def newest(account: Account) -> list[Upload]:
    """The latest ones, for their results."""
    query = Upload.light().where(Upload.account == account, Upload.status != "draft")
    return list(query.order_by(Upload.id.desc()).limit(20))


def confirm(by: Membership, upload_id: int) -> Upload:
    """Begins to send a draft's ready rows; what is over the day's limit follows on other days.
    Stale when it was confirmed before, or nothing in it is ready."""
    with transaction():
        account = invitations.ask_to_invite(by)
        upload = find(account, upload_id)
        invitations.ask_to_invite(by, "admin" if rows.ask_for_admins(upload) else "member")
        ready = rows.counts(upload).get("ready", 0)
        changed = ready and _move(
            upload, ("draft",), status="sending", confirmed=ready, inviter=by.user_id, content=None
        )
        if not changed:
            raise Stale("upload")
        _send_on(account, upload.id, 0)
        record(by, "upload:confirmed", f"upload:{upload.id}", count=ready)
    return find(by.account, upload_id)


def resume(by: Membership, upload_id: int) -> Upload:
    """Another admin, or the same one again, goes on with what waits."""
    with transaction():
        account = invitations.ask_to_invite(by)
        upload = find(account, upload_id)
        invitations.ask_to_invite(by, "admin" if rows.ask_for_admins(upload) else "member")
        if not _move(upload, ("waiting",), status="sending", inviter=by.user_id):
            raise Stale("upload")
        _send_on(account, upload.id, upload.sent_to)
        record(by, "upload:resumed", f"upload:{upload.id}")
    return find(by.account, upload_id)


def cancel(by: Membership, upload_id: int) -> None:
    """What was not sent stays unsent; a draft is forgotten. Again changes nothing."""
    with transaction():
        account = invitations.locked_account(by)
        upload = find(account, upload_id)
        if upload.is_draft:
            Upload.delete().where(Upload.id == upload.id).execute()
        elif _move(upload, ("sending", "waiting"), status="canceled", ended_at=clock.now()):
            outbox.cancel(_next_chunk(upload.id, upload.sent_to))
            forget_later(upload.id)
            record(by, "upload:canceled", f"upload:{upload.id}", sent=upload.sent)
        elif upload.status != "canceled":
            raise Stale("upload")


def _move(upload: Upload, from_: tuple[str, ...], **changes: Any) -> bool:
    query = Upload.update(**changes).where(Upload.id == upload.id, Upload.status.in_(from_))
    return bool(query.execute())


def _send_on(account: Account, upload_id: int, after: int) -> None:
    now = clock.now()
    leaves_at = None if limits.left_today(account, now) else limits.day_ends_at(account, now)
    outbox.write("upload:send", {"upload_id": upload_id, "after": after}, leaves_at=leaves_at)


def hasten(account: Account) -> None:
    """The day's limit was moved: what waits for another day asks once more whether it may go."""
    for upload in under_way(account):
        outbox.hasten(_next_chunk(upload.id, upload.sent_to))


def _next_chunk(upload_id: int, after: int) -> Any:
    payload = {"upload_id": upload_id, "after": after}
    return (OutboxMessage.kind == "upload:send") & (OutboxMessage.payload == payload)


def forget_later(upload_id: int) -> None:
    leaves_at = clock.now() + RESULTS_LAST
    outbox.write("upload:forget", {"upload_id": upload_id}, leaves_at=leaves_at)


def forget(upload_id: int) -> bool:
    """Removes a draft that nobody confirmed, or what was sent long ago; the invitations stay."""
    is_old = Upload.ended_at <= clock.now() - RESULTS_LAST
    is_over = (Upload.status == "draft") | is_old
    return bool(Upload.delete().where((Upload.id == upload_id) & is_over).execute())
