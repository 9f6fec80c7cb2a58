"""`with_pragmas.py NAME=VALUE,… PROGRAM …`: gunicorn, or a script, with other settings of SQLite
than ours, for drills that cannot wait as long as people do."""

import runpy
import sys

if __name__ == "__main__":
    sys.path.insert(0, "")
    from webapp import database

    for pragma in sys.argv.pop(1).split(","):
        name, _, value = pragma.partition("=")
        database.PRAGMAS[name] = int(value)
    del sys.argv[0]
    if sys.argv[0] == "gunicorn":
        from gunicorn.app.wsgiapp import run

        run()
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")
