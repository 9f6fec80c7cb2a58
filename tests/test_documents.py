"""What the documents name is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECURITY = (ROOT / "docs" / "security.md").read_text()


def test_every_test_that_security_names_is_there() -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)\(", tests, re.M))
    named = set(re.findall(r"`(test_\w+)`", SECURITY))

    assert len(named) > 20
    assert named <= there, named - there


def test_every_file_that_security_names_is_there() -> None:
    named = {
        *re.findall(r"`((?:tests|webapp)/[\w/]+\.py)`", SECURITY),
        *(f"docs/{path}" for path in re.findall(r"\]\(([\w./]+\.\w+)", SECURITY)),
    }

    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).is_file()] == []
