"""SIGKILL at every point of `kill_points.py` in the real programs: the web and worker processes as
the Procfile starts them, and commands. Each is started anew for one point, and killed there with
all that it started; then it goes on as in `kills.py`.

`python -m tests.drills.killed_programs --rounds 3 --engine postgresql`"""

import argparse
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from random import Random
from signal import SIGKILL
from tempfile import TemporaryDirectory

from tests.drills.kill_points import POINTS
from tests.drills.kills import STORIES, Drill, Sent, Stage, drill_on
from tests.ports import free_port
from tests.processes import CONSUMER, ROOT, Process, environment
from tests.smtp import MailServer
from webapp.database import database

LAUNCHER = str(ROOT / "tests" / "kill_at.py")
THREADS = int(CONSUMER[-1])  # of a worker, each with a mail of its own
WEB = ("--worker-class", "gthread", "--workers", "1", "--threads", "8", "--no-control-socket")


def at_point(drill: Drill, story: str, point: str) -> None:
    """What goes wrong is among the drill's problems."""

    def kill(stage: Stage) -> int:
        is_elsewhere = drill.url.startswith("postgresql")
        url = drill.url if is_elsewhere else f"sqlite:///{database.obj.database}"
        database.close()
        status = _killed(url, point, stage, drill.server)
        assert status == -SIGKILL, f"never came to {point}, ended with {status}"
        return status

    drill.at_once = THREADS
    drill.tell(story, f"{point}, in the program", kill)


def _killed(url: str, point: str, stage: Stage, server: MailServer) -> int:
    """How the program that does it ended, as a negative signal."""
    env, deed = environment(url, **server.environment), stage.deed
    if deed.path:
        return _killed_web(env, point, deed.path, stage.sent)
    if not deed.command:
        return _ended(env, point, "worker", *CONSUMER)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "people.csv"
        file.write_text(deed.content)
        words = (str(file) if word == "FILE" else word for word in deed.command)
        return _ended(env, point, "flask", "--app", "wsgi", *words)


def _ended(env: dict[str, str], point: str, *program: str) -> int:
    with Process((LAUNCHER, point, *program), env) as process:
        return process.wait(60)


def _killed_web(env: dict[str, str], point: str, path: str, sent: Sent) -> int:
    port = free_port()
    program = ("web", "--bind", f"127.0.0.1:{port}", *WEB, "wsgi:app")
    with Process((LAUNCHER, point, *program), {**env, "PORT": str(port)}) as process:
        process.wait_for("Booting worker")
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", sent.body, sent.headers)
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"answered {error.status}") from error
        except (urllib.error.URLError, ConnectionError):
            return process.wait(20)
        raise AssertionError(f"answered {answer.status}")


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=1, help="of every point")
    asked.add_argument("--every", type=int, default=1, help="only each so manieth point")
    asked.add_argument("--only", default="", help="stories with this in their name")
    asked.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    asked.add_argument("--seed", type=int, default=int(time.time()))
    options = asked.parse_args()
    points = [(story, point) for story in STORIES for point in POINTS[story]]
    points = [one for one in points if options.only in one[0]]
    if not points:
        asked.error("there is no such story")
    begun, random = time.monotonic(), Random(options.seed)
    with drill_on(options.engine, options.seed) as drill:
        for _ in range(options.rounds):
            for story, point in points[random.randrange(options.every) :: options.every]:
                known = len(drill.problems)
                at_point(drill, story, point)
                fine = "FAILED" if len(drill.problems) > known else "survived"
                print(f"{fine}: {story}, {point}", flush=True)
    told = ", ".join(f"{name} {count}" for name, count in sorted(drill.told.items()))
    print(
        f"{options.engine}, seed {options.seed}: {len(points)} points, {options.rounds} rounds of"
        f" every {options.every}, in {time.monotonic() - begun:.0f} s: {told}"
    )
    print("\n".join(drill.problems) or "everything happened once")
    return 1 if drill.problems else 0


if __name__ == "__main__":
    sys.exit(main())
