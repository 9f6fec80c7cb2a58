"""`with_templates.py FOLDER PROGRAM …`: a module or a script, whose app keeps compiled templates in
FOLDER: the first page of each kind takes half a second of a processor where nobody did."""

import runpy
import sys

if __name__ == "__main__":
    sys.path[0] = ""
    from flask import Flask
    from jinja2 import FileSystemBytecodeCache

    kept = FileSystemBytecodeCache(sys.argv.pop(1))
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": kept}
    del sys.argv[0]
    if sys.argv[0].endswith(".py"):
        runpy.run_path(sys.argv[0], run_name="__main__")
    else:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
