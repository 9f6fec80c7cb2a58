"""What a person changes about their own second factor, each with a fresh proof of who it is."""

from webapp.actions import authenticators, passkeys, recovery_codes, second_factor, sessions
from webapp.database import transaction
from webapp.errors import Blocked, NotThere
from webapp.models import Passkey
from webapp.permissions import Viewer


def begin_authenticator(by: Viewer) -> str:
    """The secret for the app; in force once it has shown its first code."""
    sessions.require_fresh(by.session)
    return authenticators.begin(by.user)


def confirm_authenticator(by: Viewer, digits: str) -> list[str]:
    """The app is asked for from now on, and other sessions end, which began without it. Returns
    ten recovery codes. Invalid("factor") for wrong digits. The proof was asked for at its begin: a
    session that had none then neither confirms the secret nor is shown it."""
    begun_at = authenticators.begun_at(by.user)
    if begun_at is not None and not sessions.was_fresh(by.session, begun_at):
        sessions.require_fresh(by.session)
    with transaction():
        authenticators.confirm(by.user, digits)
        sessions.end_others(by.user, keep=by.session)
        second_factor.tell(by.user, "authenticator:added")
    # After the digits were right, for it is much work; new codes can be made at any time.
    codes, hashes = recovery_codes.draw()
    recovery_codes.keep(by.user, hashes)
    return codes


def remove_authenticator(by: Viewer) -> None:
    """Blocked("required") where a factor is asked for and this is the last."""
    sessions.require_fresh(by.session)
    if second_factor.is_required(by.membership) and not second_factor.has_passkey(by.user):
        raise Blocked("required")
    with transaction():
        if authenticators.remove(by.user):
            second_factor.tell(by.user, "authenticator:removed")
        if not second_factor.is_asked(by.user):
            recovery_codes.forget(by.user)


def add_passkey(by: Viewer, browser: str, answer: str, name: str) -> Passkey:
    sessions.require_fresh(by.session)
    return passkeys.register(by.user, browser, answer, name)


def remove_passkey(by: Viewer, passkey_id: int) -> None:
    """NotThere for somebody else's; Blocked("required") as above."""
    sessions.require_fresh(by.session)
    own = passkeys.of(by.user)
    if passkey_id not in [one.id for one in own]:
        raise NotThere("passkey")
    is_last = len(own) == 1 and not authenticators.is_on(by.user)
    if is_last and second_factor.is_required(by.membership):
        raise Blocked("required")
    with transaction():
        if passkeys.remove(by.user, passkey_id):
            second_factor.tell(by.user, "passkey:removed")


def make_recovery_codes(by: Viewer) -> list[str]:
    """Ten new ones; the old ones end."""
    sessions.require_fresh(by.session)
    codes, hashes = recovery_codes.draw()
    with transaction():
        recovery_codes.keep(by.user, hashes)
        second_factor.tell(by.user, "recovery-codes:made")
    return codes
