"""Sending a confirmed file, a chunk at a time. The chunk moves the file's `sent_to` forward in its
own transaction, so a message that comes again finds nothing left to do."""

from datetime import datetime
from typing import Any

from webapp import clock, outbox
from webapp.actions import invitations, limits
from webapp.actions.inviting import Asked, Offer, write
from webapp.actions.previews import known
from webapp.actions.uploads import forget_later
from webapp.actions.uploads import rows as rows_of
from webapp.database import forget_plans, locked, transaction
from webapp.models import Account, Invitation, Membership, Upload, UploadRow
from webapp.models.invitation import pending_from
from webapp.permissions import GRANT_ADMIN, may

# So few that mails which somebody sits and waits for are not held up behind them.
CHUNK = 1000


def send(upload_id: int, after: int) -> bool:
    """Invites the next rows after that line, and asks for the chunk that follows: at once, or when
    the day's limit ends. False when there was nothing to do any more."""
    with transaction():
        forget_plans()
        query = Upload.light().where(Upload.id == upload_id)
        upload: Upload | None = query.first()
        if upload is None:
            return False
        account: Account = locked(Account.select().where(Account.id == upload.account_id)).get()
        upload = query.get()
        if upload.status != "sending" or upload.sent_to != after:
            return False
        by = _inviter(upload)
        if by is None:
            Upload.update(status="waiting").where(Upload.id == upload.id).execute()
            return True
        now = clock.now()
        left = limits.left_today(account, now)
        if left:
            _send_rows(by, account, upload, min(left, CHUNK), now)
        else:
            _go_on(upload.id, after, limits.day_ends_at(account, now))
    return True


def _inviter(upload: Upload) -> Membership | None:
    """Whoever confirmed the file, if they may still invite whom it asks for."""
    by: Membership | None = Membership.get_or_none(
        (Membership.user == upload.inviter_id)
        & (Membership.account == upload.account_id)
        & Membership.ended_at.is_null()
    )
    if by is None or invitations.why_not_inviting(by):
        return None
    if not may(by, GRANT_ADMIN) and rows_of.ask_for_admins(upload):
        return None
    return by


def _send_rows(by: Membership, account: Account, upload: Upload, most: int, now: datetime) -> None:
    query: Any = UploadRow.select().where(UploadRow.upload == upload, UploadRow.verdict == "ready")
    rows = list(query.order_by(UploadRow.line).limit(most).namedtuples())
    verdicts = _verdicts(account, rows, now)
    going = [row for row in rows if verdicts[row.id] == "sent"]
    write(by, [Asked(row.email, row.name, _offer(upload, row)) for row in going], now)
    _note(account, verdicts)
    sent_to = rows[-1].line if rows else upload.sent_to
    is_last = upload.sent + upload.unsent + len(rows) >= upload.confirmed or not rows
    Upload.update(
        sent=Upload.sent + len(going),
        unsent=Upload.unsent + len(rows) - len(going),
        sent_to=sent_to,
        status="done" if is_last else "sending",
        ended_at=now if is_last else None,
    ).where(Upload.id == upload.id).execute()
    if is_last:
        forget_later(upload.id)
    else:
        _go_on(upload.id, sent_to)


def _verdicts(account: Account, rows: list[Any], now: datetime) -> dict[int, str]:
    """What has changed since the preview is seen once more, by row id."""
    emails = [row.email for row in rows]
    members, invited = known(account, emails)
    resting = limits.resting(emails, account, now)
    return {
        row.id: "member" if row.email in members
        else "invited" if row.email in invited
        else "later" if row.email in resting
        else "sent"
        for row in rows
    }  # fmt: skip


def _note(account: Account, verdicts: dict[int, str]) -> None:
    for verdict in set(verdicts.values()):
        ids = [id for id, found in verdicts.items() if found == verdict]
        changes: dict[str, Any] = {"verdict": verdict}
        if verdict == "sent":
            changes["invitation"] = Invitation.select(Invitation.id).where(
                Invitation.email == UploadRow.email, pending_from(account)
            )
        UploadRow.update(**changes).where(UploadRow.id.in_(ids)).execute()


def _offer(upload: Upload, row: Any) -> Offer:
    return Offer(
        licence=row.licence or upload.licence,
        role=row.role or upload.role,
        locale=row.locale or upload.locale,
        department=row.department,
        job_title=row.job_title,
        location=row.location,
        note=upload.note,
    )


def _go_on(upload_id: int, after: int, leaves_at: datetime | None = None) -> None:
    outbox.write("upload:send", {"upload_id": upload_id, "after": after}, leaves_at=leaves_at)
