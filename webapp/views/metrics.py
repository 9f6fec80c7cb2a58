"""What Prometheus reads, with the token that only it has."""

import hmac

from flask import Blueprint, Response, abort, current_app, make_response, request

from webapp import metrics
from webapp.actions import gauges
from webapp.permissions import PUBLIC, allows

views = Blueprint("metrics", __name__)


@views.get("/metrics")
@allows(PUBLIC)
def show() -> Response:
    """404 without METRICS_TOKEN and for whoever does not have it: nobody learns that it is here."""
    token = current_app.config["SETTINGS"].metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        abort(404)
    response = make_response(metrics.text(gauges.read()))
    response.content_type = "text/plain; version=0.0.4; charset=utf-8"
    return response
