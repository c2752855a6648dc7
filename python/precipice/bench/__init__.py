"""Speed against peers on the same work: `run_benchmark`, and its table, figure and JSON."""

from __future__ import annotations

from precipice.bench.measure import run_benchmark
from precipice.bench.peers import PEERS
from precipice.bench.rows import Benchmark, Row
from precipice.bench.workload import Shape

__all__ = ["PEERS", "Benchmark", "Row", "Shape", "run_benchmark"]
