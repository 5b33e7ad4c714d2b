"""The rows by theme. A new file is named here."""
from . import (  # noqa: F401
    away, changed, configured, copies, directories, discovered, endpoints, frozen, limits, refused, requests, scrapes)
