"""Acequia: recurring private-to-public data feeds, from a partner's delivery to a curated table."""

__version__ = "0.1.0"
