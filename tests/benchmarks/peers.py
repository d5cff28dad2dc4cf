"""The settings of `bench_keys`: ours, with the libraries that it measures beside us.

They are in the `bench` group: uv run --group bench python -m tests.benchmarks.bench_keys
"""

from config.settings.test import *  # noqa: F403
from config.settings.test import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "rest_framework.authtoken", "rest_framework_api_key", "knox"]
ROOT_URLCONF = "tests.benchmarks.stacks"
