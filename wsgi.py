"""The WSGI entry point: `gunicorn wsgi:app`, `flask --app wsgi …`."""

import gc

from webapp import create_app

app = create_app()
# All that is loaded by now stays. To look through it for garbage took 150 ms, now and then, in
# which nobody was answered.
gc.freeze()
