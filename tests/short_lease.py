"""`short_lease.py SECONDS …`: huey's consumer with a shorter lease on claimed messages."""

import sys
from datetime import timedelta

if __name__ == "__main__":
    sys.path.insert(0, "")
    from webapp import outbox

    outbox.LEASE = timedelta(seconds=float(sys.argv.pop(1)))
    from huey.bin.huey_consumer import consumer_main

    consumer_main()
