"""Files of people to invite: the next chunk, and forgetting what is old."""

from webapp.actions import uploads
from webapp.actions.uploads import sending
from webapp.handlers import Errand


def send(errand: Errand) -> bool:
    payload = errand.message.payload
    return sending.send(payload["upload_id"], payload["after"])


def forget(errand: Errand) -> bool:
    return uploads.forget(errand.message.payload["upload_id"])
