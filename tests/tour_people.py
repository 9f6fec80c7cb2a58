"""The tour's stops at one member's page, and on the way out of an organisation."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.joined import join
from tests.people import make_member, make_paying, membership_of
from webapp.models import Account, Membership

if TYPE_CHECKING:
    from tests.tour import Tour


def changing(tour: Tour) -> None:
    cast, owner, admin = tour.cast, tour.browser("owner"), tour.browser("admin")
    person = make_member(
        "page@dumas.example", cast.organisation, is_admin=True, name="Éva", locale=tour.locale
    )
    described = {"department": "Atelier", "job_title": "Ébéniste", "licence": "licensed"}
    Membership.update(described).where(Membership.user == person).execute()
    path = f"/members/{membership_of(person).id}"
    tour.keep("a member", owner.get(path))
    tour.keep("a member's panel", owner.get(path, True))
    tour.keep("a member whom one may not change", admin.get(path))
    tour.keep("an owner", admin.get(f"/members/{cast.membership('owner').id}"))
    tour.keep("oneself", admin.get(f"/members/{cast.membership('admin').id}"))
    tour.keep("oneself as the last owner", owner.get(f"/members/{cast.membership('owner').id}"))
    tour.keep("a member changed", owner.post(f"{path}/role", role="owner", seen="member"), 409)
    Account.update(seats=0).where(Account.id == cast.organisation.id).execute()
    other = f"/members/{cast.membership('member').id}"
    no_seat = owner.post(f"{other}/licence", licence="licensed", seen="basic")
    tour.keep("no licence free", no_seat, 409)
    Account.update(seats=25).where(Account.id == cast.organisation.id).execute()
    tour.day.shift(timedelta(minutes=6))
    for form in ("role", "ownership", "removal"):
        asked = owner.post(f"{path}/{form}", role="owner", seen="admin")
        tour.keep(f"proof for {form}", asked, 409)
        owner.sign_in_as(cast.users["owner"])
        tour.keep(f"after the proof for {form}", owner.get(path))
        tour.day.shift(timedelta(minutes=6))


def leaving(tour: Tour) -> None:
    cast = tour.cast
    tour.keep("the last owner's way out", tour.browser("owner").get("/account/departure"))
    user = make_paying("out@example.org")
    acceptance = join(user, cast.organisation, "credit", licence="licensed", is_admin=True)
    browser = tour.as_user(user)
    tour.keep("the way out", browser.get("/account/departure"))
    tour.keep("an old way out", browser.post("/account/departure", seen="1"), 409)
    path = f"/members/{acceptance.membership_id}"
    browser.post("/account/departure", seen=str(acceptance.membership_id))
    tour.keep("one's own account after leaving", browser.get("/account"))
    tour.keep("what came of joining, after leaving", browser.get("/join"))
    tour.keep("who is no longer a member", tour.browser("owner").get(path), 410)
    refunded = make_paying("refunded@example.org")
    join(refunded, cast.organisation, "refund")
    tour.keep("the way out with a refund", tour.as_user(refunded).get("/account/departure"))


def asking(tour: Tour) -> None:
    page = f"/o/{tour.cast.organisation.public_id}"
    for role in ("nobody", "owner"):
        tour.keep(f"help for {role}", tour.browser(role).get("/help"))
        tour.keep(f"how to join for {role}", tour.browser(role).get(page))
