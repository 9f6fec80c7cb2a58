"""What is wrong with a page or a fragment, as a browser or a screen reader would meet it."""

import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

SPRITE = Path(__file__).resolve().parent.parent / "webapp" / "static" / "icons.svg"
VOID = {"meta", "link", "input", "br", "hr", "img", "use", "col", "wbr"}
UNSEEN = {"hidden", "submit", "button"}
# Attributes whose words are read out or filled in, and never followed.
READ = {"aria-label", "alt", "title", "placeholder", "value"}
Attributes = dict[str, str]


class Markup(HTMLParser):
    """Reads HTML once; `faults` is what a page may not have."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.ids: Counter[str] = Counter()
        self.tags: Counter[str] = Counter()
        self.forms: list[Attributes] = []
        self.pointed: list[tuple[str, str]] = []
        self._controls: list[Attributes] = []
        self._targets: set[str] = set()  # of the page that a fragment's pieces go into
        self._open: list[str] = []
        self._has_csrf = False
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self._open]
        self._judge()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "svg" not in self._open:
            self.tags[tag] += 1  # a drawing's title is not the page's
        if len(given) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        if tag not in VOID:
            self._open.append(tag)
        self._look_at(tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1:]}")
            return
        self._open.pop()
        if tag == "form" and self.forms[-1].get("method") == "post" and not self._has_csrf:
            self.faults.append(f"no CSRF field in the form to {self.forms[-1].get('action')}")

    def handle_data(self, data: str) -> None:
        if data.strip() in ("None", "True", "False", "[]", "{}") or "%(" in data:
            self.faults.append(f"{data.strip()!r} is no text for people")

    def _look_at(self, tag: str, given: Attributes) -> None:
        if "id" in given:
            self.ids[given["id"]] += 1
        for name, value in given.items():
            is_run = "javascript:" in value and name not in READ
            if name == "style" or name.startswith(("on", "hx-on")) or is_run:
                self.faults.append(f"<{tag} {name}> that the policy forbids")
        for name in ("for", "aria-describedby", "aria-labelledby", "popovertarget"):
            self.pointed += [(name, id) for id in given.get(name, "").split()]
        if tag == "hx-partial":
            self._targets.add(given.get("hx-target", "").removeprefix("#"))
        if tag == "form":
            self.forms.append(given)
            self._has_csrf = False
            self._judge_form(given)
        if tag == "a" and ("hx-get" in given) and given["hx-get"] != given.get("href"):
            self.faults.append(f"a link leads to {given.get('href')} and {given['hx-get']}")
        if tag == "use":
            self._judge_icon(given.get("href", ""))
        if tag in ("input", "select", "textarea"):
            self._judge_control(given)
        is_in_form = "form" in self._open or "form" in given
        if tag == "button" and not is_in_form and given.get("type") != "button":
            self.faults.append(f"a button without a form: {given}")

    def _judge_form(self, given: Attributes) -> None:
        action, method = given.get("action", ""), given.get("method", "")
        if not action.startswith("/") or action.startswith("//") or method not in ("get", "post"):
            self.faults.append(f"a form to {action!r} by {method!r}")
        for verb in ("hx-post", "hx-get"):
            if verb in given and (given[verb], verb) != (action, f"hx-{method}"):
                self.faults.append(f"a form to {action} that htmx sends to {given[verb]}")

    def _judge_icon(self, href: str) -> None:
        if href.partition("#")[2] not in icons():
            self.faults.append(f"no icon {href}")

    def _judge_control(self, given: Attributes) -> None:
        if given.get("name") == "csrf_token":
            self._has_csrf = len(given.get("value", "")) > 20
        if given.get("type") in UNSEEN or "label" in self._open or "aria-label" in given:
            return
        self._controls.append(given)

    def _judge(self) -> None:
        self.faults += [f"the id {id} is there {n} times" for id, n in self.ids.items() if n > 1]
        labelled = {id for name, id in self.pointed if name == "for"}
        self.faults += [
            f"no label for {one}" for one in self._controls if one.get("id") not in labelled
        ]
        self.faults += [
            f"{name} points at {id}, which is not there"
            for name, id in self.pointed
            if id not in self.ids and id not in self._targets
        ]


@cache
def icons() -> frozenset[str]:
    return frozenset(re.findall(r'<symbol[^>]* id="([^"]+)"', SPRITE.read_text()))


def faults_of(html: str) -> list[str]:
    """Of a whole page, when it begins as one, or of a fragment."""
    markup = Markup(html)
    if "<!doctype" not in html[:40].lower():
        return markup.faults
    title = re.search(r"<title>\s*(.*?)\s*· Affluent\s*</title>", html, re.S)
    faults = [f"{n} <{tag}>" for tag in ("h1", "main", "title") if (n := markup.tags[tag]) != 1]
    if title is None or not title[1]:
        faults.append("no title")
    if not re.search(r'<html lang="(fr|en)">', html):
        faults.append("no language")
    return markup.faults + faults
