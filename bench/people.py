"""The people that the benchmarks are about: one organisation with a tenth of all users beside
many small ones, mixed as time brings them. The same numbers give the same rows."""

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from webapp.database import database, is_postgresql
from webapp.models import (
    Account,
    Invitation,
    Membership,
    PeopleCount,
    Session,
    Subscription,
    User,
)

BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
STEP = timedelta(seconds=30)
# What is to wait must still wait when the data is used again.
FAR = datetime(2100, 1, 1, tzinfo=UTC)
# The organisation with a tenth of the users.
LARGE = 1
# One session each, so that open windows can be many people's.
WINDOWS = 2_000

FIRST_NAMES = """
Adèle Agnès Aïcha Alban Alice Amélie Anaïs André Antoine Arthur Astrid Aurélie Baptiste Benoît
Bérénice Camille Capucine Cédric Céline Charlotte Chloé Claire Clément Constance Damien Daphné
Delphine Denis Édith Élise Éloïse Émile Émilie Étienne Eugénie Fabien Fanny Félix Florence
François Gaëlle Gaspard Geneviève Grégoire Hélène Henri Hugo Inès Irène Jérôme Joséphine Julien
Justine Karim Laëtitia Léa Léon Louise Lucas Madeleine Maël Manon Margaux Mathilde Maxime
Mélanie Naïma Nathan Nicolas Noémie Océane Odile Olivier Pascal Pauline Philippe Quentin Raphaël
Régine Rémi Romane Sébastien Sofia Solène Stéphane Suzanne Théo Thomas Ursule Valentin Véronique
Victor Xavier Yasmine Yves Zoé
"""
LAST_BEGIN = """
Beau Bois Bon Bru Cha Clair Dau Des Du Fon Gar Gran Jou La Le Mar Mont Per Pre Roche
"""
LAST_END = """
bert blanc champ chard court dieu fort foy gnon haut lain lard lier lon main mier mont nard neau
nier nois not pain phin point quier rand reau rier rin roy sard seau sier son tal tel ton val veau
vert ville vrier
"""
LAST = [begin + end for begin in LAST_BEGIN.split() for end in LAST_END.split()]
FIRST = FIRST_NAMES.split()
DEPARTMENTS = (
    *("", "Achats", "Comptabilité", "Design", "Direction", "Finance", "Juridique", "Logistique"),
    *("Production", "Recherche", "Ressources humaines", "Support", "Ventes"),
)
# status, delivery, has it expired?
STATES = (
    *(("pending", "sent", False), ("pending", "queued", False), ("declined", "sent", False)),
    *(("pending", "sent", True), ("pending", "refused", False), ("pending", "deferred", False)),
    *(("revoked", "sent", False), ("accepted", "sent", False), ("pending", "sent", True)),
    ("pending", "sent", False),
)

Row = tuple[Any, ...]


def make(users: int) -> None:
    """Fills an empty, migrated database."""
    accounts = users // 10
    names = ["" for _ in range(accounts + 1)]
    for number in range(1, accounts + 1):
        names[number] = f"{LAST[number % len(LAST)]} {number}"
    organisations = ((n, f"o{n:011d}", names[n]) for n in range(1, accounts + 1))
    load(Account, ("id", "public_id", "name"), organisations, kind="organisation", currency="EUR",
         locale="fr", seats=users, created_at=instant(BEGIN))  # fmt: skip
    # What is over by now is counted as that from the beginning.
    PeopleCount.update(as_of=datetime.now(UTC)).execute()
    load(Subscription, ("id", "account_id"), ((n, n) for n in range(1, accounts + 1)),
         plan="team", currency="EUR", billing_zone="Europe/Paris")  # fmt: skip
    load(User, ("id", "email", "name", "folded"), _users(users), locale="fr",
         created_at=instant(BEGIN))  # fmt: skip
    columns = (*("id", "user_id", "account_id", "is_owner", "is_admin"),
               *("licence", "department", "folded", "joined_at"))  # fmt: skip
    load(Membership, columns, _memberships(users))
    columns = (*("id", "account_id", "email", "name", "department", "folded", "inviter_id"),
               *("created_at", "delivery_at", "expires_at", "status", "delivery"),
               *("answered_at", "delivery_note", "decline_reason", "next_try_at"))  # fmt: skip
    load(Invitation, columns, _invitations(users), locale="fr")
    columns = ("id", "token_hash", "user_id")
    load(Session, columns, _sessions(users), created_at=instant(BEGIN), last_seen_at=instant(FAR),
         proven_at=instant(BEGIN), expires_at=instant(FAR))  # fmt: skip
    database.execute_sql("ANALYZE")


