"""One blueprint per resource."""

from flask import Flask
from werkzeug.routing import IntegerConverter, ValidationError

from webapp import agents
from webapp.errors import NotAllowed
from webapp.permissions import declaration_of
from webapp.views import (
    account,
    activity,
    billing,
    charts,
    departures,
    dev,
    dev_mail,
    dev_pay,
    errors,
    exports,
    factors,
    funnel,
    health,
    help,
    home,
    invitation,
    invitations,
    invitee,
    invoices,
    join,
    journal,
    letters,
    members,
    metrics,
    month_end,
    movements,
    navigation,
    needs_hand,
    passkey,
    personal,
    proof,
    reminders,
    reports,
    second_step,
    selections,
    sessions,
    settings,
    sign_in,
    statements,
    uploads,
    users,
    webhooks,
)

BLUEPRINTS = (
    account,
    activity,
    billing,
    charts,
    departures,
    dev,
    dev_mail,
    dev_pay,
    exports,
    factors,
    funnel,
    health,
    help,
    home,
    invitation,
    invitations,
    invitee,
    invoices,
    join,
    journal,
    letters,
    members,
    metrics,
    month_end,
    movements,
    needs_hand,
    personal,
    proof,
    reminders,
    reports,
    second_step,
    selections,
    sessions,
    settings,
    sign_in,
    statements,
    uploads,
    users,
    webhooks,
)


class BoundedConverter(IntegerConverter):
    """An id from outside: what no database could hold is not there."""

    def to_python(self, value: str) -> int:
        number = super().to_python(value)
        if not 0 < number < 2**63:
            raise ValidationError
        return int(number)


def install(app: Flask) -> None:
    errors.install(app)
    navigation.install(app)
    passkey.install(app)
    app.jinja_env.filters.update(browser=agents.browser, system=agents.system)
    app.register_error_handler(NotAllowed, proof.ask)
    app.url_map.converters["bounded"] = BoundedConverter
    for module in BLUEPRINTS:
        app.register_blueprint(module.views)
    undeclared = [name for name, view in app.view_functions.items() if declaration_of(view) is None]
    if undeclared:
        raise RuntimeError(f"routes that declare no permission: {', '.join(undeclared)}")
