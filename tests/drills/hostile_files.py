"""Hostile files: what is imported, uploaded, piped in by a mail server or sent by the gateway."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from tests.drills.hostile_requests import BOUNDARY, MULTIPART, Route, Sent
from tests.drills.hostile_stage import Fault, Stage
from tests.drills.hostile_words import as_bytes, json_value, one_of, token, word
from tests.imports import read
from webapp import clock
from webapp.actions import bounces
from webapp.database import database
from webapp.errors import Invalid
from webapp.imports import delivery_reports
from webapp.imports.files import COLUMNS, Unreadable, lines_in
from webapp.models import OutboxMessage
from webapp.payments.webhooks import secret, signature

REPORTS = sorted((Path(__file__).parent.parent / "reports").glob("*.eml"))
LINE = {
    "email": "ines@example.org", "name": "Ines", "plan": "pro", "currency": "EUR",
    "period_start": "2026-11-01", "period_end": "2026-12-01", "paid": "10.00", "tax": "1.00",
    "tax_rate": "20", "payment_reference": "p-1", "paid_at": "2026-11-01T09:00:00Z",
}  # fmt: skip
NESTED = {
    "payments": {"reference": "p-1", "captured_minor": 1000, "tax_minor": 100, "tax_rate": "20"},
    "invoices": {"number": "F-9", "owed_minor": 1000, "due_on": "2026-12-01"},
    "other_users": {"email": "u@example.org", "name": "U"},
}
HEADINGS = ("Email", "Name", "First name", "Department", "Job title", "Licence", "Role", "Language")
cell = st.one_of(word, st.sampled_from(("a@example.org", "b@example.org", "admin", "fr", "Bo")))


@st.composite
def tables(draw: Any, headings: tuple[str, ...], first: dict[str, str]) -> bytes:
    """CSV, mostly with known headings; a line that would do, but for some cells; sometimes cut."""
    names = draw(st.lists(st.one_of(st.sampled_from(headings), token), max_size=4))
    names = [headings[0], *names] if draw(st.integers(0, 9)) else names
    names = [*dict.fromkeys([*names, *first])]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=draw(st.sampled_from(",,,;\t")), escapechar="\\")
    writer.writerow(names)
    for _ in range(draw(st.integers(1, 3))):
        changed = draw(st.dictionaries(st.sampled_from(names), cell, max_size=3)) if names else {}
        writer.writerow([changed.get(name, first.get(name, "")) for name in names])
    content = as_bytes(text.getvalue())
    if draw(st.integers(0, 7)) == 0:
        content = content.replace(b'"', b"", 1)[: draw(st.integers(0, len(content)))]
    return draw(st.sampled_from((b"", b"", b"\xef\xbb\xbf", b"\xff\xfe"))) + content


@st.composite
def json_lines(draw: Any) -> bytes:
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        line: dict[str, Any] = dict(LINE)
        for name, inner in NESTED.items():
            if draw(st.booleans()):
                odd = draw(st.dictionaries(st.sampled_from(sorted(inner)), json_value, max_size=2))
                line[name] = [{**inner, **odd}]
        known = st.sampled_from([*COLUMNS, *NESTED, "trial_end"])
        line |= draw(st.dictionaries(st.one_of(known, token), json_value, max_size=2))
        lines.append(json.dumps(line))
    lines.append(draw(one_of(("", '{"a":' * 5000, "[" * 90_000, "{}", "\ufeff", "1e999"))))
    return as_bytes("\n".join(lines))


@st.composite
def reports(draw: Any) -> bytes:
    """A report of some server, with some of its words exchanged."""
    content = draw(st.sampled_from(REPORTS)).read_bytes()
    ours = f"<outbox-{draw(st.sampled_from((1, 2, 10**17, 10**18 - 1)))}@127.0.0.1>"
    content = content.replace(b"MESSAGE-ID", draw(st.sampled_from((ours, "<x>"))).encode())
    pieces = (
        *(b"failed", b"zoe@example.org", b"5.1.1", b"rfc822", b"us-ascii", b"utf-8", b"boundary"),
        *(b"multipart", b"\n\n", b"Action", b"Content-Type", b"message/", b"smtp;"),
    )
    for piece in draw(st.lists(st.sampled_from(pieces), max_size=3)):
        content = content.replace(piece, as_bytes(draw(word))[:3000], draw(st.integers(1, 3)))
    return content[: draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))]


@st.composite
def events(draw: Any) -> bytes:
    about = {"id": "re_1", "object": "refund", "payment_intent": "pi_1", "charge": "ch_1",
             "customer": "cus_1", "metadata": {"refund_key": "refund-1"}}  # fmt: skip
    about |= draw(st.dictionaries(st.sampled_from(sorted(about)), json_value, max_size=2))
    kinds = ("refund.updated", "charge.dispute.created", "invoice.paid", "customer.updated")
    told: dict[str, Any] = {"object": "event", "data": {"object": about}}
    told |= {"id": draw(st.one_of(st.just("evt_1"), word)), "type": draw(st.sampled_from(kinds))}
    told |= draw(
        st.dictionaries(st.sampled_from(("id", "type", "data", "x")), json_value, max_size=1)
    )
    deep = (json.dumps(told).encode(), b'{"data":' * 20_000, b"[" * 90_000)
    return draw(st.one_of(one_of(deep[:1]), one_of(deep[:1]), one_of(deep)))


@st.composite
def workbooks(draw: Any) -> bytes:
    """What calls itself one: parts that are missing, broken, or hold an entity of entities."""
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Email</t></is></c></row>'
        f'<row r="{draw(st.sampled_from(("2", "0", "-1", "9" * 30, "x")))}">'
        f'<c r="{draw(st.sampled_from(("A2", "ZZZZZZ2", "A", "", "1")))}" t='
        f'"{draw(st.sampled_from(("s", "inlineStr", "b", "d", "n", "zz")))}">'
        f"<v>{draw(st.sampled_from(('1', '9' * 30, '1e999', '-1', 'NaN', '', 'x')))}</v></c></row>"
        "</sheetData></worksheet>"
    )
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
    names = ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml", "../../x")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in draw(st.lists(st.sampled_from(names), max_size=4, unique=True)):
            archive.writestr(name, draw(st.sampled_from((sheet, bomb, "", "<a", "\0"))))
    content = file.getvalue()
    return content[: draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))]


def take_accounts(stage: Stage, content: bytes, name: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)

        def imported() -> None:
            lines_in(path)
            read(path)

        _stood(stage, f"import of {name}", content, imported, Unreadable)


def take_report(stage: Stage, content: bytes) -> None:
    def piped() -> None:
        OutboxMessage.get()  # opens the connection as the command does
        bounces.take_in(delivery_reports.read(content))

    _stood(stage, "delivery report", content, piped, Invalid)


def _stood(
    stage: Stage, what: str, content: bytes, work: Callable[[], Any], *refusals: type[Exception]
) -> None:
    database.connect(reuse_if_open=True)
    try:
        stage.timed(what, work)
    except refusals:
        pass
    except Fault:
        raise
    except Exception as error:
        raise Fault(f"{what}: {type(error).__name__}: {error}: {content[:2000]!r}") from error
    finally:
        stage.keep.restore()
    stage.sent += 1


def take_upload(stage: Stage, content: bytes, filename: str) -> None:
    """Uploaded by the owner, looked at and confirmed."""
    body = (
        b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="'
        + as_bytes(filename) + b'"\r\n\r\n' + content + b"\r\n--" + BOUNDARY + b"--\r\n"
    )  # fmt: skip
    route = Route("uploads.create", "POST", ("/uploads",), {}, (), ("owner",))
    stage.play(route, Sent("owner", stage.path_of("uploads.create"), "", MULTIPART, body, {}))


def take_event(stage: Stage, content: bytes) -> None:
    """Signed as by the gateway, which may still send anything."""
    key = secret(stage.app.config["SETTINGS"])
    signed = {"HTTP_STRIPE_SIGNATURE": signature(content, key, clock.now())}
    path = stage.path_of("webhooks.stripe")
    route = Route("webhooks.stripe", "POST", (path,), {}, (), ("nobody",))
    stage.play(route, Sent("nobody", path, "", "application/json", content, signed))


# name → the strategy of its contents, and who takes them in
FILES: dict[str, tuple[Any, Callable[[Stage, bytes], None]]] = {
    "accounts.csv": (tables(COLUMNS, LINE), lambda s, c: take_accounts(s, c, "accounts.csv")),
    "accounts.jsonl": (json_lines(), lambda s, c: take_accounts(s, c, "accounts.jsonl")),
    "people.csv": (tables(HEADINGS, {}), lambda s, c: take_upload(s, c, "people.csv")),
    "people.xlsx": (workbooks(), lambda s, c: take_upload(s, c, "people.xlsx")),
    "delivery report": (reports(), take_report),
    "gateway's event": (events(), take_event),
}
