"""localstripe on the loopback address alone: its own command listens everywhere, and writes its
records to a file that all of them share."""

import sys

from aiohttp import web
from localstripe.resources import store
from localstripe.server import app

if __name__ == "__main__":
    store.dump_to_disk = lambda: None
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
