"""What the address bar asks of the users list, and how a key is written there."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

from flask import request, url_for
from werkzeug.datastructures import MultiDict

from webapp.actions import invitations
from webapp.models.asked import FILTERS, SORTS, Asked, Key
from webapp.models.people import Person
from webapp.security import came_from

LONGEST = 400


def asked_for() -> Asked:
    """Of this request, or, where it changed something, of the page that it came from."""
    return read(request.args) if request.method == "GET" else asked_before()


def asked_before() -> Asked:
    """Of the page that this request came from; keys apart, since its first rows are shown."""
    page = came_from()
    if page.path != url_for("users.index"):
        return Asked()
    return replace(read(MultiDict(parse_qs(page.query))), after=None, until=None)


def read(args: MultiDict[str, str]) -> Asked:
    """Unknown words in the address mean "any": a shared link still shows a list."""
    asked = Asked(q=_text(args, "q"), department=_text(args, "department"))
    if args.get("status") in FILTERS:
        asked = replace(asked, status=args["status"])
    if args.get("role") in ("owner", *invitations.ROLES):
        asked = replace(asked, role=args["role"])
    if args.get("licence") in invitations.LICENCES:
        asked = replace(asked, licence=args["licence"])
    if args.get("sort") in SORTS:
        asked = replace(asked, sort=args["sort"])
    asked = replace(asked, inviter=_number(args.get("inviter", "")))
    after, until = (_key(args.get(name, ""), asked.sort) for name in ("after", "until"))
    return replace(asked, after=after, until=until)


def written(key: Key | None) -> str | None:
    """A key as it stands in an address."""
    if key is None:
        return None
    value, kind, id = key
    text = value if isinstance(value, str) else f"{value.timestamp():.6f}"
    return f"{text}~{kind}~{id}"


def cursor(person: Person, asked: Asked) -> str | None:
    return written(person.key(asked.sort))


def _key(text: str, sort: str) -> Key | None:
    rest, _, id = text[:LONGEST].rpartition("~")
    value, _, kind = rest.rpartition("~")
    number = _number(id)
    if kind not in ("member", "invitation") or number is None:
        return None
    if sort.endswith("name"):
        return _clean(value), kind, number
    try:
        return datetime.fromtimestamp(float(value), UTC), kind, number
    except (ValueError, OverflowError, OSError):
        return None


def _number(text: str) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number < 2**63 else None


def _text(args: MultiDict[str, str], name: str) -> str:
    return _clean(args.get(name, "")).strip()[:100]


def _clean(text: str) -> str:
    """Without what no database takes."""
    return text.replace("\0", "").encode(errors="ignore").decode()
