"""Members in Chromium: roles, removal and leaving as people do them; help and its QR code."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.service import Service, demonstrating, wait_until
from tests.browser.test_promises import LOOKS, assert_in_order, opened
from tests.browser.windows import DESK, PHONE, Windows
from webapp.demo import PASSWORD

OWNER = "claire.dumas@atelier-dumas.example"
ADMIN = "hugo.lefevre@atelier-dumas.example"
KARIM, ELISE, SOFIA, JULES, MANON = (
    f"{name}@atelier-dumas.example"
    for name in ("karim.haddad", "elise.moreau", "sofia.rossi", "jules.petit", "manon.girard")
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """People to remove, apart from those of other tests."""
    with demonstrating(tmp_path_factory.mktemp("members")) as service:
        yield service


def signed_in(demo: Service, windows: Windows, email: str, **options: object) -> Page:
    windows.base = demo.base
    page = windows.open(**{**DESK, **options})
    page.goto("/sign-in")
    page.locator("#sign-in [name=email]").fill(email)
    page.locator("#sign-in [name=password]").fill(PASSWORD)
    page.locator("#sign-in button[type=submit]").click()
    page.wait_for_url(re.compile("/(users|account|statements)"))
    return page


def row_of(page: Page, email: str) -> Locator:
    page.goto(f"/users?status=active&q={email}")
    return page.locator("#rows tr", has_text=email)


def open_member(page: Page, email: str) -> None:
    """The page of its own, which the panel of the row leads to."""
    page.goto(row_of(page, email).locator("a[href^='/members/']").get_attribute("href") or "")
    expect(page.locator("hgroup")).to_contain_text(email)


def box(page: Page, role: str) -> object:
    return page.locator(f"input[type=checkbox][value={role}]")


@pytest.mark.parametrize(
    ("email", "javascript", "size"), [(KARIM, True, DESK), (SOFIA, False, PHONE)]
)
def test_an_owner_makes_a_member_admin_and_finance(
    demo: Service, windows: Windows, email: str, javascript: bool, size: dict[str, object]
) -> None:
    """In the row, where there is script; else on the page that the row's button leads to."""
    page = signed_in(demo, windows, OWNER, javascript=javascript, **size)
    manage = row_of(page, email).locator("a[href^='/members/']")
    manage.click()
    if javascript:
        expect(page.locator("#panel-title")).to_be_focused()
        assert_in_order(page)
    for role in ("admin", "finance"):
        page.locator("label", has=box(page, role)).click()
    page.locator("form[action$='/role'] button").click()
    expect(page.locator("#flash")).to_contain_text("Le rôle est modifié.")
    if javascript:
        expect(page.locator("#panel")).to_be_hidden()
        expect(manage).to_be_focused()
    else:
        for role, is_held in (("owner", False), ("admin", True), ("finance", True)):
            expect(box(page, role)).to_be_checked(checked=is_held)
        row_of(page, email)
    expect(page.locator("#rows tr")).to_contain_text("Administrateur, Finance")


