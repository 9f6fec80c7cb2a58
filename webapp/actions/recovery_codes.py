"""Ten codes to keep on paper, each good once instead of a lost phone or key."""

from webapp import clock, passwords
from webapp.database import transaction
from webapp.models import RecoveryCode, User

MANY = 10


def draw() -> tuple[list[str], list[str]]:
    """Ten new ones, such as "k7w4-9mtx-c3pa", to be shown once; and their hashes, to be kept. Slow,
    so before the transaction that keeps them."""
    codes = [clock.new_public_id() for _ in range(MANY)]
    shown = ["-".join((code[:4], code[4:8], code[8:])) for code in codes]
    return shown, [passwords.hashed(code) for code in codes]


def keep(user: User, hashes: list[str]) -> None:
    """These are the person's from now on; the old ones end."""
    now = clock.now()
    with transaction():
        forget(user)
        for code_hash in hashes:
            RecoveryCode.create(user=user, code_hash=code_hash, created_at=now)


def find(user: User, given: str) -> RecoveryCode | None:
    """The one that this is, however it is written. Slow as well."""
    code = "".join(c for c in given.casefold() if c.isalnum())[:64]
    for one in _left(user):
        if passwords.verified(code, one.code_hash)[0]:
            return one
    return None


def use_up(code: RecoveryCode) -> bool:
    """False when somebody else just did."""
    used = (
        RecoveryCode.update(used_at=clock.now())
        .where(RecoveryCode.id == code.id, RecoveryCode.used_at.is_null())
        .execute()
    )
    return bool(used == 1)


def left(user: User) -> int:
    return len(_left(user))


def forget(user: User) -> None:
    RecoveryCode.delete().where(RecoveryCode.user == user).execute()


def _left(user: User) -> list[RecoveryCode]:
    query = RecoveryCode.select().where(RecoveryCode.user == user, RecoveryCode.used_at.is_null())
    return list(query.order_by(RecoveryCode.id))
