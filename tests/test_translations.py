"""The French catalogue: whole, well set, and compiled as it stands."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import force_locale

from tests.client import Browser
from webapp.i18n import money

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "webapp/translations/fr/LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")

# Straight quotes, and marks that stand without the space that binds them to their word.
BADLY_SET = {
    "a straight quote": re.compile(r"['\"]"),
    "no U+202F before ; ! or ?": re.compile(r"(?<!\u202f)[;!?]"),
    "no U+00A0 before :": re.compile(r"(?<!\u00a0):"),
    "no U+00A0 inside « »": re.compile(r"«(?!\u00a0)|(?<!\u00a0)»"),
    "English quotes": re.compile(r"[“”]"),
    "three dots": re.compile(r"\.\.\."),
}


def catalogue() -> Catalog:
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="fr")


def messages() -> Iterator[Message]:
    return (message for message in catalogue() if message.id)


def key(message: Message) -> tuple[str, str]:
    context = message.context or ""
    # Read from the compiled file it is bytes.
    return context.decode() if isinstance(context, bytes) else context, _forms(message.id)[0]


def _forms(words: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def in_the_sources() -> set[tuple[str, str]]:
    """What bin/translate would gather: (context, sentence)."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    found = extract_from_dir(
        ROOT / "webapp",
        [(each["pattern"], each["method"]) for each in mappings],
        {each["pattern"]: each for each in mappings},
    )
    return {(context or "", _forms(words)[0]) for _, _, words, _, context in found}


def test_every_sentence_of_the_pages_and_mails_stands_in_the_catalogue() -> None:
    catalogued, sources = {key(message) for message in messages()}, in_the_sources()
    assert sources, "nothing was found to translate"
    assert sources - catalogued == set(), "run bin/translate, then write what is new"
    assert catalogued - sources == set(), "run bin/translate, which drops what is gone"


def test_every_sentence_has_its_french() -> None:
    lacking = [key(each) for each in messages() if each.fuzzy or not all(_forms(each.string))]
    assert lacking == []


def test_the_french_names_the_same_facts_as_the_english() -> None:
    whole = catalogue()
    for message in messages():
        facts = set(PLACEHOLDER.findall(_forms(message.id)[-1]))
        for words in _forms(message.string):
            assert set(PLACEHOLDER.findall(words)) == facts, words
        assert list(message.check(whole)) == [], message.id


def test_a_sentence_in_the_plural_is_one_in_french_too() -> None:
    for message in messages():
        assert len(_forms(message.string)) == len(_forms(message.id)), message.id


@pytest.mark.parametrize("fault", BADLY_SET)
def test_the_french_is_well_set(fault: str) -> None:
    found = [
        words
        for message in messages()
        for words in _forms(message.string)
        if BADLY_SET[fault].search(words)
    ]
    assert found == []


def test_no_name_stands_where_french_would_have_to_elide() -> None:
    """« de Atelier Dumas » is no French; a name cannot know whether it begins with a vowel."""
    elides = re.compile(
        r"\b(?:de|que|le|la|ne|si|jusque|lorsque) %\((?:organisation|name|who|seller|inviter)"
    )
    assert [m.id for m in messages() for s in _forms(m.string) if elides.search(s)] == []


def test_what_is_compiled_is_what_was_written() -> None:
    with (FOLDER / "messages.mo").open("rb") as file:
        compiled = {
            _key_of_compiled(each): _forms(each.string) for each in read_mo(file) if each.id
        }
    assert compiled == {key(each): _forms(each.string) for each in messages()}


def _key_of_compiled(message: Message) -> tuple[str, str]:
    context = message.context  # read_mo leaves it in bytes
    return (context.decode() if isinstance(context, bytes) else context or ""), key(message)[1]


@pytest.mark.parametrize(("language", "title"), [("fr", "Se connecter"), ("en", "Sign in")])
def test_a_browser_is_answered_in_its_own_language(app: Flask, language: str, title: str) -> None:
    page = Browser(app, language).get("/sign-in").text
    assert f'<html lang="{language}">' in page
    assert f"<h1>{title}</h1>" in page


@pytest.mark.parametrize(("language", "shown"), [("fr", "49,97\u00a0€"), ("en", "€49.97")])
def test_an_amount_is_written_as_its_reader_writes_it(
    app: Flask, language: str, shown: str
) -> None:
    with force_locale(language):
        assert money(4997, "EUR") == shown
