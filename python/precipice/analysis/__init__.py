"""Pure functions that read recorded curves: arrays in, findings out."""

from __future__ import annotations

from precipice.analysis.assumptions import Assumptions, check_assumptions, spectrum_ratios
from precipice.analysis.events import Blowup, Catapult, Events, find_events
from precipice.analysis.phases import Anomalies, Interval, Phases, find_anomalies, find_phases

__all__ = [
    "Anomalies",
    "Assumptions",
    "Blowup",
    "Catapult",
    "Events",
    "Interval",
    "Phases",
    "check_assumptions",
    "find_anomalies",
    "find_events",
    "find_phases",
    "spectrum_ratios",
]