class Hand:
    """Does what a person does, and counts it."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.keys = page, 0, 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.keys += len(keys)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def paste(self, text: str) -> None:
        self.page.evaluate("text => navigator.clipboard.writeText(text)", text)
        self.press("Control+V")


# As it comes out of mails, lists and chats: names, brackets, all separators, one twice, three bad.
MESSY = "\n".join(
    [
        "Bonjour, voici la liste :",
        *(f"{at}. Élodie N°{at} <e{at}@paste.example>," for at in range(1, 13)),
        "; ".join(f"p{at}@paste.example" for at in range(1, 13)),
        " ".join(f"<mailto:m{at}@paste.example>" for at in range(1, 13)),
        '"Roux, Léa" <lea.roux@paste.example>',
        "e1@paste.example",
        "marc@paste",
        "zoe.paste.example",
        "noe@@paste.example",
    ]
)


def test_a_first_use_takes_few_steps(demo: Service, windows: Windows) -> None:
    """Forty people from a messy paste, three of them mended; two resent, one cancelled; one found
    by department and made an administrator."""
    page = signed_in(demo, windows, OWNER)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    waiting = int(page.locator("#pending-badge").inner_text())
    hand = Hand(page)
    hand.press("a")
    hand.paste(MESSY)
    hand.press("Tab", "Enter")
    expect(page.locator("#ready")).to_have_text("37 adresses sont prêtes.")
    for at, mended in enumerate(("marc", "zoe", "noe"), 1):
        if at == 1:
            hand.click(page.locator("#mend-1"))
        hand.press("Control+A")
        hand.type(f"{mended}@paste.example")
        hand.press("Tab")
    hand.click(page.get_by_role("button", name="Envoyer 40 invitations"))
    expect(page.locator("#flash")).to_contain_text("40 invitations")
    expect(page.locator("#pending-badge")).to_have_text(str(waiting + 40))

    for name in ("marc", "zoe"):
        hand.click(page.get_by_role("button", name=f"Renvoyer l’invitation destinée à {name}@"))
        expect(page.locator("#flash")).to_contain_text(f"{name}@paste.example")
    hand.click(page.get_by_role("button", name="Annuler l’invitation destinée à noe@"))
    hand.click(page.get_by_role("button", name="Oui, l’annuler").locator("visible=true"))
    expect(page.locator("#pending-badge")).to_have_text(str(waiting + 39))

    hand.press("/")
    hand.type("compta")
    expect(page.locator("#rows tr")).to_have_count(1)
    hand.click(page.locator("#rows a[href^='/members/']"))
    hand.click(page.locator("#panel label", has=box(page, "admin")))
    hand.click(page.get_by_role("button", name="Enregistrer le rôle"))
    expect(page.locator("#rows tr")).to_contain_text("Administrateur, Finance")
    assert_the_keys_can_be_turned_off(page)
    # Nine clicks, and of the 69 keys 52 are the letters of what is mended.
    assert hand.clicks <= 10
    assert hand.keys <= 75


def assert_the_keys_can_be_turned_off(page: Page) -> None:
    """On the help page, for this browser (WCAG 2.1.4), and on again."""
    for is_on in (False, True):
        page.goto("/help")
        page.get_by_label("Utiliser ces touches").set_checked(is_on)
        page.goto("/users")
        page.keyboard.press("/")
        focused = expect(page.locator("#q"))
        focused.to_be_focused() if is_on else focused.not_to_be_focused()


def test_who_is_removed_sees_it_in_the_window_that_was_open(
    demo: Service, windows: Windows
) -> None:
    theirs = signed_in(demo, windows, JULES, **PHONE)
    admins = signed_in(demo, windows, ADMIN)
    row_of(admins, JULES).locator("a[href^='/members/']").click()
    button = admins.get_by_role("button", name="Retirer Jules Petit")
    expect(button).to_be_hidden()
    admins.get_by_text("Retirer du compte Atelier Dumas").click()
    button.click()
    expect(admins.locator("#flash")).to_contain_text("Jules Petit n’est plus membre")
    expect(admins.locator("#people")).not_to_contain_text(JULES)

    theirs.goto("/account")
    expect(theirs.locator("main")).to_contain_text("vous n’êtes plus membre du compte Atelier")
    assert_in_order(theirs)
    assert mailed(theirs, JULES, "Vous n’êtes plus membre du compte Atelier Dumas")


def test_a_member_leaves_from_their_own_account(demo: Service, windows: Windows) -> None:
    page = signed_in(demo, windows, MANON, **PHONE)
    page.goto("/account")
    page.get_by_role("link", name="Quitter Atelier Dumas").click()
    assert_in_order(page)
    page.get_by_role("button", name="Quitter Atelier Dumas").click()
    expect(page.locator("#flash")).to_contain_text("Vous avez quitté Atelier Dumas.")
    assert mailed(page, MANON, "Vous avez quitté Atelier Dumas")


def mailed(page: Page, email: str, subject: str) -> bool:
    """Is there such a mail on /dev/mail, once the worker has written it?"""

    def is_there() -> bool:
        page.goto("/dev/mail")
        return page.locator("tr", has_text=email).filter(has_text=subject).count() == 1

    wait_until(is_there)
    return True


@pytest.mark.parametrize("look", LOOKS, ids="-".join)
def test_the_members_pages_are_open_to_everybody(
    demo: Service, windows: Windows, look: tuple[str, str, str]
) -> None:
    for person in (OWNER, ADMIN):
        page = opened(demo, windows, person, look)
        for member in (OWNER, ADMIN, ELISE):
            open_member(page, member)
            for summary in page.locator("main summary").all():
                summary.click()
            assert_in_order(page)


def test_the_message_is_copied_and_the_code_shown(demo: Service, windows: Windows) -> None:
    page = signed_in(demo, windows, ADMIN)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/users")
    page.locator("main a[href='/help']").first.click()
    code = page.locator("figure img")
    expect(code).to_be_visible()
    assert code.evaluate("el => el.complete && el.naturalWidth > 0")
    copy = page.locator("button[data-copy]")
    copy.click()
    expect(copy).to_have_text(copy.get_attribute("data-copied") or "")
    copied = page.evaluate("navigator.clipboard.readText()")
    address = re.search(rf"{demo.base}/o/\w+", copied)
    assert address is not None

    visitor = windows.open(locale="en-GB", **PHONE)
    visitor.goto(address.group())
    expect(visitor.locator("h1")).to_have_text("Join Atelier Dumas")
    assert_in_order(visitor)
