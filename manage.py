#!/usr/bin/env python3
"""Command line of Vårdlots."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# Commands that change or drop the tables themselves, or write what does.
AS_OWNER = frozenset(
    {
        *("backup", "dbshell", "flush", "makemigrations", "migrate", "restore", "rotate_keys"),
        *("sqlflush", "sqlmigrate"),
    }
)
# Serves people, each as who they are; or has commands of its own.
AS_NOBODY = frozenset({"runserver", "start"})


def main() -> None:
    own_python = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
    if find_spec("django") is None and own_python.exists():
        # Called as ./manage.py outside the environment that make has made.
        os.execv(own_python, [str(own_python), *sys.argv])  # noqa: S606  # nosec B606 # our own program and arguments, no shell

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = "".join(sys.argv[1:2])
    if command in AS_OWNER:
        os.environ["VARDLOTS_AS_OWNER"] = "true"
    from config.embedded import services_for_command

    # Commands that need the database borrow the embedded one (running or started for the
    # command alone) when no DATABASE_URL is set; see config/embedded.
    with services_for_command(sys.argv):
        from django.core.management import execute_from_command_line

        from organisations.acting import Product, acting_as

        with acting_as(None if command in AS_NOBODY else Product(f"manage.py {command}")):
            execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
