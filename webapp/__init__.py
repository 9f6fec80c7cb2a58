"""Affluent: people bring their own plans into the account of their organisation."""

import sys

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import (
    assets,
    cli,
    database,
    htmx,
    i18n,
    jobs,
    logs,
    metrics,
    outbox,
    policy,
    polls,
    security,
    views,
)
from webapp.config import Config, ConfigError, from_environment


def create_app(config: Config | None = None) -> Flask:
    """The one factory: configuration, database, extensions, blueprints, errors, commands."""
    settings = config or _settings()
    app = Flask(__name__, template_folder=".", static_folder=None)
    app.config["SETTINGS"] = settings
    policy.use(settings)
    logs.install(app)
    metrics.install(app)
    real_database = database.open_database(settings.database_url)
    database.connect_with(app)  # first of all that happens before a request
    polls.install(app)  # within all that wraps the program
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    assets.install(app)
    i18n.install(app)
    htmx.install(app)
    security.install(app)
    views.install(app)
    cli.install(app)
    outbox.nudge_with(jobs.attach(app, real_database))
    return app


def _settings() -> Config:
    """From the environment; a wrong one ends the start with its sentence, and nothing more."""
    try:
        return from_environment()
    except ConfigError as error:
        print(error, file=sys.stderr)
        # gunicorn's master starts a worker again and again, except after this status.
        raise SystemExit(3 if "gunicorn.arbiter" in sys.modules else 1) from None
