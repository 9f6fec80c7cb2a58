"""Signed addresses in mails: each names an invitation and one purpose. It needs no row and no
session, and does nothing for another address that the invitation may have by then."""

import hashlib

from itsdangerous import BadSignature, Signer

from webapp.errors import NotThere
from webapp.models import Invitation
from webapp.policy import policy


def sign(invitation: Invitation, purpose: str) -> str:
    return _signer(invitation, purpose).sign(str(invitation.id)).decode()


def find(token: str, purpose: str) -> Invitation:
    """The invitation that the token was made for, or NotThere."""
    number = token.partition(".")[0]
    is_id = number.isascii() and number.isdigit() and len(number) < 19
    invitation: Invitation | None = (
        Invitation.get_or_none(Invitation.id == int(number)) if is_id else None
    )
    if invitation is None:
        raise NotThere("invitation")
    try:
        _signer(invitation, purpose).unsign(token)
    except BadSignature as error:
        raise NotThere("invitation") from error
    return invitation


def _signer(invitation: Invitation, purpose: str) -> Signer:
    salt = f"{purpose} of {invitation.email}"
    return Signer(policy().secret_key, salt=salt, digest_method=hashlib.sha256)
