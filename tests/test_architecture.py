"""Who may import whom, and how long things may grow."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = sorted(
    path
    for folder in ("webapp", "invoices")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.parts
)

# Leaves: they know nothing of the program, so anyone may import them.
LEAVES = {
    "addresses",
    "agents",
    "archives",
    "charts",
    "clock",
    "config",
    "downloads",
    "errors",
    "mime",
    "passwords",
    "policy",
    "qr",
    "sealing",
    "spreadsheets",
    "texts",
    "webauthn",
}
# part of webapp/ → what it may import of webapp/, leaves apart; others are the root's.
MAY_IMPORT = {
    "models": {"models", "database"},
    "migrations": {"migrations", "database"},
    "outbox": {"outbox", "models", "database"},
    "permissions": {"models"},
    "payments": {"payments", "database", "models"},
    "imports": {"imports"},
    "actions": {
        "actions",
        "models",
        "database",
        "permissions",
        "outbox",
        # What gateways answer and tell, as values; which gateway it is, actions do not know.
        "payments.gateway",
        "payments.webhooks",
        "payments.source",
        "imports",
    },
    "views": {
        "views",
        "actions",
        "models",
        "database",
        "permissions",
        "outbox",
        "htmx",
        "i18n",
        "security",
        "metrics",
        "polls",
        "migrations",
        "demo",
        "imports",
        "payments.webhooks",
    },
    "handlers": {
        "handlers",
        "actions",
        "models",
        "database",
        "outbox",
        "forms",
        "mailer",
        "smtp",
        "smtp_line",
        "payments",
        "permissions",
    },
    "mailer": {"models", "forms", "letters"},
    "forms": {"letters"},
    "letters": set(),
    "smtp": {"models", "database", "mailer", "outbox", "smtp_line"},
    "smtp_line": {"mime", "outbox"},
    "demo": {"demo", "actions", "models", "database", "outbox", "payments", "imports"},
}
# What stands outside of Flask altogether.
NO_FLASK = ("models", "actions", "payments", "imports", "migrations", "outbox", "permissions")
OUTSIDE = {"invoices": {"babel", "jinja2", "weasyprint", "invoices"}}


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, `from webapp import x` as webapp.x, with its line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "webapp":
                yield from ((f"webapp.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


def part_of(path: Path) -> str:
    relative = path.relative_to(ROOT / "webapp")
    return relative.parts[0].removesuffix(".py")


def test_the_money_core_imports_nothing_of_the_program() -> None:
    allowed = OUTSIDE["invoices"] | set(sys.stdlib_module_names)
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in PRODUCT
        if path.is_relative_to(ROOT / "invoices")
        for name, line in imported(path)
        if name.partition(".")[0] not in allowed
    ]
    assert found == []


def test_weasyprint_is_imported_in_one_place() -> None:
    importing = {
        str(path.relative_to(ROOT))
        for path in PRODUCT
        for name, _ in imported(path)
        if name.partition(".")[0] == "weasyprint"
    }
    assert importing == {"invoices/pdf.py"}


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_each_part_imports_only_what_it_may(part: str) -> None:
    allowed = MAY_IMPORT[part] | LEAVES
    found = []
    for path in PRODUCT:
        if not path.is_relative_to(ROOT / "webapp") or part_of(path) != part:
            continue
        for name, line in imported(path):
            if not name.startswith("webapp."):
                continue
            inner = name.removeprefix("webapp.")
            if inner.partition(".")[0] not in allowed and inner not in allowed:
                found.append(f"{path.relative_to(ROOT)}:{line} {name}")
    assert found == []


@pytest.mark.parametrize("part", NO_FLASK)
def test_rules_and_rows_know_no_flask(part: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in PRODUCT
        if path.is_relative_to(ROOT / "webapp") and part_of(path) == part
        for name, line in imported(path)
        if name.partition(".")[0] in ("flask", "flask_babel", "flask_login", "flask_mail")
    ]
    assert found == []


def test_nobody_imports_views_but_the_app() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in PRODUCT
        for name, line in imported(path)
        if name.startswith("webapp.views") and "views" not in path.parts
        if path != ROOT / "webapp" / "__init__.py"
    ]
    assert found == []


def test_only_the_clock_tells_time_and_draws_randomness() -> None:
    told = re.compile(
        r"datetime\.now|date\.today|time\.time\(|utcnow|\bsecrets\.|\brandom\.|uuid4|os\.urandom"
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in PRODUCT
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if told.search(line)
        # The development key is drawn before there is an app.
        and path.name not in ("clock.py", "config.py")
    ]
    assert found == []


def test_only_the_configuration_reads_the_environment() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in PRODUCT
        if re.search(r"os\.environ|os\.getenv|getenv\(", path.read_text())
        and path.name != "config.py"
    ]
    assert found == []


def test_files_and_functions_stay_readable() -> None:
    found = []
    for path in PRODUCT:
        text = path.read_text()
        if text.count("\n") > 300:
            found.append(f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > 50:
                    found.append(f"{path.relative_to(ROOT)} {node.name} has {size} lines")
    assert found == []


def test_the_top_level_is_the_one_of_the_card() -> None:
    names = {
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and path.name not in ("instance", "test-results")
    }
    assert {"webapp", "invoices", "tests", "wsgi.py", "requirements.txt", "Procfile"} <= names
    for folder in ("views", "partials", "static"):
        assert (ROOT / "webapp" / folder).is_dir()
