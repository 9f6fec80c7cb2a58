"""`kill_at.py "before module:function" PROGRAM …`: the real worker, web or flask program, which is
killed with all that it started when it first comes to that point."""

import functools
import importlib
import os
import signal
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace
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


def _arm_printer(point: str) -> None:
    """Documents are made in a process of its own, in the same group: it comes to `point` there."""
    from invoices import printing

    def popen(arguments: list[str], **options: Any) -> Any:
        folder = arguments[-1]
        return subprocess.Popen([sys.executable, __file__, point, "printer", folder], **options)

    printing.subprocess = SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE)  # type: ignore[assignment]


def run(program: str) -> None:
    if program == "worker":
        from huey.bin.huey_consumer import consumer_main as main
    elif program == "printer":
        from invoices.printing import _serve

        def main() -> None:
            _serve(sys.argv[1])

    elif program == "web":
        from gunicorn.app.wsgiapp import run as main
    else:
        from flask.cli import main
    sys.argv[0] = program
    main()


if __name__ == "__main__":
    sys.path.insert(0, "")
    point, program = sys.argv.pop(1), sys.argv.pop(1)
    from webapp.outbox import claiming

    claiming.LEASE = LEASE
    if program == "worker" and point.partition(" ")[2].startswith("invoices."):
        _arm_printer(point)
    else:
        arm(point)
    run(program)
