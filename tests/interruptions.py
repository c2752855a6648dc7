"""Runs that are stopped again and again, and taken up again from their checkpoint."""

from __future__ import annotations

import threading

from precipice.results import Outcome
from precipice.simulation import prepare


def run_in_pieces(folder, positional, keywords, seconds=0.0002):
    """Return the run at its end; a piece of it takes so long: a few hundred steps, or fewer."""
    for _ in range(100000):
        prepared = prepare(*positional, checkpoint=folder, resume=True, **keywords)
        stop = threading.Event()
        threading.Timer(seconds, stop.set).start()
        result = prepared.run(stop)
        if result.outcome is not Outcome.CANCELLED:
            return result
    raise AssertionError("the run does not get on")
