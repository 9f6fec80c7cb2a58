"""What the browser is sent besides pages: vendored as recorded, ours alone, and small."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

import brotli
import pytest

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "webapp" / "static"
OURS = ("app.css", "app.js", "favicon.svg", "passkeys.js")
VENDORED: dict[str, str] = dict(
    re.findall(r"^\| (\S+) \|.*`sha384-(\S+)` \|$", (STATIC / "VERSIONS.md").read_text(), re.M)
)
TEMPLATES = sorted([*ROOT.glob("webapp/pages/**/*.html"), *ROOT.glob("webapp/partials/**/*.html")])


def wire_size(*names: str) -> int:
    """Bytes after gzip, which every browser takes; brotli is smaller still."""
    return sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in names)


def test_every_file_is_ours_or_recorded() -> None:
    served = {path.name for path in STATIC.iterdir() if path.suffix not in (".br", ".gz")}

    assert served == {*VENDORED, *OURS, "VERSIONS.md", "LICENCES.txt"}


@pytest.mark.parametrize("name", VENDORED)
def test_a_vendored_file_is_what_was_recorded(name: str) -> None:
    digest = hashlib.sha384((STATIC / name).read_bytes()).digest()

    assert base64.b64encode(digest).decode() == VENDORED[name]


@pytest.mark.parametrize("name", ["app.css", "app.js", "passkeys.js"])
def test_our_files_load_nothing_from_outside(name: str) -> None:
    assert not re.findall(r"https?:|//[a-z0-9-]+\.[a-z]|@import", (STATIC / name).read_text())


@pytest.mark.parametrize("name", ["app.js", "passkeys.js"])
def test_our_scripts_evaluate_no_text(name: str) -> None:
    assert not re.findall(r"\beval\b|new Function|innerHTML", (STATIC / name).read_text())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_inline_style_or_script(template: Path) -> None:
    text = template.read_text()

    assert not re.findall(r"\sstyle=|<style|hx-on|javascript:|\bjs:|<script(?![^>]*\ssrc=)", text)


def test_every_icon_in_use_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
    # icon("users"), button(_("Add"), "user-plus") and empty("mail", …) name them in templates.
    named = r'\bicon\("([a-z0-9-]+)"|\bempty\("([a-z0-9-]+)"|\bbutton\(_\([^)]*\), "([a-z0-9-]+)"'
    used = {
        name
        for template in TEMPLATES
        for found in re.findall(named, template.read_text())
        for name in found
        if name
    }

    assert "affluent" in used
    assert used <= drawn


def test_the_font_that_the_page_preloads_is_the_one_the_stylesheet_asks_for() -> None:
    asked = re.findall(r'url\("([^"]+)"\)', (STATIC / "app.css").read_text())
    layout = (ROOT / "webapp" / "pages" / "layout.html").read_text()

    assert asked == re.findall(r'rel="preload" href="/static/([^"]+)"', layout)
    assert (STATIC / asked[0]).is_file()


def test_styles_leave_twelve_of_thirty_kilobytes_to_the_page() -> None:
    assert wire_size("app.css") < 6_500
    assert wire_size("app.css", "pico.css") < 18_000


def test_a_first_view_stays_well_under_a_hundred_kilobytes() -> None:
    font = next(STATIC.glob("*.woff2")).stat().st_size
    everything = wire_size("app.css", "pico.css", "app.js", "htmx.min.js", "icons.svg")

    assert everything + wire_size("favicon.svg", "passkeys.js") + font < 86_000


def test_a_compressed_copy_holds_what_its_source_holds() -> None:
    unpack = {".br": brotli.decompress, ".gz": gzip.decompress}
    for copy in STATIC.iterdir():
        if copy.suffix in unpack:
            source = copy.with_suffix("")
            assert unpack[copy.suffix](copy.read_bytes()) == source.read_bytes(), (
                f"{copy.name} is older than {source.name}: make run and make test renew it"
            )
