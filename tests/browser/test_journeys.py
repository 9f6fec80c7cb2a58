"""Whole ways of invitees on a phone, in both languages, with and without script: through proofs,
blockers, changing ground, and back. What happens elsewhere meanwhile is done by the actions."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from tests.apps import make_app
from tests.browser.service import Service, running
from tests.browser.test_states import LOOK, READ, SIDEWAYS
from tests.browser.windows import DESK, PHONE, Windows
from tests.databases import fresh_sqlite
from tests.money import make_organisation
from tests.people import (
    PASSWORD,
    invite,
    link_of,
    make_individual,
    make_member,
    make_paying,
    membership_of,
)
from webapp import clock
from webapp.actions import accounts, invitations, invoices
from webapp.database import database
from webapp.models import (
    Acceptance,
    Account,
    Invitation,
    InvitationLink,
    Membership,
    Payment,
    Session,
    Settlement,
    User,
)

# (language of the browser and of the person, colours, script)
LOOKS = (("fr-FR", "light", True), ("en-GB", "dark", False))
Look = tuple[str, str, bool]
looks = pytest.mark.parametrize("look", LOOKS, ids=str)


@dataclass
class Scene:
    """The service, and the same database at hand. `look` is that of every phone."""

    service: Service
    app: Flask
    windows: Windows
    look: Look

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """What others do meanwhile."""
        with self.app.app_context():
            yield
        database.close()

    def phone(self) -> Page:
        locale, scheme, has_script = self.look
        return self.windows.open(
            locale=locale, javascript=has_script, color_scheme=scheme, reduced_motion="reduce",
            **PHONE,
        )  # fmt: skip

    def opened(self, token: str, page: Page | None = None) -> Page:
        page = page or self.phone()
        page.goto(f"/join/{token}")
        expect(page).to_have_url(f"{self.service.base}/join")
        return self.seen(page)

    def seen(self, page: Page) -> Page:
        """In order, whatever step it is at; axe needs script. A page that is on its way has none of
        what was waited to be gone, and nothing else either."""
        expect(page.locator("h1")).to_be_visible()
        found = page.evaluate(LOOK, READ)
        assert all(one["name"] for one in found), found
        assert page.evaluate(SIDEWAYS) <= 0
        assert page.locator("h1").count() == 1
        assert page.locator("html").get_attribute("lang") == self.look[0][:2]
        if self.look[2]:
            report = Axe().run(page)
            assert report.violations_count == 0, report.generate_report()
        return page

    def comes(self, page: Page, wanted: Locator) -> None:
        """By itself with script, at the next look without."""
        if not self.look[2]:
            page.locator("noscript a").tap()
        expect(wanted).to_be_visible()
        self.seen(page)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, str]]:
    url = fresh_sqlite(tmp_path_factory.mktemp("journeys"))
    with running(url) as service:
        yield service, url


@pytest.fixture
def scene(service: tuple[Service, str], windows: Windows, look: Look) -> Scene:
    windows.base = service[0].base
    return Scene(service[0], make_app(service[1]), windows, look)


def owner_of(name: str, scene: Scene) -> User:
    public = clock.new_public_id()
    organisation = make_organisation(name, public_id=public)
    return make_member(f"owner-{public.lower()}@dumas.example", organisation, is_owner=True)


def person(scene: Scene, kind: str) -> User:
    """Reads the language of the phone; who pays has 20 days of 30 left."""
    email = f"{kind}-{clock.new_public_id().lower()}@example.org"
    today = clock.today("Europe/Paris")
    period = {
        "period_start_on": today - timedelta(days=10),
        "period_end_on": today + timedelta(days=20),
    }
    user = make_paying(email, 3000, **period) if kind == "paying" else make_individual(email)
    User.update(locale=scene.look[0][:2]).where(User.id == user.id).execute()
    return user


def sign_in(page: Page, email: str) -> None:
    page.locator("#sign-in [name=email]").fill(email)
    prove(page)


def prove(page: Page) -> None:
    page.locator("#sign-in [name=password]").fill(PASSWORD)
    page.locator("#sign-in button").tap()


def press(page: Page, action: str) -> None:
    page.locator(f"form[action='{action}'] button").first.tap()


@looks
def test_credit_through_changing_ground_and_back_again(scene: Scene) -> None:
    with scene.elsewhere():
        owner, user, other = (
            owner_of("Atelier Dumas", scene),
            *(person(scene, kind) for kind in ("paying", "other")),
        )
        invitation = invite(owner, user.email, locale=scene.look[0][:2])
        token = link_of(invitation)
    page = scene.phone()
    page.goto("/sign-in")
    sign_in(page, other.email)
    expect(page.locator("#account-menu")).to_be_attached()

    scene.opened(token, page)
    expect(page.locator("main")).to_contain_text(other.email)
    expect(page.locator("main")).not_to_contain_text(user.email)
    page.locator("main form[action='/sign-out'] button").tap()
    expect(page).to_have_url(f"{scene.service.base}/join")
    sign_in(scene.seen(page), user.email)
    expect(page.locator("#acceptance")).to_be_visible()
    expect(page.locator("#acceptance :checked")).to_have_count(0)

    with scene.elsewhere():
        account = membership_of(user).account
        Payment.update(returned_minor=1500, returned_elsewhere_minor=1500).where(
            Payment.account == account
        ).execute()
    page.locator("label.choice", has_text="Atelier Dumas").tap()
    page.locator("[data-for=credit]").tap()
    expect(page.locator("[role=alert]")).to_be_visible()
    expect(page.locator("#acceptance :checked")).to_have_value("credit")
    amount = "15,00 €" if scene.look[0] == "fr-FR" else "€15.00"
    expect(page.locator("[data-for=credit]")).to_contain_text(amount)
    scene.seen(page)

    with scene.elsewhere():
        Session.update(proven_at=clock.now() - timedelta(minutes=6)).where(
            Session.user == user
        ).execute()
    page.locator("[data-for=credit]").tap()
    expect(page.locator("#proof")).to_be_visible()
    scene.seen(page)
    prove(page)
    expect(page.locator("#acceptance :checked")).to_have_value("credit")
    expect(page.locator("#proof")).to_have_count(0)
    page.locator("[data-for=credit]").tap()
    expect(page.locator("#result")).to_contain_text(amount)
    scene.seen(page)

    laptop = scene.windows.open(locale=scene.look[0], **DESK)
    scene.opened(token, laptop)
    laptop.locator("main a[href^='/sign-in']").click()
    laptop.locator("[name=email]").first.fill(user.email)
    laptop.locator("[name=password]").fill(PASSWORD)
    laptop.locator("#sign-in button").click()
    expect(laptop.locator("#result")).to_contain_text(amount)

    press(page, "/join/undo")
    expect(page.locator("form[action='/join/undo']")).to_have_count(0)
    scene.seen(page)
    with scene.elsewhere():
        assert membership_of(User.get_by_id(user.id)).account == account
        assert Settlement.select().where(Settlement.account == account).count() == 1
        assert Acceptance.get(Acceptance.user == user).undone_at is not None


@looks
def test_each_blocker_goes_its_own_way_and_the_page_opens_up(scene: Scene) -> None:
    with scene.elsewhere():
        owner, user = owner_of("Atelier Dumas", scene), person(scene, "paying")
        account, organisation = membership_of(user).account, membership_of(owner).account
        accounts.update_organisation(organisation.public_id, seats=0)
        guest = make_member(f"guest-{user.email}", account)
        invoices.add(account, "F-77", issued_on=None, due_on=None, total_minor=3000)
        token = link_of(invite(owner, user.email, licence="licensed", locale=scene.look[0][:2]))
    page = scene.opened(token)
    sign_in(page, user.email)
    cards = page.locator("#offer .callout")
    expect(cards).to_have_count(3)
    scene.seen(page)
    page.locator("#offer summary", has_text=guest.shown_name).tap()
    press(page, f"/join/users/{membership_id(scene, guest)}/removal")
    expect(cards).to_have_count(2)
    press(page, "/join/seat")
    expect(page.locator("form[action='/join/seat']")).to_have_count(0)
    scene.seen(page)
    with scene.elsewhere():
        Account.update(basic_when_full=True).where(Account.id == organisation.id).execute()
        invoices.mark_paid(account, "F-77")
    basic = page.locator("a[href='/join?licence=basic']")
    scene.comes(page, basic)
    expect(cards).to_have_count(1)
    basic.tap()
    expect(page.locator("#acceptance")).to_be_visible()
    page.locator("label.choice", has_text="4242").tap()
    page.locator("[data-for=refund]").tap()
    expect(page.locator("#result")).to_be_visible()
    scene.seen(page)
    with scene.elsewhere():
        joined = membership_of(User.get_by_id(user.id))
        assert (joined.account, joined.licence) == (organisation, "basic")


def membership_id(scene: Scene, user: User) -> int:
    with scene.elsewhere():
        return int(Membership.get(Membership.user == user).id)


@looks
def test_a_new_person_compares_two_organisations_refuses_one_and_joins_the_other(
    scene: Scene,
) -> None:
    email = f"nina-{clock.new_public_id().lower()}@example.org"
    with scene.elsewhere():
        language = scene.look[0][:2]
        first = invite(owner_of("Atelier Dumas", scene), email, locale=language)
        second = invite(owner_of("Maison Petit", scene), email, locale=language)
        tokens = link_of(first), link_of(second)
    page = scene.opened(tokens[0])
    press(page, "/sign-in/code")
    expect(page.locator("[name=code]")).to_be_visible()
    scene.seen(page)
    page.locator("[name=name]").fill("Nina Roux")
    page.locator("[name=code]").fill(scene.service.code_for(email))
    page.locator("form:has([name=code]) button").tap()
    expect(page.locator(".invitations article")).to_have_count(2)
    expect(page.locator(".invitations .here")).to_contain_text("Atelier Dumas")
    scene.seen(page)

    press(page, "/join/choice")
    expect(page.locator(".invitations .here")).to_contain_text("Maison Petit")
    expect(page.locator("h1")).to_contain_text("Maison Petit")
    page.locator(".decline summary").tap()
    page.locator("[name=reason]").fill("No, thank you")
    press(page, "/join/decline")
    expect(page.locator("#acceptance")).to_have_count(0)
    scene.seen(page)

    scene.opened(tokens[0], page)
    expect(page.locator(".invitations")).to_have_count(0)
    press(page, "/join/acceptance")
    expect(page.locator("#result")).to_be_visible()
    scene.seen(page)
    with scene.elsewhere():
        user = User.get(User.email == email)
        assert (user.name, membership_of(user).account) == ("Nina Roux", first.account)
        assert Invitation.get_by_id(second.id).decline_reason == "No, thank you"


def links_of(page: Page) -> list[str]:
    return page.eval_on_selector_all("a[href^='/']", "all => all.map((a) => a.pathname + a.search)")


def standing(email: str) -> list[object]:
    """What a scanner could have changed."""
    fields = (Invitation.status, Invitation.reported_at, Invitation.muted_at, Invitation.expires_at)
    asked = (Invitation.renewal_asked_at, Invitation.seat_wanted_at)
    rows = Invitation.select(*fields, *asked).where(Invitation.email == email).tuples()
    links = InvitationLink.select().join(Invitation).where(Invitation.email == email)
    return [*rows, links.count(), User.select().count(), Session.select().count()]


@looks
def test_a_scanners_browser_clicks_every_link_and_then_the_person_answers(scene: Scene) -> None:
    """Every link but no button, of a live link and of an expired one; the links still work, and
    each dead page goes on: a new link asked for, the invitation reported, the report taken back."""
    email = f"max-{clock.new_public_id().lower()}@example.org"
    with scene.elsewhere():
        invitation = invite(owner_of("Atelier Dumas", scene), email, locale=scene.look[0][:2])
        token = link_of(invitation)
        scene.service.mail_to(email)
        before = standing(email)
    scanner = scene.opened(token)
    for path in links_of(scanner):
        scanner.goto(path)
        for deeper in links_of(scanner):
            scanner.goto(deeper)
    with scene.elsewhere():
        assert standing(email) == before
        Invitation.update(expires_at=clock.now()).where(Invitation.id == invitation.id).execute()
    page = scene.opened(token)
    press(page, "/join/renewal")
    expect(page.locator("form[action='/join/renewal']")).to_have_count(0)
    scene.seen(page)
    with scene.elsewhere():
        assert Invitation.get_by_id(invitation.id).renewal_asked_at is not None
        owner = membership_of(User.get_by_id(invitation.inviter_id))
        invitations.resend(owner, invitation.id)
    scene.opened(token, page)
    expect(page.locator("form[action='/join/renewal']")).to_have_count(0)

    mail = scene.service.mail_to(email, r"/reports/")
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://\S+/reports/\S+", body.get_content())
    assert found is not None
    page.goto(found[0])
    page.locator("[name=words]").fill("I know nobody there")
    page.locator("form[action^='/reports/'] button").tap()
    expect(page.locator("[data-kind=success]")).to_be_visible()
    scene.seen(page)
    page.locator("form[action$='/withdrawal'] button").tap()
    expect(page.locator("[name=words]")).to_be_visible()
    scene.seen(page)
