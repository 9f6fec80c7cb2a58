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


# ASVS 5.0.0: how many requirements each section has up to level 2, which come first in it.
LEVEL_2 = {
    **{"6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4},
    **{"7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2},
    **{"8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1},
}
# And of any level where money moves.
OF_MONEY = {"2.3.3", "2.3.4", "8.3.2", "8.4.1", "15.4.2"}


def test_every_requirement_up_to_level_2_is_answered() -> None:
    named = set(re.findall(r"\b\d+\.\d+\.\d+\b", SECURITY))
    for section, first, last in re.findall(r"\b(\d+\.\d+)\.(\d+)–\d+\.\d+\.(\d+)", SECURITY):
        named |= {f"{section}.{number}" for number in range(int(first), int(last) + 1)}
    wanted = {
        f"{section}.{number}" for section, most in LEVEL_2.items() for number in range(1, most + 1)
    }

    assert (wanted | OF_MONEY) - named == set()
