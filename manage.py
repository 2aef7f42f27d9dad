#!/usr/bin/env python
"""Command line of Vårdlots."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.embedded import services_for_command

    # Commands that need the database borrow the embedded one (running or started for the
    # command alone) when no DATABASE_URL is set; see config/embedded.py.
    with services_for_command(sys.argv):
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
