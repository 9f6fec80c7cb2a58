"""Numbers for Prometheus: whom they are shown to, and that they are right."""

import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests import effects
from tests.apps import make_app
from tests.databases import fresh_sqlite
from tests.people import make_cast
from tests.ports import free_port
from tests.processes import environment, start_web
from webapp import clock, outbox
from webapp.database import database
from webapp.models import OutboxMessage

TOKEN = "a token of sixteen or more"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def scrape(app: Flask) -> list[str]:
    answer = app.test_client().get("/metrics", headers=BEARER)
    assert answer.status_code == 200
    return answer.text.splitlines()


def test_without_the_token_nothing_is_there(tmp_path: Path) -> None:
    url = fresh_sqlite(tmp_path)
    on, off = make_app(url, metrics_token=TOKEN), make_app(url)
    wrong: list[dict[str, str]] = [{}, {"Authorization": TOKEN[:-1]}, {"Authorization": "Bearer "}]
    answers: list[TestResponse] = [on.test_client().get("/metrics", headers=h) for h in wrong]
    answers += [off.test_client().get("/metrics", headers=h) for h in (*wrong, BEARER)]

    assert {answer.status_code for answer in answers} == {404}
    assert not any("affluent_" in answer.text for answer in answers)
    database.close()


def test_what_the_database_knows_is_told(database_url: str) -> None:
    app = make_app(database_url, metrics_token=TOKEN)
    with app.app_context():
        database.connect(reuse_if_open=True)
        _messages()
        lines = scrape(app)

    assert 'affluent_outbox_due{kind="mail"} 3.0' in lines
    assert 'affluent_outbox_due{kind="refund"} 1.0' in lines
    (age,) = (line for line in lines if line.startswith('affluent_outbox_oldest_seconds{kind="m'))
    assert 600 <= float(age.split()[1]) < 660
    assert 'affluent_outbox_put_aside{kind="render"} 1.0' in lines
    assert 'affluent_mails_last_hour{outcome="sent"} 1.0' in lines
    assert 'affluent_mails_last_hour{outcome="refused"} 1.0' in lines
    assert 'affluent_mails_last_hour{outcome="deferred"} 1.0' in lines
    assert 'affluent_refunds{state="failed"} 0.0' in lines
    assert "affluent_refunds_last_hour 0.0" in lines
    database.close()
    getattr(database.obj, "close_all", database.close)()


def _messages() -> None:
    now = clock.now()
    outbox.write("mail:code", {}, leaves_at=now - timedelta(minutes=10))
    outbox.write("mail:invitation", {})
    outbox.write("refund", {}, leaves_at=now)
    outbox.write("mail:invitation", {}, leaves_at=now + timedelta(hours=1))  # not yet
    ends: list[tuple[str, dict[str, Any]]] = [
        ("mail:code", {"error": "421 later"}),
        ("mail:code", {"left_at": now}),
        ("mail:code", {"left_at": now, "error": "550 no"}),
        ("mail:code", {"left_at": now - timedelta(hours=2)}),
        ("render:copy", {"quarantined_at": now}),
    ]
    for kind, end in ends:
        OutboxMessage.update(**end).where(
            OutboxMessage.id == effects.message(kind, {}).id
        ).execute()


def test_labels_hold_neither_addresses_nor_tokens_nor_what_anybody_makes_up(tmp_path: Path) -> None:
    app = make_app(fresh_sqlite(tmp_path), metrics_token=TOKEN)
    with app.app_context():
        cast = make_cast(app)
        client = app.test_client()
        client.get(f"/join/{cast.token}?email=zoe@example.org")
        client.get(f"/{cast.token}")
        client.open("/sign-in", method="MADEUP")
        said = "\n".join(scrape(app))

    assert 'seconds_count{method="GET",route="/join/<token>",status="3xx"} 1.0' in said
    assert 'seconds_count{method="GET",route="",status="4xx"} 1.0' in said
    assert 'method="other"' in said
    for secret in (cast.token, "example.org", "MADEUP"):
        assert secret not in said
    database.close()


def test_several_processes_answer_with_the_counts_of_all(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()

    def histograms() -> list[Path]:
        return list(folder.glob("histogram_*.db"))

    more = {"WEB_CONCURRENCY": "2", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    env = environment(fresh_sqlite(tmp_path), METRICS_TOKEN=TOKEN, LOG_FORMAT="json", **more)
    port = free_port()
    with start_web(env, port, workers=2):
        asked, until = 0, time.monotonic() + 60
        # The second process may begin later than the first.
        while asked < 40 or (len(histograms()) < 2 and time.monotonic() < until):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/help", timeout=10).close()
            asked += 1
        request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=BEARER)
        with urllib.request.urlopen(request, timeout=10) as answer:
            said = answer.read().decode()

    assert f'seconds_count{{method="GET",route="/help",status="2xx"}} {asked}.0' in said
    assert len(histograms()) == 2
