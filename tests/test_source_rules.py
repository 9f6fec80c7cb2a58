"""What the source must not say, each rule shown on a sample that it finds."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = sorted(path for folder in ("webapp", "invoices") for path in (ROOT / folder).rglob("*.py"))
PAGES = sorted(
    path for folder in ("webapp", "invoices") for path in (ROOT / folder).rglob("*.html")
)
VIEWS = [path for path in CODE if "views" in path.parts]

# name → (where, what must not be there, samples that it finds, samples that it leaves alone)
RULES: dict[str, tuple[list[Path], str, tuple[str, ...], tuple[str, ...]]] = {
    "a row by its id alone, whosever it is": (
        VIEWS,
        r"\.get_by_id\(|\b[A-Z]\w+\.get\(\s*\w+\.id == \w+_id\s*\)",
        ("Invitation.get_by_id(invitation_id)", "Upload.get(Upload.id == upload_id)"),
        ("Upload.get(Upload.id == upload_id, Upload.account == account)",),
    ),
    "markup that is not escaped": (
        [*CODE, *PAGES],
        r"\|\s*safe\b|autoescape\s+false|autoescape=False|render_template_string",
        ("{{ name|safe }}", "{% autoescape false %}", "render_template_string(name)"),
        ("{{ name|safely }}", "{{ name }}"),
    ),
    "an attribute without quotes": (
        PAGES,
        r"<[^>%{}]*\s[\w-]+=\{\{",
        ("<a title={{ name }}>", '<a class="x" href={{ url }}>'),
        ('<a title="{{ name }}">', "<a title='{{ name|tojson }}'>"),
    ),
    "script in an attribute": (
        PAGES,
        r"\bhx-on\b|\bjs:|javascript:|\son[a-z]+=",
        ('<p hx-on="x">', "<p hx-vals='js:{a: 1}'>", '<a href="javascript:x">', '<p onclick="x">'),
        ('<p hx-post="/x">', '<option value="x">'),
    ),
    "an address out of the Host header": (
        CODE,
        r"_external\s*=\s*True|request\.(?:host|host_url|url_root|base_url|root_url|url)\b",
        ('url_for("x", _external=True)', "request.host_url + path"),
        ('url_for("x")', "settings.base_url"),
    ),
    "a finding that is waved through without a reason": (
        CODE,
        r"#\s*nosec\b(?! B\d{3} # \w+ \w+)",
        ("x  # nosec", "x  # nosec: ours", "x  # nosec B608", "x  #nosec B608 # "),
        ("x  # nosec B608 # names of columns",),
    ),
    "a transaction that may be overtaken": (
        [path for path in CODE if path.name != "database.py"],
        r"""\bBEGIN(?! IMMEDIATE)\b["' ;]|\.(?:atomic|transaction)\(\s*["']DEFERRED""",
        ('execute_sql("BEGIN")', 'execute("BEGIN DEFERRED")', 'database.transaction("DEFERRED")'),
        ('execute_sql("BEGIN IMMEDIATE")', "database.transaction()"),
    ),
    "words in a query that are not its parameters": (
        VIEWS,
        r"""(?:execute_sql|\bSQL)\((?!"[^"{]*"[,)])""",
        ('database.execute_sql(f"SELECT {name}")', "SQL(name)"),
        ("select(User)", 'execute_sql("SELECT 1")', 'execute_sql("SELECT ?", (name,))'),
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_the_rule_finds_its_samples_and_nothing_else(name: str) -> None:
    _, pattern, bad, good = RULES[name]

    assert [sample for sample in bad if not re.search(pattern, sample)] == []
    assert [sample for sample in good if re.search(pattern, sample)] == []


@pytest.mark.parametrize("name", RULES)
def test_the_source_says_nothing_of_the_sort(name: str) -> None:
    paths, pattern, _, _ = RULES[name]
    found = [
        f"{path.relative_to(ROOT)}:{number} {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(pattern, line)
    ]

    assert paths
    assert found == []
