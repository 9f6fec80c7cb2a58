"""What every template keeps to, and that every one of them is used."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from tests.apps import make_app
from webapp.i18n import address

ROOT = Path(__file__).resolve().parent.parent / "webapp"
TEMPLATES = sorted(
    path for folder in ("pages", "partials", "mail") for path in (ROOT / folder).rglob("*.html")
)
PAGES = [path for path in TEMPLATES if "mail" not in path.relative_to(ROOT).parts]
FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
# The attributes of an element, in which a template's own marks may say "greater than".
OF_ELEMENTS = re.compile(r"<[a-z][\w-]*((?:\{[{%].*?[}%]\}|[^>{])*)>", re.DOTALL)
UNASKED = re.compile(r"\b(?:poll|change|input|blur|load|every|sse)\b")
IN_PLACE = r"(?:outer|inner)Morph transition:false"
ANSWERS_UNASKED = (
    "partials/users/live.html",
    "partials/users/around.html",
    "partials/users/judged.html",
    "partials/uploads/live.html",
    "partials/uploads/mended.html",
)
NAMED = re.compile(r"\"((?:pages|partials|mail)/[\w/]+\.(?:html|txt))\"")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The app's own, with its filters and globals."""
    return make_app(f"sqlite:///{tmp_path_factory.mktemp('templates')}/unused.db").jinja_env


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_template_compiles(path: Path, environment: Environment) -> None:
    assert environment.get_template(name_of(path)).name == name_of(path)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_form_has_an_action_and_a_csrf_field(path: Path) -> None:
    for form in FORM.findall(path.read_text()):
        opening = form[: form.index(">")]
        assert 'action="' in opening, opening
        if 'method="post"' in opening:
            assert "csrf()" in form, opening


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_template_escapes_the_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\|\s*safe\b|hx-on|\bjs:|javascript:|<script(?![^>]*src=)", text)
    if path in PAGES:
        assert ' style="' not in text
    # An attribute without quotes could be broken out of.
    assert not re.search(r"<[^>]*\s[\w-]+=\{\{", text)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_what_comes_unasked_leaves_a_half_done_press_alone(path: Path) -> None:
    """An answer to a poll, or to a field that was left, may arrive while a button is pressed: what
    is replaced then never hears of the release, nor does anything while a transition is shown."""
    for attributes in OF_ELEMENTS.findall(path.read_text()):
        trigger = re.search(r'hx-trigger="([^"]*)"', attributes)
        if trigger and UNASKED.search(trigger[1]):
            assert re.search(rf'hx-swap="(?:none|{IN_PLACE})"', attributes), attributes


@pytest.mark.parametrize("name", ANSWERS_UNASKED)
def test_so_do_the_parts_of_such_an_answer(name: str) -> None:
    parts = re.findall(r'<hx-partial\b[^>]*hx-swap="([^"]*)"', (ROOT / name).read_text())
    assert parts
    for swap in parts:
        assert re.fullmatch(rf"{IN_PLACE}|(?:beforeend|afterend) transition:false", swap), swap


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_templates_stay_short(path: Path) -> None:
    assert path.read_text().count("\n") <= 100


def test_every_template_is_used() -> None:
    """Named by another one or by the code; mails are named by their letter."""
    sources = [*ROOT.rglob("*.py"), *TEMPLATES, *(ROOT / "mail").rglob("*.txt")]
    named = {name for path in sources for name in NAMED.findall(path.read_text())}
    letters = " ".join(path.read_text() for path in ROOT.rglob("*.py"))
    joined = {f"pages/join/{state}.html" for state in ("sign_in", "offer", "other_person", "dead")}
    unused = [
        name_of(path)
        for path in TEMPLATES
        if name_of(path) not in named | joined and f'"{path.stem}"' not in letters
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ann.li@mail.example", "ann<wbr>.li<wbr>@mail<wbr>.example"),
        ('"<b>"@x.example', "&#34;&lt;b&gt;&#34;<wbr>@x<wbr>.example"),
        ("J. R. Wick", "J. R. Wick"),
    ],
)
def test_an_address_may_break_and_gains_no_character(text: str, shown: str) -> None:
    assert address(text) == shown
