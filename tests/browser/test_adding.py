"""Adding people in Chromium: mending where a row stands, and files from choosing to results."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.service import Service
from tests.browser.test_users import Organisation, add, badge, remember, still_there
from tests.browser.windows import Windows


@pytest.fixture
def organisation(house: Service, windows: Windows) -> Organisation:
    return Organisation(house, windows)


def choose_file(page: Page, path: Path) -> None:
    page.goto("/users")
    page.locator("#add a[href='/uploads']").click()
    page.set_input_files("#file", path)
    page.locator("#add form button[type=submit]").first.click()


def file_of(folder: Path, organisation: Organisation, count: int, *more: str) -> Path:
    path = folder / "people.csv"
    people = [f"{organisation.address(f'p{at}')},P {at}" for at in range(count)]
    path.write_text("\n".join(["Email,Name", *people, *more]))
    return path


def test_a_row_is_mended_where_it_stands_without_losing_the_next(
    organisation: Organisation,
) -> None:
    page = organisation.window()
    add(page, f"{organisation.address('anna')} bo@ cy@")
    expect(page.locator("#ready")).to_have_text("1 address is ready.")
    remember(page)
    page.locator("#mend-1").fill(organisation.address("bo"))
    page.keyboard.press("Tab")
    expect(page.locator("#mend-2")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("half")
    expect(page.locator("#ready")).to_have_text("2 addresses are ready.")
    expect(page.locator("#verdict-1")).to_contain_text("Ready")
    expect(page.locator("#mend-2")).to_have_value("cy@half")
    expect(page.locator("#mend-2")).to_be_focused()
    # Leaving the field asks about it: the answer may come while the button is pressed.
    page.get_by_role("button", name="Send 2 invitations").hover()
    with page.expect_response("**/invitations/rows") as answer:
        page.mouse.down()
    answer.value.finished()
    expect(page.locator("#verdict-2")).to_contain_text("Not an address")
    page.mouse.up()
    badge(page, 2)
    # The parts of an answer are put in one after the other.
    expect(page.locator("#add [name=emails]")).to_have_count(1)
    expect(page.locator("#add [name=emails]")).to_have_value("cy@half")
    still_there(page)


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
def test_checking_again_and_reading_the_mail_send_nothing(
    organisation: Organisation, javascript: bool
) -> None:
    page = organisation.window(javascript=javascript)
    add(page, f"{organisation.address('anna')} bo@")
    page.locator("#mend-1").fill(organisation.address("bo"))
    page.locator("#check").click()
    expect(page.locator("#ready")).to_have_text("2 addresses are ready.")
    page.goto("/users")
    page.locator("#add summary").first.click()
    page.locator("#note").fill("Bienvenue à tous")
    page.locator("#locale").select_option("fr")
    page.locator("#add button[formaction='/invitations/letter']").click()
    expect(page.locator("#letter .mail").first).to_contain_text("Bienvenue à tous")
    expect(page.locator("#letter .mail").first).to_contain_text("Ouvrir la page ne change rien")
    expect(page.locator("#note")).to_have_value("Bienvenue à tous")
    badge(page, 0)


@pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "without-javascript"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_a_file_is_checked_mended_confirmed_and_sent(
    organisation: Organisation, size: str, javascript: bool, tmp_path: Path
) -> None:
    page = organisation.window(size, javascript)
    choose_file(page, file_of(tmp_path, organisation, 3, "bad@,Bo"))
    expect(page.locator("#summary h2")).to_contain_text("3 addresses are ready")
    row = page.locator("#rows tr").first
    row.locator("[name=email]").fill(organisation.address("bo"))
    if javascript:
        page.keyboard.press("Tab")
    else:
        row.get_by_role("button", name="Check").click()
    expect(page.locator("#summary h2")).to_contain_text("4 addresses are ready")
    page.get_by_role("button", name="Send 4 invitations").click()
    if javascript:
        expect(page.locator(".progress")).to_contain_text("4 of 4", timeout=60_000)
        expect(page.locator(".progress")).to_contain_text("Finished.")
        expect(page.locator(".stop button")).to_be_hidden()
        expect(page.locator("#rows .status").first).to_have_text("Sent")
        expect(page.locator("#flash")).to_contain_text("in the background")
        expect(page.locator("main :focus")).to_have_count(0)
        badge(page, 4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the results").click()
    assert download.value.suggested_filename.endswith(".csv")


def test_a_press_that_leaves_the_last_row_to_mend_of_a_file_sends_it(
    organisation: Organisation, tmp_path: Path
) -> None:
    page = organisation.window("phone")
    choose_file(page, file_of(tmp_path, organisation, 3, "bad@,Bo"))
    page.locator("#rows tr [name=email]").first.fill(organisation.address("bo"))
    page.get_by_role("button", name="Send 3 invitations").hover()
    with page.expect_response(re.compile(r"/uploads/\d+/rows/\d+$")) as answer:
        page.mouse.down()
    answer.value.finished()
    expect(page.locator("#summary h2")).to_contain_text("4 addresses are ready")
    page.mouse.up()
    expect(page.locator(".progress")).to_contain_text("4 of 4", timeout=20_000)


def test_the_progress_moves_in_other_windows_and_survives_a_reload(
    house: Service, organisation: Organisation, tmp_path: Path
) -> None:
    here, there = organisation.window(), organisation.window("phone")
    choose_file(here, file_of(tmp_path, organisation, 450))
    with house.resting():
        here.get_by_role("button", name="Send 450 invitations").click()
        expect(here.locator(".progress")).to_contain_text("0 of 450 invitations sent")
        remember(here)
        here.locator("#more a").click()
        expect(here.locator("#file-rows tbody tr")).to_have_count(100)
        here.locator("#tabs a").first.focus()
        there.goto("/users")
        there.locator("#emails").fill("half typed")
        expect(there.locator(".progress")).to_contain_text("0 of 450 invitations sent")
    expect(there.locator(".progress")).to_contain_text("Finished.", timeout=120_000)
    expect(there.locator("#emails")).to_have_value("half typed")
    expect(here.locator("#file-rows .status").filter(has_text="Sent")).to_have_count(100)
    expect(here.locator("#tabs a").first).to_be_focused()
    still_there(here)
    here.reload()
    expect(here.locator(".progress")).to_contain_text("450 of 450")


def test_the_columns_are_chosen_where_no_heading_is_known(
    organisation: Organisation, tmp_path: Path
) -> None:
    page = organisation.window()
    path = tmp_path / "kontakte.csv"
    path.write_text(f"Kontakt;Wer\r\n{organisation.address('anna')};Änne\r\n", encoding="cp1252")
    choose_file(page, path)
    page.locator("#email").select_option(label="Kontakt")
    page.locator("#name").select_option(label="Wer")
    page.get_by_role("button", name="Check the rows").click()
    expect(page.locator("#rows")).to_contain_text("Änne")
    expect(page.locator("#summary h2")).to_contain_text("1 address is ready")


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(
    organisation: Organisation, tmp_path: Path
) -> None:
    page = organisation.window()
    path = tmp_path / "large.csv"
    path.write_bytes(b"x" * (20 * 1024 * 1024 + 1))
    page.goto("/uploads")
    page.set_input_files("#file", path)
    said = page.locator("#file").evaluate("el => el.validationMessage")
    assert "larger than 20 MB" in said
    small = tmp_path / "small.csv"
    small.write_bytes(b"Email\na@b.example\n")
    page.set_input_files("#file", small)
    assert page.locator("#file").evaluate("el => el.validationMessage") == ""
