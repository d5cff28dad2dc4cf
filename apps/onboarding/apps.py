"""Composes the apps below it: founding and ending organizations, closing accounts. Nobody imports it."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    name = "apps.onboarding"
    label = "onboarding"
