"""Tests of the CUDA path; most need no GPU."""
