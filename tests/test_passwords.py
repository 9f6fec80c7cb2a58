"""What a new password may be: long, of any characters, and none that everybody tries first."""

import lzma

import pytest

from webapp import passwords
from webapp.passwords import weakness

OWN = ("claire.dumas@atelier.example", "Claire Dumas", "Fluvial SARL")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("x" * 11, "length"),
        ("é" * 12, ""),
        ("x" * 128, ""),
        ("x" * 129, "length"),
        ("            ", ""),
        ("many small streams make a river", ""),
        ("пароль из слов и рек", ""),
        ("123456789012", "common"),
        ("passwordpassword", "common"),
        ("PasswordPassword", "common"),
        ("qwertyqwerty", "common"),
        ("1qaz2wsx3edc", "common"),
        ("claire.dumas1", "own"),
        ("Dumas-Claire-2026", "own"),
        ("affluent-2026!", "own"),
        ("fluvialfluvial", "own"),
        ("atelier12345678", "own"),
        ("claire likes to swim", ""),
        ("the confluence 1", ""),
    ],
)
def test_a_new_password(password: str, why: str) -> None:
    assert weakness(password, *OWN) == why


def test_the_list_holds_the_first_ten_thousand_and_its_licence() -> None:
    text = lzma.decompress(passwords.COMMON.read_bytes()).decode()
    listed = [line for line in text.splitlines() if not line.startswith("#")]

    assert "MIT License" in text
    assert len(set(listed)) == len(listed) == 10_000
    assert {len(line) >= passwords.LEAST for line in listed} == {True}
    assert passwords.COMMON.stat().st_size < 70_000


@pytest.mark.parametrize("length", [129, 1024])
def test_an_imported_password_may_be_longer_and_is_read_to_its_end(length: int) -> None:
    long = "x" * length
    imported = passwords.hashed(long)

    assert passwords.verified(long, imported)[0]
    assert not passwords.verified(long[:-1], imported)[0]
    assert not passwords.verified(long + "x", imported)[0]
