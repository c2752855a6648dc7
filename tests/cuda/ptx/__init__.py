"""PTX, as nvcc writes it, carried out in NumPy: what the compiler made of the kernels, tested.

    parser      text to functions of instructions
    operands    registers, constants and symbols as arrays of lanes
    integers, floats, conversions, memory_access, exchange       what instructions do, a file a kind
    memory      address spaces, with what was allocated
    blocks      basic blocks of a function
    group       lanes that carry out one instruction at a time, their divergence
    machine     launches: blocks, barriers, the order of turns

What is not known here raises `Unknown`, with the line; a floating-point operation that is not
rounded to nearest, or fused, is not known.
"""

from .errors import PtxError, Unknown
from .machine import Machine
from .parser import parse

__all__ = ["Machine", "PtxError", "Unknown", "parse"]
