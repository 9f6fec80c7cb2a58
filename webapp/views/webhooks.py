"""Where the payment gateway tells that something has changed there."""

import logging

from flask import Blueprint, Response, current_app, make_response, request

from webapp import clock
from webapp.actions import webhooks
from webapp.payments.webhooks import Forged, secret, verified
from webapp.permissions import PUBLIC, allows
from webapp.security import csrf

log = logging.getLogger("affluent.webhooks")

views = Blueprint("webhooks", __name__, url_prefix="/webhooks")
# The signature proves the sender; no browser's session has a part in it.
csrf.exempt(views)

MOST = 1024 * 1024


@views.post("/stripe")
@allows(PUBLIC)
def stripe() -> Response:
    """200 for what was taken in, now or before, and for what concerns nobody here; 400 for what
    can't be verified."""
    request.max_content_length = MOST
    body = request.get_data(cache=False)
    header = request.headers.get("Stripe-Signature", "")
    try:
        event = verified(body, header, secret(current_app.config["SETTINGS"]), clock.now())
    except Forged as error:
        log.warning("webhook refused: %s", error)
        return make_response(f"{error}\n", 400, {"Content-Type": "text/plain"})
    webhooks.receive(event)
    return make_response("", 200)