def load(model: Any, names: Sequence[str], rows: Iterator[Row], **constant: Any) -> None:
    """Rows as the driver takes them; columns that are not named have the model's default."""
    rest = [field for field in model._meta.sorted_fields if field.column_name not in names]
    fixed = {field.column_name: constant.get(field.name, field.default) for field in rest}
    columns = [*names, *fixed]
    tail = tuple(fixed.values())
    quoted, table = ", ".join(f'"{column}"' for column in columns), model._meta.table_name
    whole = (row + tail for row in rows)
    with database.atomic():
        cursor = database.cursor()
        if is_postgresql():
            with cursor.copy(f'COPY "{table}" ({quoted}) FROM STDIN') as copy:
                for row in whole:
                    copy.write_row(row)
            cursor.execute(f"SELECT setval('{table}_id_seq', max(id)) FROM \"{table}\"")
        else:
            places = ", ".join("?" * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({quoted}) VALUES ({places})', whole)


def instant(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="microseconds")


def token(number: int) -> str:
    """The session of the owner of organisation `number`, as its cookie has it."""
    return f"token-of-{number:06d}"


def account_of(number: int, users: int) -> int:
    """The large organisation has every tenth user; of the others, some have many and most few."""
    if number % 10 == 0:
        return LARGE
    others = users // 10 - 1
    # Each organisation has somebody: the first ones to come.
    turn = number - number // 10 - 1
    if turn < others:
        return 2 + turn
    part = (number * 2_654_435_761 % 2**32) / 2**32
    return 2 + int(part * part * others)


def _who(number: int, users: int, random: Random) -> tuple[str, str, str]:
    """Name, address and department of the user or invitee `number`."""
    first, last = random.choice(FIRST), random.choice(LAST)
    organisation = account_of(number, users)
    email = f"{_plain(first)}.{_plain(last)}{number}@organisation{organisation}.example"
    return f"{first} {last}", email, random.choice(DEPARTMENTS)


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.lower())
    return "".join(c for c in parts if not unicodedata.combining(c))


def folded(name: str, email: str, department: str) -> str:
    """As texts.folded does it: every word here has accents that can be taken off, and no more."""
    return " ".join(filter(None, (_plain(name), email, _plain(department))))


def _people(users: int, seed: int) -> Iterator[tuple[int, str, str, str]]:
    random = Random(seed)
    for number in range(users):
        yield number, *_who(number, users, random)


def _users(users: int) -> Iterator[Row]:
    for number, name, email, _department in _people(users, 1):
        yield number + 1, email, name, folded(name, email, "")


def _memberships(users: int) -> Iterator[Row]:
    seen = set()
    for number, name, email, department in _people(users, 1):
        account = account_of(number, users)
        is_first = account not in seen
        seen.add(account)
        licence = "licensed" if number % 3 == 0 else "basic"
        at = instant(BEGIN + STEP * number)
        text = folded(name, email, department)
        yield (
            *(number + 1, number + 1, account, is_first, number % 1000 == 10),
            *(licence, department, text, at),
        )


def _invitations(users: int) -> Iterator[Row]:
    """One for every fourth user, to somebody who has no account yet."""
    owner: dict[int, int] = {}
    for number, name, email, department in _people(users, 2):
        account = account_of(number, users)
        owner.setdefault(account, number + 1)
        if number % 4:
            continue
        id, begins_at = number // 4 + 1, BEGIN + STEP * number + STEP / 2
        status, delivery, is_expired = STATES[(id if account != LARGE else number // 20) % 10]
        ends_at = begins_at + timedelta(days=30) if is_expired else FAR
        at = instant(begins_at)
        answered = None if status == "pending" else at
        note = "550 5.1.1 no such user" if delivery == "refused" else ""
        reason = "Un autre outil nous suffit." if status == "declined" else ""
        next_try = at if delivery == "deferred" else None
        text = folded(name, f"i.{email}", department)
        # Two people invite into the large organisation: its owner and its first admin.
        inviter = 11 if account == LARGE and number % 40 else owner[account]
        yield (
            *(id, account, f"i.{email}", name, department, text, inviter),
            *(at, at, instant(ends_at), status, delivery, answered, note, reason, next_try),
        )


def _sessions(users: int) -> Iterator[Row]:
    """Of the first organisations' owners, who were those organisations' first users."""
    owner: dict[int, int] = {}
    for number in range(users):
        account = account_of(number, users)
        if account <= WINDOWS:
            owner.setdefault(account, number + 1)
        if len(owner) == min(WINDOWS, users // 10):
            break
    for account, user in owner.items():
        yield account, hashlib.sha256(token(account).encode()).hexdigest(), user
