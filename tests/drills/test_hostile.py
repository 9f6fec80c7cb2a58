"""A few hostile requests to every route and import; `make drills` sends ten thousand each."""

import ast
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, redirect, render_template_string, request

from tests.databases import fresh_sqlite
from tests.drills import hostile_stage
from tests.drills.hostile import sender_to, targets
from tests.drills.hostile_stage import Fault, stage_on
from webapp.database import database
from webapp.permissions import PUBLIC, allows

pytestmark = pytest.mark.drill

# Of each route and import. PostgreSQL refuses other words than SQLite does.
NUMBER = {"sqlite": 4, "postgresql": 1}
# Always the same, so that a failure is of the change at hand; `make drills` seeds by the clock.
SEED = 1


def test_no_hostile_request_and_no_hostile_file_breaks_anything(
    engine: str, database_url: str
) -> None:
    with stage_on(database_url) as stage:
        for _, send in targets(stage):
            send(NUMBER[engine], SEED)
        assert stage.sent > 100 * NUMBER[engine]
        # It came past the doors: whoever is refused everywhere finds nothing.
        assert stage.statuses[200] + stage.statuses[303] > stage.sent / 4


def too_large_a_number() -> str:
    count = request.form.get("count", "0")
    if count.lstrip("-").isdigit() and len(count) < 40:
        database.execute_sql("SELECT id FROM account WHERE id = ?", (int(count),))
    return ""


def a_letter_that_no_byte_is_for() -> str:
    value = request.get_json(silent=True)
    return str(len(str(value.get("value")).encode())) if isinstance(value, dict) else ""


def a_nul() -> str:
    if "\0" in request.form.get("name", ""):
        raise ValueError("embedded null byte")
    return ""


def lowercase_that_is_longer() -> str:
    name = request.form.get("name", "")
    assert len(name.lower()) == len(name)
    return ""


def an_address_from_outside() -> Any:
    response = Response()
    response.headers["X-Back"] = request.form.get("next", "")
    return response


def a_template_out_of_words() -> str:
    return render_template_string("Hello " + request.form.get("name", "").replace("{%", ""))


def words_that_are_not_escaped() -> str:
    return "<p>" + request.form.get("note", "") + "</p>"


def one_where_there_are_two() -> str:
    if request.form.getlist("id"):
        (_,) = request.form.getlist("id")
    return ""


def as_deep_as_one_likes() -> str:
    ast.parse(request.form.get("json", "").lstrip()[:3000].replace('{"a":', "("))
    return ""


def a_query_that_takes_its_time() -> str:
    if "\u202e" in request.args.get("q", ""):
        ends = time.process_time() + 0.3
        while time.process_time() < ends:
            pass
    return ""


PLANTED: tuple[Callable[[], Any], ...] = (
    too_large_a_number, a_letter_that_no_byte_is_for, a_nul, lowercase_that_is_longer,
    an_address_from_outside, a_template_out_of_words, words_that_are_not_escaped,
    one_where_there_are_two, as_deep_as_one_likes, a_query_that_takes_its_time,
)  # fmt: skip


def test_the_same_requests_find_every_planted_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What finds nothing in a broken program would prove nothing of a whole one."""
    monkeypatch.setattr(hostile_stage, "MOST_SECONDS", 0.25)

    def plant(app: Flask) -> None:
        app.add_url_rule(
            "/planted", "whole", allows(PUBLIC)(lambda: redirect("/")), methods=["POST"]
        )
        for view in PLANTED:
            method = "GET" if view is a_query_that_takes_its_time else "POST"
            app.add_url_rule(
                f"/{view.__name__}", view.__name__, allows(PUBLIC)(view), methods=[method]
            )

    missed, names = [], {view.__name__ for view in PLANTED}
    with stage_on(fresh_sqlite(tmp_path), plant) as stage:
        routes = [*stage.routes("POST", names), *stage.routes("GET", names)]
        assert len(routes) == len(PLANTED)
        for route in routes:
            try:
                sender_to(stage, route)(2000, 1)
            except Fault:
                continue
            missed.append(route.endpoint)
        (whole,) = stage.routes("POST", {"whole"})
        sender_to(stage, whole)(50, 1)
    assert missed == []
