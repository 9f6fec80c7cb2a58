"""`kill_at.py "before module:function" PROGRAM …`: the real worker, web or flask program, which is
killed with all that it started when it first comes to that point."""

import functools
import importlib
import os
import signal
import sys
from datetime import timedelta
from typing import Any

# How long a dead worker's claim is respected; a real lease takes most of a minute.
LEASE = timedelta(seconds=3)


def arm(point: str) -> None:
    """Puts the kill before or after the function (or `Class.method`) that `point` names."""
    when, _, place = point.partition(" ")
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, name = path.split(".")
    for each in classes:
        owner = getattr(owner, each)
    real = getattr(owner, name)

    @functools.wraps(real)
    def armed(*args: Any, **named: Any) -> Any:
        if when == "after":
            real(*args, **named)
        os.killpg(0, signal.SIGKILL)

    setattr(owner, name, armed)


def run(program: str) -> None:
    if program == "worker":
        from huey.bin.huey_consumer import consumer_main as main
    elif program == "web":
        from gunicorn.app.wsgiapp import run as main
    else:
        from flask.cli import main
    sys.argv[0] = program
    main()


if __name__ == "__main__":
    sys.path.insert(0, "")
    point, program = sys.argv.pop(1), sys.argv.pop(1)
    from webapp import outbox

    outbox.LEASE = LEASE
    arm(point)
    run(program)
