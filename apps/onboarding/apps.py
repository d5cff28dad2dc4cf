"""Composes the apps below it: founding and ending organizations, shutting people out. Nobody imports it."""

from django.apps import AppConfig


class OnboardingConfig(AppConfig):
    name = "apps.onboarding"
    label = "onboarding"
