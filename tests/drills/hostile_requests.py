"""Requests as no form of ours would send them: what fields, bodies, types and headers they have."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

from tests.drills.hostile_words import as_bytes, json_value, one_of, token, word

BOUNDARY = b"line"
MULTIPART = "multipart/form-data; boundary=line"
FORM = "application/x-www-form-urlencoded"
TYPES = (
    *("", FORM, "application/json", "text/plain", "multipart/form-data", MULTIPART, "text/csv"),
    *("multipart/form-data; boundary=" + "x" * 300, "application/x-www-form-urlencoded; charset=x"),
    *("application/xml", "image/png", "////", "application/json; charset=utf-16"),
)
# Of a header what a server would let through: no line ends and nothing beyond Latin-1.
HEADERS: dict[str, tuple[str, ...]] = {
    "HTTP_HX_REQUEST": ("true", "true", "true", "false", "\xff"),
    "HTTP_HX_TARGET": ("users", "#", "x" * 5000, "\x00", "{{7*7}}"),
    "HTTP_HX_CURRENT_URL": ("http://evil.example/", "//", "http://[", "http://127.0.0.1:8000/\xff"),
    "HTTP_ACCEPT_LANGUAGE": ("fr", "en", "x;q=" + "9" * 400, "fr;q=zz," * 500, "\xff", "*"),
    "HTTP_USER_AGENT": ("x" * 20_000, "\xff\x00", "Mozilla/5.0 (" * 500, ""),
    "HTTP_REFERER": ("http://evil.example/", "http://[", "\xff"),
    "HTTP_ORIGIN": ("null", "http://evil.example", "\xff"),
    "HTTP_HOST": ("evil.example", "127.0.0.1:99999999", "[", "\xff", ""),
    "HTTP_COOKIE": (
        "affluent=x",
        "affluent=" + "." * 5000,
        "\xff=\xff",
        ";;;=",
        "affluent=.eJx.x.x",
    ),
    "HTTP_IF_NONE_MATCH": ('"x"', '"', "*", 'W/"' + "x" * 5000),
    "HTTP_IF_MODIFIED_SINCE": ("x", "Thu, 99 Foo 99999 99:99:99 GMT"),
    "HTTP_RANGE": ("bytes=9-1", "bytes=" + "9" * 400 + "-", "x"),
    "HTTP_X_FORWARDED_FOR": ("\xff", "1" * 5000),
    "HTTP_SEC_FETCH_SITE": ("cross-site", "\xff"),
    "HTTP_STRIPE_SIGNATURE": ("t=1,v1=x", "t=" + "9" * 400 + ",v1=0", "\xff", "t=-1,v1="),
    "HTTP_X_CSRFTOKEN": ("", "x", "\xff", "." * 5000),
}


@dataclass(frozen=True, repr=False)
class Sent:
    """`path` and `query` are quoted; `headers` are of the WSGI environment."""

    role: str
    path: str
    query: str
    content_type: str
    body: bytes
    headers: dict[str, str]

    def __repr__(self) -> str:
        whole = (self.role, f"{self.path}?{self.query}", self.content_type, self.body, self.headers)
        return ", ".join(f"{part!r:.1500}" for part in whole)


@dataclass(frozen=True)
class Route:
    """`pieces` of the address; those in `values` are arguments, with what they usually are.
    `names` are the fields that its view was seen to ask for."""

    endpoint: str
    method: str
    pieces: tuple[str, ...]
    values: dict[str, str]
    names: tuple[str, ...]
    roles: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.method} {self.endpoint}"


def quoted(text: str, safe: str = "") -> str:
    return quote(as_bytes(text), safe=safe)


def _form(pairs: list[tuple[str, str]]) -> bytes:
    coded = ((quote_plus(as_bytes(name)), quote_plus(as_bytes(value))) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in coded).encode()


def _multipart(pairs: list[tuple[str, str]], filename: str | None) -> bytes:
    parts = b""
    for name, value in pairs:
        head = b'Content-Disposition: form-data; name="' + as_bytes(name) + b'"'
        if filename is not None and name in ("file", "upload"):
            head += b'; filename="' + as_bytes(filename) + b'"'
        parts += b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + as_bytes(value) + b"\r\n"
    return parts + b"--" + BOUNDARY + b"--\r\n"


def _json(pairs: list[tuple[str, str]], value: Any) -> bytes:
    return json.dumps({**dict(pairs), "value": value}).encode()


@st.composite
def bodies(draw: Any, names: tuple[str, ...]) -> tuple[str, bytes]:
    """A content type and a body: mostly a form, sometimes one that is broken or something else."""
    name = st.sampled_from(names) if names else token
    pairs = draw(st.lists(st.tuples(name, word), max_size=5))
    # Most of the fields are there once, so that views come to the end of what they check.
    pairs += [(each, draw(word)) for each in names[:6] if draw(st.booleans())]
    kind = draw(
        st.sampled_from(("form",) * 6 + ("multipart",) * 3 + ("cut", "json", "deep", "raw"))
    )
    if kind == "form":
        return FORM, _form(pairs)
    if kind == "multipart":
        return MULTIPART, _multipart(pairs, draw(st.one_of(st.none(), word)))
    if kind == "cut":
        whole = _multipart(pairs, draw(word)) if draw(st.booleans()) else _form(pairs)
        return draw(one_of(TYPES)), whole[: draw(st.integers(0, len(whole)))]
    if kind == "json":
        return draw(st.sampled_from((FORM, "application/json"))), _json(pairs, draw(json_value))
    if kind == "deep":
        return "application/json", b'{"a":[' * draw(st.integers(1, 20_000))
    return draw(one_of(TYPES)), draw(st.binary(max_size=60))


@st.composite
def requests(draw: Any, route: Route) -> Sent:
    has_body = route.method != "GET"
    # A wrong address is answered before anything is read: mostly it is a right one.
    is_odd = draw(st.integers(0, 5)) == 0
    path = "".join(
        quoted(draw(word) if is_odd else route.values[piece]) if piece in route.values else piece
        for piece in route.pieces
    )
    name = st.sampled_from(route.names) if route.names else token
    fields = [] if has_body and not is_odd else draw(st.lists(st.tuples(name, word), max_size=4))
    query = _form(fields).decode()
    content_type, body = draw(bodies(route.names)) if has_body else ("", b"")
    headers = {}
    for key in draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=2, unique=True)):
        headers[key] = draw(one_of(HEADERS[key]))
    role = draw(st.sampled_from(route.roles))
    return Sent(role, path, query, content_type, body, headers)
