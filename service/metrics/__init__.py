"""What `/metrics` tells: counts of this web server's processes, and what the database says of everybody's work at that moment.

Labels are offices, steps, routes and verdicts, never a code, a permit or a person: their number is bounded by what is installed.
"""

from service.metrics.exposition import CONTENT_TYPE, exposition

__all__ = ["CONTENT_TYPE", "exposition"]
