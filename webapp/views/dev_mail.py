"""In development without a mail server: the mails that would have been sent."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from flask import Blueprint, Response, current_app, make_response, request

from webapp.actions import cursors
from webapp.errors import NotThere
from webapp.htmx import render
from webapp.models import KeptMail
from webapp.permissions import DEVELOPMENT, allows

views = Blueprint("dev_mail", __name__, url_prefix="/dev/mail")

AT_ONCE = 200
# A mail brings its own styles, and nothing else of its own is let in.
HTML_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


@views.get("")
@allows(DEVELOPMENT)
def index() -> Response:
    """The newest first, after the key `after`."""
    found = list(_newest_after(request.args.get("after", "")).limit(AT_ONCE + 1))
    mails = found[:AT_ONCE]
    has_more = len(found) > AT_ONCE
    return render(
        "pages/dev/mails.html",
        mails=mails,
        after=cursors.written(mails[-1].kept_at, mails[-1].id) if has_more else "",
        server=current_app.config["SETTINGS"].mail.server,
    )


@views.get("/<bounded:mail_id>")
@allows(DEVELOPMENT)
def show(mail_id: int) -> Response:
    mail = _parsed(mail_id)
    return render(
        "pages/dev/mail.html",
        mail=mail,
        mail_id=mail_id,
        text=_part(mail, "plain").splitlines(),
        attachments=[part.get_filename() for part in mail.iter_attachments()],
        base_url=current_app.config["SETTINGS"].base_url,
    )


@views.get("/<bounded:mail_id>/html")
@allows(DEVELOPMENT)
def html(mail_id: int) -> Response:
    response = make_response(_part(_parsed(mail_id), "html"))
    response.headers["Content-Security-Policy"] = HTML_POLICY
    return response


@views.get("/<bounded:mail_id>/attachments/<int(max=99):number>")
@allows(DEVELOPMENT)
def attachment(mail_id: int, number: int) -> Response:
    parts = list(_parsed(mail_id).iter_attachments())
    if number >= len(parts):
        raise NotThere("attachment")
    response = make_response(parts[number].get_content())
    response.mimetype = "application/octet-stream"
    response.headers.set("Content-Disposition", "attachment", filename=parts[number].get_filename())
    return response


def _newest_after(key: str) -> Any:
    at, id = KeptMail.kept_at, KeptMail.id
    query = KeptMail.select(id, KeptMail.recipient, KeptMail.subject, at)
    if key:
        instant, number = cursors.read(key)
        query = query.where((at < instant) | ((at == instant) & (id < number)))
    return query.order_by(at.desc(), id.desc())


def _parsed(mail_id: int) -> EmailMessage:
    kept = KeptMail.get_or_none(KeptMail.id == mail_id)
    if kept is None:
        raise NotThere("mail")
    return message_from_bytes(bytes(kept.content), policy=policy.default)


def _part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    return "" if body is None else str(body.get_content())
