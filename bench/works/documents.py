"""A statement as PDF, warm, beside WeasyPrint used as its documentation shows it on the same page:
styles and fonts read anew each time; and the memory of the process that renders."""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from bench.results import Result
from bench.rounds import medians
from bench.servers import spent
from bench.works.setting import Setting
from invoices import pdf
from invoices.parts import Party
from invoices.periods import BillingPeriod
from invoices.printing import Printer
from invoices.proration import Captured, quote
from invoices.settlement import settle
from invoices.statement import Statement, refund_statement
from invoices.wording import Wording

# So many documents are rendered to see what the process needs at most, or 125 a round.
RENDERS = 5_000


def measure(setting: Setting) -> Iterator[Result]:
    if setting.engine != "sqlite":
        return  # no database takes part
    statement = _statement()
    page = pdf.markup("statement.html", statement, Wording(statement))
    style = _plain_style()

    def naive() -> int:
        before = time.process_time_ns()
        fonts = FontConfiguration()
        css = CSS(string=style, font_config=fonts)
        HTML(string=page).write_pdf(stylesheets=[css], font_config=fonts, pdf_variant="pdf/ua-1")
        return time.process_time_ns() - before

    printer = Printer()
    printer.render(statement)

    def ours() -> int:
        """In the process that renders, and what asking it costs."""
        assert printer.process is not None
        process = printer.process.pid
        before = spent(process) + time.process_time_ns()
        printer.render(statement)
        return spent(process) + time.process_time_ns() - before

    cost = medians({"ours": ours, "naive": naive}, min(setting.rounds, 15))
    printer.close()
    yield Result(
        "statement PDF, warm: ours / WeasyPrint used naively on the same page",
        cost["ours"] / cost["naive"], 0.5,
        figures=f"{cost['ours'] / 1e6:.0f} / {cost['naive'] / 1e6:.0f} ms",
    )  # fmt: skip
    yield Result(
        "statement PDF, warm: rate of one processor",
        1e9 / cost["ours"], 4, unit="a second", is_floor=True,
    )  # fmt: skip
    yield _memory(statement, min(RENDERS, 125 * setting.rounds))


def _plain_style() -> str:
    """Our own style as somebody writes it who has not measured: the system's fonts, tables that
    find their columns, and breaks in any word of any document."""
    folder = pdf.FOLDER / "templates"
    style = "".join((folder / name).read_text() for name in ("statement.css", "long_words.css"))
    style = "".join(line for line in style.splitlines(keepends=True) if "@font-face" not in line)
    for ours, plain in (("Statement, sans-serif", "sans-serif"), ("table-layout: fixed; ", "")):
        if ours not in style:
            raise RuntimeError(f"the style has changed: no {ours}")
        style = style.replace(ours, plain)
    return style


def _memory(statement: Statement, renders: int) -> Result:
    """Of a process that is replaced in time, as the worker's is."""
    printer, seen, processes = Printer(), [], set()
    for number in range(1, renders + 1):
        printer.render(statement)
        if number % 25 == 0 and printer.process is not None:
            seen.append(_resident(printer.process.pid))
            processes.add(printer.process.pid)
    printer.close()
    return Result(
        f"memory of the process that renders, at most, in {renders:,} renders",
        max(seen), 120, unit="MB",
        figures=f"{seen[0]:.0f} MB after 25; replaced after {printer.renders}, "
        f"{len(processes)} processes in all",
    )  # fmt: skip


def _resident(pid: int) -> float:
    """Megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the process has no memory")


def _statement() -> Statement:
    """Eight unused days of thirty, of one payment."""
    payment = Captured(
        reference="ch_3PqX", captured_minor=18739, tax_minor=3123, tax_rate="20",
        method="Visa •••• 4242", gateway="stripe", captured_on=date(2026, 11, 1),
        invoice_number="F-2026-0113", invoice_on=date(2026, 11, 1),
    )  # fmt: skip
    period = BillingPeriod(date(2026, 11, 1), date(2026, 12, 1), None)
    offered = quote("EUR", period, date(2026, 11, 23), (payment,))
    return refund_statement(
        settle(offered, "refund", (payment,)),
        (payment,),
        number="RR-2026-000017",
        issued_on=date(2026, 11, 23),
        locale="fr",
        seller=Party("Nuage Réunions SAS", "12 rue de la Confluence\n69002 Lyon", "FR"),
        customer=Party("Camille Roux", "4 quai Saint-Vincent\n69001 Lyon", "FR"),
        organisation="Atelier Dumas",
        individual="Camille Roux",
        zone="Europe/Paris",
        held_until=None,
    )
