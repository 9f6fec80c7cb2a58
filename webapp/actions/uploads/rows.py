"""The rows of a file: judged as the preview judges, kept, counted, paged and mended."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from peewee import fn

from webapp import clock
from webapp.actions import limits
from webapp.actions.previews import known
from webapp.addresses import normalised
from webapp.database import insert_rows, locked, transaction
from webapp.errors import Invalid, NotThere, Stale
from webapp.imports import people_columns
from webapp.imports.sheets import Sheet
from webapp.models import Account, Membership, Upload, UploadRow
from webapp.permissions import GRANT_ADMIN, may
from webapp.texts import cleaned

MOST_ROWS = 100_000
CHUNK = 500
PAGE = 50
# What the person can mend in the row itself.
MENDABLE = ("malformed", "repeated")
OF_PERSON = ("email", "name", "department", "job_title", "location", "licence", "role", "locale")
COLUMNS = ("upload", "line", *OF_PERSON, "verdict", "is_mended")

Person = dict[str, str]


def fill(by: Membership, upload: Upload, sheet: Sheet, columns: Mapping[str, int]) -> int:
    """Judges and keeps every row of the file, instead of those kept before; returns how many. A
    chunk is a transaction, so that others write in between. Raises Invalid and Unreadable."""
    UploadRow.delete().where(UploadRow.upload == upload).execute()
    lines = ((line, people_columns.person(cells, columns)) for line, cells in sheet.rows())
    if upload.headings:
        next(lines, None)
    judge = Judge(by, upload.role, clock.now())
    total = 0
    while chunk := list(islice(lines, CHUNK)):
        total += len(chunk)
        if total > MOST_ROWS:
            raise Invalid("rows", field="file")
        verdicts = judge.verdicts([person for _, person in chunk])
        kept = [
            (upload.id, line, *(person[name] for name in OF_PERSON), verdict, False)
            for (line, person), verdict in zip(chunk, verdicts, strict=True)
        ]
        insert_rows(UploadRow, COLUMNS, kept)
    if not total:
        raise Invalid("empty", field="file")
    return total


class Judge:
    """Gives each of a file's people a verdict; remembers the addresses that it has seen. The day's
    limit is none: what is over it goes out on the following days."""

    def __init__(self, by: Membership, role: str, now: datetime) -> None:
        self.account, self.role, self.now = by.account, role, now
        self.grants_admin = may(by, GRANT_ADMIN)
        self.seen: set[str] = set()

    def verdicts(self, people: list[Person]) -> list[str]:
        """Brings good addresses into their one form, in place."""
        good: set[str] = set()
        for person in people:
            try:
                person["email"] = normalised(person["email"])
                good.add(person["email"])
            except ValueError:
                continue
        members, invited = known(self.account, list(good))
        resting = limits.resting(list(good), self.account, self.now)
        found = []
        for person in people:
            email = person["email"]
            verdict = (
                "malformed" if email not in good
                else "repeated" if email in self.seen
                else "member" if email in members
                else "invited" if email in invited
                else "admin" if self._is_beyond(person)
                else "later" if email in resting
                else "ready"
            )  # fmt: skip
            self.seen.add(email)
            found.append(verdict)
        return found

    def _is_beyond(self, person: Person) -> bool:
        return (person["role"] or self.role) == "admin" and not self.grants_admin


def counts(upload: Upload) -> dict[str, int]:
    """How many rows have each verdict."""
    query: Any = (
        UploadRow.select(UploadRow.verdict, fn.COUNT(UploadRow.id))
        .where(UploadRow.upload == upload)
        .group_by(UploadRow.verdict)
    )
    return dict(query.tuples())


def page(upload: Upload, verdict: str, after: int, until: int = 0) -> tuple[list[UploadRow], bool]:
    """At most PAGE rows after a line, of one verdict or of all, and whether there are more. With
    `until` the rows up to that line again, which are some more when the verdict of others changed
    to theirs."""
    query = _following(upload, verdict, after)
    if until:
        return list(query.where(UploadRow.line <= until).limit(2 * PAGE)), False
    found = list(query.limit(PAGE + 1))
    return found[:PAGE], len(found) > PAGE


def each(upload: Upload, failed: bool) -> Iterator[UploadRow]:
    """All rows, or those that nobody was invited for, a chunk at a time."""
    after = 0
    while chunk := list(_following(upload, "failed" if failed else "", after).limit(CHUNK)):
        yield from chunk
        after = chunk[-1].line


def _following(upload: Upload, verdict: str, after: int) -> Any:
    query = UploadRow.select().where(UploadRow.upload == upload, UploadRow.line > after)
    if verdict == "failed":
        query = query.where(
            UploadRow.verdict.not_in(("sent", "ready") if upload.is_draft else ("sent",))
        )
    elif verdict:
        query = query.where(UploadRow.verdict == verdict)
    return query.order_by(UploadRow.line)


def licensed(upload: Upload) -> int:
    """How many of the ready rows ask for a licence."""
    asks = UploadRow.licence.in_(
        ("licensed", "") if upload.licence == "licensed" else ("licensed",)
    )
    ready = (UploadRow.upload == upload) & (UploadRow.verdict == "ready")
    return int(UploadRow.select().where(ready & asks).count())


def locales(upload: Upload) -> list[str]:
    """The languages that the ready rows are written to in."""
    query: Any = (
        UploadRow.select(UploadRow.locale)
        .where(UploadRow.upload == upload, UploadRow.verdict == "ready")
        .distinct()
    )
    return sorted({row[0] or upload.locale for row in query.tuples()})


def ask_for_admins(upload: Upload) -> bool:
    """Is an administrator among the ready ones? Only an owner invites one."""
    ready = (UploadRow.upload == upload) & (UploadRow.verdict == "ready")
    roles = ("admin", "") if upload.role == "admin" else ("admin",)
    return bool(UploadRow.select().where(ready & UploadRow.role.in_(roles)).exists())


def mend(by: Membership, upload: Upload, row_id: int, email: str) -> UploadRow:
    """Writes another address into a row of a draft, and judges it anew."""
    with transaction():
        locked(Account.select(Account.id).where(Account.id == upload.account_id)).first()
        row: UploadRow | None = UploadRow.get_or_none(
            (UploadRow.id == row_id) & (UploadRow.upload == upload)
        )
        if row is None:
            raise NotThere("row")
        is_draft = Upload.select().where(Upload.id == upload.id, Upload.status == "draft").exists()
        if not is_draft or not (row.is_mended or row.verdict in MENDABLE):
            raise Stale("upload")
        person = {name: getattr(row, name) for name in OF_PERSON} | {"email": cleaned(email, 254)}
        judge = Judge(by, upload.role, clock.now())
        (verdict,) = judge.verdicts([person])
        if verdict == "ready" and _stands_elsewhere(row, person["email"]):
            verdict = "repeated"
        row.email, row.verdict, row.is_mended = person["email"], verdict, True
        row.save(only=[UploadRow.email, UploadRow.verdict, UploadRow.is_mended])
    return row


def _stands_elsewhere(row: UploadRow, email: str) -> bool:
    same = (UploadRow.upload == row.upload_id) & (UploadRow.email == email)
    return bool(UploadRow.select().where(same & (UploadRow.id != row.id)).exists())
