"""Pure functions that read recorded curves: arrays in, findings out."""

from __future__ import annotations

from precipice.analysis.events import Blowup, Catapult, Events, find_events

__all__ = ["Blowup", "Catapult", "Events", "find_events"]
