"""Proving who one is: by password, by mailed code, and setting a new password."""

from datetime import timedelta

from webapp import clock, outbox, passwords
from webapp.actions import codes, sessions, throttle
from webapp.addresses import normalised
from webapp.database import transaction
from webapp.errors import Invalid
from webapp.models import AuditEvent, Session, User

WINDOW = timedelta(minutes=15)


def by_password(email: str, password: str, source: str) -> User:
    """The user, when the password is right. Unknown address, no password and wrong password get
    the same Invalid("credentials") after the same work; only failures count as tries."""
    address = _address(email)
    address_key, source_key = f"password:{address}", f"passwords-from:{source}"
    throttle.check(address_key, 10, WINDOW)
    throttle.check(source_key, 200, WINDOW)
    user: User | None = User.get_or_none(User.email == address)
    fits, better = passwords.verified(
        password[: passwords.MOST], user.password_hash if user else None
    )
    if user is None or not fits:
        throttle.count(address_key, 1000, WINDOW)
        throttle.count(source_key, 100_000, WINDOW)
        raise Invalid("credentials", field="password")
    if better is not None:
        # An imported hash becomes ours at its first use.
        User.update(password_hash=better).where(
            User.id == user.id, User.password_hash == user.password_hash
        ).execute()
    return user


def by_code(email: str, browser: str, digits: str) -> User | None:
    """The user of a right code, or None for a person who is new here."""
    address = _address(email)
    codes.redeem(address, browser, digits)
    user: User | None = User.get_or_none(User.email == address)
    if user is not None and user.verified_at is None:
        User.update(verified_at=clock.now()).where(User.id == user.id).execute()
    return user


def request_code(email: str, browser: str, source: str, is_invited: bool = False) -> None:
    """Mails a code when the address is a user's or, by its mailed link, an invitee's."""
    address = _address(email)
    codes.request(address, browser, source, is_invited or is_user(address))


def is_user(email: str) -> bool:
    return bool(User.select(User.id).where(User.email == email).exists())


def set_password(user: User, session: Session, browser: str, digits: str, password: str) -> None:
    """Sets or changes the password: proven by a mailed code, ends all other sessions, and a mail
    tells the person."""
    if not passwords.LEAST <= len(password) <= passwords.MOST:
        raise Invalid("password_length", field="password")
    codes.redeem(user.email, browser, digits, purpose="password")
    password_hash = passwords.hashed(password)  # slow, so before the transaction
    with transaction():
        User.update(password_hash=password_hash).where(User.id == user.id).execute()
        sessions.end_others(user, keep=session)
        sessions.prove(session)
        outbox.write("mail:password", {"user_id": user.id})
        AuditEvent.create(
            at=clock.now(), actor=user, kind="password:changed", subject=f"user:{user.id}"
        )


def _address(email: str) -> str:
    try:
        return normalised(email)
    except ValueError as error:
        raise Invalid("email", field="email") from error
