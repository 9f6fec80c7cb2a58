"""Settings: one frozen value, read once from the environment; nothing else reads it."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

LOCALES = ("fr", "en")
ROOT = Path(__file__).resolve().parent.parent


class ConfigError(Exception):
    """A setting is wrong; the message is one sentence that names it."""


@dataclass(frozen=True, slots=True)
class Mail:
    server: str = ""
    port: int = 25
    username: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False
    sender: str = "Affluent <no-reply@localhost>"


@dataclass(frozen=True, slots=True)
class Seller:
    """Who issues the statements."""

    name: str = "Affluent"
    address: str = ""
    country: str = "FR"
    vat: str = ""
    registration: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    env: str
    secret_key: str
    base_url: str
    port: int
    database_url: str
    queue_url: str
    mail: Mail
    payments: str
    stripe_api_key: str
    stripe_webhook_secret: str
    stripe_api_base: str
    invitation_days: int
    undo_hours: int
    billing_zone: str
    default_locale: str
    seller: Seller
    trusted_proxies: int
    log_format: str
    metrics_token: str
    metrics_folder: str

    @property
    def is_development(self) -> bool:
        return self.env == "development"

    @property
    def keeps_mail(self) -> bool:
        """In development without a mail server, mails are kept and shown instead of sent."""
        return self.is_development and not self.mail.server


def from_environment(environ: Mapping[str, str] | None = None) -> Config:
    """Reads and checks every setting. Raises ConfigError with one sentence."""
    read = _Reader(os.environ if environ is None else environ)
    env = read.one_of("APP_ENV", ("development", "production"), "development")
    port = read.number("PORT", 8000, 1, 65535)
    database_url = _database_url(read)
    return Config(
        env=env,
        secret_key=_secret_key(read, env, database_url),
        base_url=_base_url(read, env, port),
        port=port,
        database_url=database_url,
        queue_url=_queue_url(read),
        mail=_mail(read),
        payments=_payments(read, env),
        stripe_api_key=read.text("STRIPE_API_KEY"),
        stripe_webhook_secret=read.text("STRIPE_WEBHOOK_SECRET"),
        stripe_api_base=read.text("STRIPE_API_BASE"),
        invitation_days=read.number("INVITATION_DAYS", 30, 1, 365),
        undo_hours=read.number("UNDO_HOURS", 24, 0, 24 * 30),
        billing_zone=read.zone("BILLING_ZONE", "Europe/Paris"),
        default_locale=read.one_of("DEFAULT_LOCALE", LOCALES, "fr"),
        seller=_seller(read),
        trusted_proxies=read.number("TRUSTED_PROXIES", 0, 0, 5),
        log_format=read.one_of(
            "LOG_FORMAT", ("plain", "json"), "plain" if env == "development" else "json"
        ),
        metrics_token=_metrics_token(read),
        metrics_folder=_metrics_folder(read),
    )


def environment_with(more: Mapping[str, str]) -> dict[str, str]:
    """For a program that we start: what we were given, and `more`."""
    return {**os.environ, **more}


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        given = self.text(name, str(default))
        if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
            raise ConfigError(f"{name} must be a whole number from {least} to {most}: {given!r}.")
        return int(given)

    def flag(self, name: str) -> bool:
        given = self.text(name, "false").lower()
        if given in ("1", "true", "yes", "on"):
            return True
        if given in ("0", "false", "no", "off"):
            return False
        raise ConfigError(f"{name} must be true or false: {given!r}.")

    def one_of(self, name: str, choices: tuple[str, ...], default: str) -> str:
        given = self.text(name, default)
        if given not in choices:
            raise ConfigError(f"{name} must be one of {', '.join(choices)}: {given!r}.")
        return given

    def zone(self, name: str, default: str) -> str:
        given = self.text(name, default)
        try:
            ZoneInfo(given)
        except (KeyError, ValueError, OSError) as error:
            raise ConfigError(f"{name} is not a known time zone: {given!r}.") from error
        return given


def _secret_key(read: _Reader, env: str, database_url: str) -> str:
    given = read.text("SECRET_KEY")
    if given:
        if len(given) < 16:
            raise ConfigError("SECRET_KEY must have at least 16 characters.")
        return given
    if env == "production":
        raise ConfigError("SECRET_KEY must be set in production.")
    return _development_key()


def _development_key() -> str:
    """Kept beside the development database, so that web and worker share it and restarts keep
    people signed in."""
    path = ROOT / "instance" / "secret_key"
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"secret_key.{os.getpid()}")
        draft.write_text(secrets.token_urlsafe(32))
        draft.chmod(0o600)
        # Where another process was first, its key is the one.
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


def _base_url(read: _Reader, env: str, port: int) -> str:
    given = read.text("BASE_URL")
    if not given:
        if env == "production":
            raise ConfigError("BASE_URL must be set in production.")
        return f"http://127.0.0.1:{port}"
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ConfigError(f"BASE_URL must be an address such as https://example.org: {given!r}.")
    if parts.path not in ("", "/"):
        raise ConfigError(f"BASE_URL must have no path: {given!r}.")
    return given.rstrip("/")


def _database_url(read: _Reader) -> str:
    given = read.text("DATABASE_URL", "sqlite:///instance/affluent.db")
    scheme = urlsplit(given).scheme
    if scheme not in ("sqlite", "postgresql", "postgresql+pool"):
        raise ConfigError(
            "DATABASE_URL must start with sqlite:///, postgresql:// or postgresql+pool://: "
            f"{scheme or given!r}."
        )
    if scheme == "sqlite" and not given.startswith("sqlite:///"):
        raise ConfigError("DATABASE_URL for SQLite takes three slashes: sqlite:///path.")
    return given


def _queue_url(read: _Reader) -> str:
    given = read.text("QUEUE_URL")
    if given and urlsplit(given).scheme not in ("redis", "rediss"):
        raise ConfigError(f"QUEUE_URL must start with redis:// or stay empty: {given!r}.")
    return given


def _mail(read: _Reader) -> Mail:
    mail = Mail(
        server=read.text("MAIL_SERVER"),
        port=read.number("MAIL_PORT", 25, 1, 65535),
        username=read.text("MAIL_USERNAME"),
        password=read.text("MAIL_PASSWORD"),
        use_tls=read.flag("MAIL_USE_TLS"),
        use_ssl=read.flag("MAIL_USE_SSL"),
        sender=read.text("MAIL_DEFAULT_SENDER", Mail().sender),
    )
    if mail.use_tls and mail.use_ssl:
        raise ConfigError("MAIL_USE_TLS and MAIL_USE_SSL exclude each other.")
    if "@" not in mail.sender or "\n" in mail.sender:
        raise ConfigError(f"MAIL_DEFAULT_SENDER must be a mail address: {mail.sender!r}.")
    return mail


def _payments(read: _Reader, env: str) -> str:
    default = "simulated" if env == "development" else "stripe"
    return read.one_of("PAYMENTS", ("simulated", "stripe"), default)


def _metrics_token(read: _Reader) -> str:
    given = read.text("METRICS_TOKEN")
    if given and not (len(given) >= 16 and given.isascii() and given.isprintable()):
        raise ConfigError("METRICS_TOKEN must have at least 16 characters, all of them ASCII.")
    return given


def _metrics_folder(read: _Reader) -> str:
    """prometheus-client reads the same variable, when it is imported."""
    given = read.text("PROMETHEUS_MULTIPROC_DIR")
    if given and not Path(given).is_dir():
        raise ConfigError(f"PROMETHEUS_MULTIPROC_DIR must be a folder that is there: {given!r}.")
    several = read.number("WEB_CONCURRENCY", 1, 1, 1000) > 1
    if several and not given and read.text("METRICS_TOKEN"):
        raise ConfigError(
            "PROMETHEUS_MULTIPROC_DIR must name a folder: METRICS_TOKEN is set, and each of "
            "WEB_CONCURRENCY's processes would count for itself."
        )
    return given


def _seller(read: _Reader) -> Seller:
    country = read.text("SELLER_COUNTRY", "FR").upper()
    if len(country) != 2 or not country.isalpha():
        raise ConfigError(f"SELLER_COUNTRY must be a country code of two letters: {country!r}.")
    return Seller(
        name=read.text("SELLER_NAME", "Affluent"),
        address=read.text("SELLER_ADDRESS").replace("\\n", "\n"),
        country=country,
        vat=read.text("SELLER_VAT"),
        registration=read.text("SELLER_REGISTRATION"),
    )
