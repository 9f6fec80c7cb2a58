"""Proving who one is: by password, by mailed code, and setting a new password."""

from datetime import timedelta

from webapp import clock, outbox, passwords
from webapp.actions import codes, guesses, sessions, throttle
from webapp.addresses import normalised
from webapp.database import transaction
from webapp.errors import Invalid
from webapp.models import AuditEvent, Session, User
from webapp.policy import policy

WINDOW, MINUTE = timedelta(minutes=15), timedelta(minutes=1)
# Wrong passwords from one source, and from everywhere: browsers that are known do not wait.
FROM_SOURCE, FROM_EVERYWHERE = 200, 1_200


def by_password(email: str, password: str, source: str, lane: str = "") -> User:
    """The user, when the password is right. Unknown address, no password and wrong password get
    the same Invalid("credentials") after the same work; only failures count as tries. `lane` names
    the browser where this address has signed in from it before (see guesses.py)."""
    address = _address(email)
    guessed, source_key = f"password:{lane}:{address}", f"passwords-from:{source}"
    if not lane:
        throttle.check(source_key, FROM_SOURCE, WINDOW)
        throttle.check("passwords", FROM_EVERYWHERE, MINUTE)
    before = guesses.begin(guessed)
    user: User | None = User.get_or_none(User.email == address)
    fits, better = passwords.verified(password, user.password_hash if user else None)
    if user is None or not fits:
        throttle.count(source_key, 100_000, WINDOW)
        throttle.count("passwords", 1_000_000, MINUTE)
        raise Invalid("credentials", field="password")
    guesses.forgive(guessed, before)
    if better is not None:
        # An imported hash becomes ours at its first use.
        User.update(password_hash=better).where(
            User.id == user.id, User.password_hash == user.password_hash
        ).execute()
    return user


def by_code(email: str, browser: str, digits: str, lane: str = "") -> User | None:
    """The user of a right code, or None for a person who is new here."""
    address = _address(email)
    codes.redeem(address, browser, digits, lane=lane)
    user: User | None = User.get_or_none(User.email == address)
    if user is not None and user.verified_at is None:
        User.update(verified_at=clock.now()).where(User.id == user.id).execute()
    return user


def request_code(
    email: str, browser: str, source: str, is_invited: bool = False, lane: str = ""
) -> None:
    """Mails a code when the address is a user's or, by its mailed link, an invitee's."""
    address = _address(email)
    is_known = is_user(address) or is_invited
    codes.request(address, browser, source, is_known, lane=lane)


def is_user(email: str) -> bool:
    return bool(User.select(User.id).where(User.email == email).exists())


def set_password(
    user: User, session: Session, browser: str, digits: str, password: str, lane: str = ""
) -> None:
    """Sets or changes the password: proven by a mailed code, ends all other sessions, and a mail
    tells the person. A second factor stays as it is."""
    require_good(password, user.email, user.name)
    codes.redeem(user.email, browser, digits, purpose="password", lane=lane)
    password_hash = passwords.hashed(password)  # slow, so before the transaction
    with transaction():
        User.update(password_hash=password_hash).where(User.id == user.id).execute()
        sessions.end_others(user, keep=session)
        sessions.prove(session)
        outbox.write("mail:password", {"user_id": user.id})
        AuditEvent.create(
            at=clock.now(), actor=user, kind="password:changed", subject=f"user:{user.id}"
        )


def require_good(password: str, *own: str) -> None:
    """Invalid for a new password that is too short, too long, among the common ones, or little
    more than `own` (address, name) or this service's name. Imported ones are never asked."""
    weakness = passwords.weakness(password, *own, policy().seller.name)
    if weakness:
        raise Invalid(
            f"password_{weakness}", field="password", least=passwords.LEAST, most=passwords.MOST
        )


def _address(email: str) -> str:
    try:
        return normalised(email)
    except ValueError as error:
        raise Invalid("email", field="email") from error
