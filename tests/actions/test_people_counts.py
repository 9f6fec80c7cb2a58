"""What is kept of how many people an organisation has is what there is, whatever happened."""

from datetime import timedelta
from random import Random
from typing import Any

from flask import Flask

from tests.money import ACCEPTED, make_account, make_organisation, make_user
from tests.races import race
from webapp.actions import ledger_check, people_counts
from webapp.database import database, transaction
from webapp.models import Account, Invitation, Membership, PeopleCount, User
from webapp.models.people_count import Numbers, counted, numbers

HOUR = timedelta(hours=1)
# Instants at which an invitation may begin to be over, and at which somebody looks.
HOURS = range(-48, 48)


def make_invitation(account: Account, inviter: User, number: int, **fields: Any) -> Invitation:
    values = {
        "account": account,
        "email": f"person{number}@example.org",
        "locale": "fr",
        "inviter": inviter,
        "created_at": ACCEPTED,
        "expires_at": ACCEPTED + HOUR,
        "delivery_at": ACCEPTED,
    }
    invitation: Invitation = Invitation.create(**{**values, **fields})
    return invitation


def test_any_course_of_events_leaves_the_numbers_right(app: Flask) -> None:
    random = Random(5)
    account, other = make_organisation(), make_organisation("Maison Petit")
    owner = make_user("claire@dumas.example", account, is_owner=True, licence="licensed")
    for number in range(40):
        make_invitation(random.choice((account, other)), owner, number, **drawn(random))
    for number in range(120):
        random.choice((change_invitation, change_member, add_member))(random, (account, other))
        if number % 10 == 0:
            people_counts.move_on(ACCEPTED + HOUR * random.choice(HOURS))
            assert ledger_check.check() == []
        at = ACCEPTED + HOUR * random.choice(HOURS)
        assert numbers(account, at) == counted(account, at)
    assert numbers(other, ACCEPTED) == counted(other, ACCEPTED)


def drawn(random: Random) -> dict[str, Any]:
    status = random.choice(("pending", "pending", "declined", "revoked", "accepted"))
    return {
        "status": status,
        "answered_at": None if status == "pending" else ACCEPTED,
        "delivery": random.choice(("queued", "sent", "refused")),
        "expires_at": ACCEPTED + HOUR * random.choice(HOURS),
    }


def change_invitation(random: Random, accounts: tuple[Account, Account]) -> None:
    chosen = random.choice(list(Invitation.select().order_by(Invitation.id)))
    change = drawn(random)
    if random.random() < 0.1:
        change["email"] = f"erased-{chosen.id}@erased.invalid"
    if random.random() < 0.1:
        Invitation.delete().where(Invitation.id == chosen.id).execute()
        return
    Invitation.update(**change).where(Invitation.id == chosen.id).execute()


def change_member(random: Random, accounts: tuple[Account, Account]) -> None:
    chosen = random.choice(list(Membership.select().order_by(Membership.id)))
    change: dict[str, Any] = {"licence": random.choice(("basic", "licensed"))}
    change["ended_at"] = random.choice((None, chosen.joined_at + HOUR))
    Membership.update(**change).where(Membership.id == chosen.id).execute()


def add_member(random: Random, accounts: tuple[Account, Account]) -> None:
    number = User.select().count()
    make_user(f"member{number}@example.org", random.choice(accounts), licence="licensed")


def test_many_at_once_lose_no_change(app: Flask) -> None:
    account = make_organisation()
    owner = make_user("claire@dumas.example", account, is_owner=True)
    database.close()

    def lane(at: int) -> None:
        for number in range(6):
            with transaction():
                made = make_invitation(account, owner, at * 100 + number)
            if number % 2:
                Invitation.update(status="revoked", answered_at=ACCEPTED).where(
                    Invitation.id == made.id
                ).execute()
            people_counts.move_on(ACCEPTED + HOUR * (at + number))

    assert race(4, lane) == [None] * 4
    assert ledger_check.check() == []
    assert numbers(account, ACCEPTED + 10 * HOUR).revoked == 12


def test_a_wrong_count_is_found(app: Flask) -> None:
    account = make_organisation()
    owner = make_user("claire@dumas.example", account, is_owner=True)
    make_invitation(account, owner, 1)
    PeopleCount.update(active=7, pending=0).where(PeopleCount.account == account).execute()
    assert ledger_check.check() == [
        f"account {account.public_id}: 7 members (0 licensed) are counted, 1 (0) are there",
        f"account {account.public_id}: 0 invitations are counted as pending, 1 are",
    ]


def test_only_organisations_are_counted(app: Flask) -> None:
    account = make_account()
    make_user("ines@example.org", account, is_owner=True)
    assert PeopleCount.select().count() == 0
    assert numbers(account, ACCEPTED) == Numbers(active=1)
