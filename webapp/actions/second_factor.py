"""Of whom a second factor is asked, who has one, and what its change leaves behind.

A passkey is two factors by itself: the device, and the finger or PIN that it asks for. After a
password or a mailed code, an authenticator app is always asked; a passkey only where one must be
shown: somewhere else it is a convenience, which a lost phone must not turn against its owner."""

from webapp import clock, outbox
from webapp.actions import authenticators, guesses, recovery_codes, sessions
from webapp.database import transaction
from webapp.errors import Invalid
from webapp.models import AuditEvent, Authenticator, Membership, Passkey, User
from webapp.policy import policy


def is_required(membership: Membership) -> bool:
    """By the organisation; of the operator's finance always, outside development."""
    if membership.account.kind == "operator":
        return not policy().is_development
    wanted = membership.account.second_factor
    return bool(wanted == "all" or (wanted == "admins" and membership.is_inviting))


def is_missing(membership: Membership) -> bool:
    """Asked for, and not there yet."""
    return is_required(membership) and not has_one(membership.user)


def has_one(user: User) -> bool:
    return authenticators.is_on(user) or has_passkey(user)


def has_passkey(user: User) -> bool:
    return bool(Passkey.select(Passkey.id).where(Passkey.user == user).exists())


def is_asked(user: User) -> bool:
    """After the right password or mailed code, does something more have to be shown?"""
    if authenticators.is_on(user):
        return True
    membership = user.membership()
    return membership is not None and is_required(membership) and has_passkey(user)


def show(user: User, given: str, lane: str) -> None:
    """The digits of the authenticator, or a recovery code. Invalid("factor") when it is neither;
    guessing waits as for passwords."""
    guessed = f"factor:{lane}:{user.email}"
    before = guesses.begin(guessed)
    digits = "".join(given.split())
    if len(digits) == authenticators.DIGITS and digits.isascii() and digits.isdigit():
        fits = authenticators.take(user, digits)
    else:
        fits = _use_up(user, given)
    if not fits:
        raise Invalid("factor", field="code")
    guesses.forgive(guessed, before)


def _use_up(user: User, given: str) -> bool:
    """A recovery code ends together with the mail that says so, or not at all."""
    code = recovery_codes.find(user, given)
    if code is None:
        return False
    with transaction():
        is_used = recovery_codes.use_up(code)
        if is_used:
            tell(user, "recovery-code:used")
    return is_used


def tell(user: User, change: str) -> None:
    """A mail to the person, and an event; `change` is such as "passkey:added"."""
    outbox.write("mail:factor", {"user_id": user.id, "change": change})
    AuditEvent.create(at=clock.now(), actor=user, kind=change, subject=f"user:{user.id}")


def forget_of(email: str) -> User:
    """After a loss, once the operator has made sure who asks: ends the sessions, too."""
    user: User | None = User.get_or_none(User.email == email.strip().lower())
    if user is None:
        raise Invalid("person", given=email)
    with transaction():
        forget_all(user)
        sessions.end_others(user, keep=None)
        tell(user, "factors:forgotten")
    return user


def forget_all(user: User) -> None:
    """As if there had never been one."""
    Passkey.delete().where(Passkey.user == user).execute()
    Authenticator.delete().where(Authenticator.user == user).execute()
    recovery_codes.forget(user)
