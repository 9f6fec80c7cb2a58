"""Settings: what they are by default, and the sentence that ends the start when one is wrong."""

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from webapp import config
from webapp.config import Config, ConfigError, Mail, from_environment

KEY = {"SECRET_KEY": "sixteen letters at least"}
PRODUCTION = {**KEY, "APP_ENV": "production", "BASE_URL": "https://affluent.example"}


def read(**environ: str) -> Config:
    return from_environment({**KEY, **environ})


def test_everything_has_a_default_in_development() -> None:
    found = read()

    assert found.env == "development"
    assert found.is_development
    assert found.base_url == "http://127.0.0.1:8000"
    assert found.database_url == "sqlite:///instance/affluent.db"
    assert (found.queue_url, found.payments) == ("", "simulated")
    assert (found.invitation_days, found.undo_hours) == (30, 24)
    assert (found.billing_zone, found.default_locale) == ("Europe/Paris", "fr")
    assert found.mail == Mail()
    assert found.keeps_mail


def test_nothing_can_be_changed_once_read() -> None:
    found = read()
    for name in (field.name for field in fields(found)):
        with pytest.raises(FrozenInstanceError):
            setattr(found, name, None)


def test_the_port_is_the_addresss() -> None:
    assert read(PORT="8123").base_url == "http://127.0.0.1:8123"


def test_spaces_and_empty_values_are_as_if_not_given() -> None:
    assert read(PORT=" ", BASE_URL="", DEFAULT_LOCALE="  ") == read()
    assert read(BASE_URL=" https://a.example/ ").base_url == "https://a.example"


def test_a_mail_server_in_development_gets_the_mails() -> None:
    found = read(MAIL_SERVER="smtp.example", MAIL_PORT="587", MAIL_USE_TLS="yes")

    assert not found.keeps_mail
    assert (found.mail.server, found.mail.port, found.mail.use_tls) == ("smtp.example", 587, True)


def test_production_keeps_no_mail_and_takes_no_simulated_money_by_default() -> None:
    found = from_environment({**PRODUCTION, **STRIPE})

    assert not found.is_development
    assert not found.keeps_mail
    assert found.payments == "stripe"


STRIPE = {"STRIPE_API_KEY": "sk_test_x", "STRIPE_WEBHOOK_SECRET": "whsec_x"}


@pytest.mark.parametrize("name", ["SECRET_KEY", "BASE_URL"])
def test_production_needs_what_nobody_can_guess(name: str) -> None:
    given = {key: value for key, value in PRODUCTION.items() if key != name}

    with pytest.raises(ConfigError, match=name):
        from_environment(given)


def test_the_sellers_address_has_lines() -> None:
    seller = read(SELLER_ADDRESS="1 rue A\\n75001 Paris", SELLER_COUNTRY="fr").seller

    assert (seller.address, seller.country) == ("1 rue A\n75001 Paris", "FR")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", "staging"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "٣"),
        ("PORT", "eight"),
        ("PORT", "-1"),
        ("PORT", "8000.5"),
        ("SECRET_KEY", "short"),
        ("BASE_URL", "affluent.example"),
        ("BASE_URL", "ftp://affluent.example"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "https://affluent.example/path"),
        ("BASE_URL", "https://affluent.example?x=1"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "sqlite://two-slashes.db"),
        ("DATABASE_URL", "affluent.db"),
        ("QUEUE_URL", "amqp://localhost"),
        ("PAYMENTS", "paypal"),
        ("INVITATION_DAYS", "0"),
        ("INVITATION_DAYS", "366"),
        ("UNDO_HOURS", "-1"),
        ("UNDO_HOURS", "721"),
        ("BILLING_ZONE", "Europe/Atlantis"),
        ("BILLING_ZONE", "../etc/passwd"),
        ("BILLING_ZONE", "\0"),
        ("DEFAULT_LOCALE", "de"),
        ("MAIL_PORT", "x"),
        ("MAIL_USE_TLS", "perhaps"),
        ("MAIL_DEFAULT_SENDER", "nobody"),
        ("MAIL_DEFAULT_SENDER", "a@b.example\nBcc: c@d.example"),
        ("SELLER_COUNTRY", "France"),
        ("TRUSTED_PROXIES", "6"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(**{name: value})

    said = str(refused.value)
    assert name in said
    assert said.endswith(".")
    assert "\n" not in said


def test_tls_and_ssl_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="MAIL_USE_TLS and MAIL_USE_SSL"):
        read(MAIL_USE_TLS="1", MAIL_USE_SSL="1")


def test_the_development_key_is_drawn_once_and_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "ROOT", tmp_path)

    keys = {from_environment({}).secret_key for _ in range(3)}

    assert len(keys) == 1
    assert len(keys.pop()) == 43
    assert (tmp_path / "instance" / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("flask", "--app", "wsgi", "migrate"), 1),
        (("gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket", "wsgi:app"), 3),
        (("huey.bin.huey_consumer", "webapp.worker.huey"), 1),
    ],
)
def test_a_wrong_value_ends_the_start_with_its_sentence(
    command: tuple[str, ...], status: int
) -> None:
    """What somebody sees who starts the service with it: no traceback, and no second try."""
    root = Path(__file__).resolve().parent.parent
    ended = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=root,
        env={**KEY, "PORT": "eight"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == status, ended.stderr
    assert ended.stderr.count("PORT must be a whole number from 1 to 65535: 'eight'.") == 1
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN"),
        ({"METRICS_TOKEN": "é" * 16}, "METRICS_TOKEN"),
        ({"PROMETHEUS_MULTIPROC_DIR": "/nowhere/at/all"}, "PROMETHEUS_MULTIPROC_DIR"),
        ({"METRICS_TOKEN": "x" * 16, "WEB_CONCURRENCY": "2"}, "PROMETHEUS_MULTIPROC_DIR"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
    ],
)
def test_what_is_logged_and_counted_is_checked(environ: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        read(**environ)


def test_production_logs_for_programs_and_counts_for_nobody() -> None:
    assert (read().log_format, from_environment(PRODUCTION).log_format) == ("plain", "json")
    assert (read().metrics_token, from_environment(PRODUCTION).metrics_token) == ("", "")
