"""Who is half-way through signing in, in a browser's signed cookie; signing in ends it."""

import hashlib
from datetime import timedelta

from flask import session

from webapp import clock
from webapp.models import User

LIFE = timedelta(minutes=10)


def hold(user: User) -> None:
    """`user` has shown one thing of two: remembered in this browser for some minutes, or until the
    password is another one."""
    session["half"] = [user.id, int(clock.now().timestamp()), _password_mark(user.id)]


def _password_mark(user_id: int) -> str:
    """As it is kept just now: at a first use an imported hash has become ours."""
    kept = User.select(User.password_hash).where(User.id == user_id).scalar()
    return hashlib.sha256(f"{kept}".encode()).hexdigest()[:16]


def held() -> User | None:
    """Who is half-way through signing in here."""
    half = session.get("half")
    if not half or len(half) != 3:  # of two: by the program as it was before an upgrade
        return None
    user_id, at, mark = half
    if clock.now().timestamp() - at > LIFE.total_seconds() or mark != _password_mark(user_id):
        return None
    found: User | None = User.get_or_none(User.id == user_id, User.erased_at.is_null())
    return found
