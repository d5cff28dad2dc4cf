"""Tags of the pages of API keys."""
