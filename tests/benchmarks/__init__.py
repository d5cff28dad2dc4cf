"""Benchmarks of the performance goals, and the generator that fills a database to measure on."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()
