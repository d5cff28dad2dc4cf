"""Budgets and rates: how much a key, a workspace or whatever else has limits may still use, and the counters of it."""
