"""Ten codes to keep on paper, each good once instead of a lost phone or key."""

from webapp import clock, passwords
from webapp.database import transaction
from webapp.models import RecoveryCode, User

MANY = 10


def make(user: User) -> list[str]:
    """Ten new ones, such as "k7w4-9mtx-c3pa", shown once and kept hashed; the old ones end."""
    codes = [clock.new_public_id() for _ in range(MANY)]
    hashes = [passwords.hashed(code) for code in codes]  # slow, so before the transaction
    now = clock.now()
    with transaction():
        forget(user)
        for code_hash in hashes:
            RecoveryCode.create(user=user, code_hash=code_hash, created_at=now)
    return ["-".join((code[:4], code[4:8], code[8:])) for code in codes]


def take(user: User, given: str) -> bool:
    """Uses the code up, however it is written."""
    code = "".join(c for c in given.casefold() if c.isalnum())[:64]
    for one in _left(user):
        if passwords.verified(code, one.code_hash)[0]:
            used = (
                RecoveryCode.update(used_at=clock.now())
                .where(RecoveryCode.id == one.id, RecoveryCode.used_at.is_null())
                .execute()
            )
            return bool(used == 1)
    return False


def left(user: User) -> int:
    return len(_left(user))


def forget(user: User) -> None:
    RecoveryCode.delete().where(RecoveryCode.user == user).execute()


def _left(user: User) -> list[RecoveryCode]:
    query = RecoveryCode.select().where(RecoveryCode.user == user, RecoveryCode.used_at.is_null())
    return list(query.order_by(RecoveryCode.id))
