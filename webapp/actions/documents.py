"""Rendering what was frozen: statements, and copies of invoices (rule D3)."""

import hashlib
from typing import Any

from invoices import printing
from webapp import clock


def render(model: Any, id: int, document: Any) -> None:
    """Makes the document of the row of that id and keeps it with its SHA-256, once; again changes
    nothing. `document` is the class that reads the row's `inputs`."""
    is_waiting = (model.id == id) & model.rendered_at.is_null()
    inputs = model.select(model.inputs).where(is_waiting).scalar()
    if inputs is None:
        return
    content = printing.render(document.from_json(inputs))
    digest = hashlib.sha256(content).hexdigest()
    model.update(pdf=content, sha256=digest, rendered_at=clock.now()).where(is_waiting).execute()
