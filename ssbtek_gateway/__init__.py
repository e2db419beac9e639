"""One question about one person in, one combined answer from the agencies out (SSBTEK)."""

__version__ = "0.1.0"
