"""The mailed link that this browser opened, in a short-lived signed cookie (rule J2). It holds the
token's SHA-256, never the token, and begins anew at each look at the page."""

import hashlib

from flask import Response, current_app, request
from itsdangerous import BadSignature, TimestampSigner

from webapp.models import InvitationLink

COOKIE = "affluent-invitation"
SECONDS = 30 * 60


def _signer() -> TimestampSigner:
    return TimestampSigner(current_app.secret_key or "", salt="invitation link")


def keep(response: Response, token_hash: str) -> Response:
    return _given(response, COOKIE, _signer().sign(token_hash).decode())


def probe(response: Response) -> Response:
    """Gives the browser a cookie, to see whether it keeps any."""
    return _given(response, "affluent-probe", "1")


def _given(response: Response, name: str, value: str) -> Response:
    response.set_cookie(
        _bound(name),
        value,
        max_age=SECONDS,
        httponly=True,
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        samesite="Lax",
    )
    return response


def _bound(name: str) -> str:
    """On https no other host of the same domain can set it."""
    return f"__Host-{name}" if current_app.config["SESSION_COOKIE_SECURE"] else name


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def held_hash() -> str | None:
    """The hash in the cookie: None when there is none, it was altered, or it is too old."""
    try:
        return _signer().unsign(request.cookies.get(_bound(COOKIE), ""), max_age=SECONDS).decode()
    except (BadSignature, ValueError):
        return None


def held_link() -> InvitationLink | None:
    """The link that this browser holds, if we ever mailed it."""
    digest = held_hash()
    if digest is None:
        return None
    link: InvitationLink | None = InvitationLink.get_or_none(InvitationLink.token_hash == digest)
    return link
