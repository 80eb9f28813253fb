"""Asset-centric data materialization: declare tables, and the least that makes them right runs."""

__version__ = "0.1.0"
