"""What the interpreter raises."""


class PtxError(Exception):
    """The program did something that it must not: an address, a divergent barrier, a deadlock."""


class Unknown(PtxError):
    """An instruction, a modifier or a directive that this interpreter does not carry out."""
