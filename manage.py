#!/usr/bin/env python
"""The entry point of every management command, and nothing else."""

import sys

from config import entrance

if __name__ == "__main__":
    entrance.choose("config.settings.local")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
