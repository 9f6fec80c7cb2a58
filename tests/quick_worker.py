"""`quick_worker.py LEASE PACE …`: huey's consumer with a shorter lease on claimed messages (in
seconds), and mail timeouts and pauses between tries that are PACE times shorter: timeouts not so
short that a slow machine looks like a dead server."""

import sys
from datetime import timedelta


def hurry(lease: float, pace: float) -> None:
    from webapp import handlers, smtp_line
    from webapp.outbox import claiming

    claiming.LEASE = timedelta(seconds=lease)
    claiming.PAUSES = tuple(pause / pace for pause in claiming.PAUSES)
    handlers.ROOM = min(handlers.ROOM, claiming.LEASE * 0.9)
    if pace > 1:
        smtp_line.TIMEOUT = max(2, smtp_line.TIMEOUT / pace)
        smtp_line.CONTENT_TIMEOUT = 3


if __name__ == "__main__":
    sys.path.insert(0, "")
    hurry(float(sys.argv.pop(1)), float(sys.argv.pop(1)))
    from huey.bin.huey_consumer import consumer_main

    consumer_main()
