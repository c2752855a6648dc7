"""PTX text to a module: kernels, functions, variables. Nothing is carried out here."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

from .errors import Unknown
from .types import dtype

LINE_DIRECTIVES = re.compile(
    r"\.(version|target|address_size|loc|file)\b[^\n]*|\.section\b[^{]*\{[^}]*\}"
)
HEADER = re.compile(r"((?:\.(?:visible|weak|extern|common)\s+)*)\.(entry|func)\b([^{;]*)([{;])")
VARIABLE = re.compile(
    r"(?:\.(?:visible|weak|extern)\s+)*\.(global|const|shared|local|param)\s+(?:\.align\s+(\d+)\s+)?"
    r"\.(\w+)\s+([\w$]+)\s*(\[[\d\]\[\s]*\])?\s*(?:=\s*(.*))?$",
    re.DOTALL,
)
PARAMETER = re.compile(r"\.param\s+(?:\.align\s+(\d+)\s+)?\.(\w+)\s+([\w$]+)\s*(?:\[(\d+)\])?")
REGISTERS = re.compile(r"\.reg\s+\.(\w+)\s+(.*)$", re.DOTALL)
LABEL = re.compile(r"([$%\w]+)\s*:(?!:)")
GUARD = re.compile(r"@(!?)(%[\w]+)\s+")


@dataclass(frozen=True)
class Variable:
    space: str  # global const shared local param
    name: str
    align: int
    size: int
    values: bytes | None = None
    dynamic: bool = False  # .extern .shared x[]: what a launch adds


@dataclass(frozen=True)
class Instruction:
    opcode: str  # add
    modifiers: tuple[str, ...]  # rn f64
    operands: tuple[str, ...]
    guard: str | None  # %p1
    negated: bool
    line: int
    text: str

    def has(self, *names: str) -> bool:
        return any(name in self.modifiers for name in names)

    def unknown(self, why: str = "") -> Unknown:
        return Unknown(f"line {self.line}: {self.text}" + (f" ({why})" if why else ""))


@dataclass
class Function:
    name: str
    kernel: bool
    results: list[Variable]
    parameters: list[Variable]
    directives: str
    registers: dict[str, str] = field(default_factory=dict)  # name to type
    variables: dict[str, Variable] = field(default_factory=dict)
    body: list[Instruction] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)  # to an index of body
    targets: dict[str, list[str]] = field(default_factory=dict)  # .branchtargets


@dataclass
class Module:
    functions: dict[str, Function] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)

    def kernel(self, *parts: str) -> Function:
        """Return the one kernel whose mangled name has all the parts."""
        found = [
            f for f in self.functions.values() if f.kernel and all(part in f.name for part in parts)
        ]
        if len(found) != 1:
            raise KeyError(f"{len(found)} kernels are called {parts}")
        return found[0]


def split(text: str) -> list[str]:
    """Split at the commas outside brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    rest = text[start:].strip()
    return [*parts, rest] if rest or parts else []


def instruction(text: str, line: int) -> Instruction:
    guard = GUARD.match(text)
    bare = text[guard.end() :] if guard else text
    name, _, operands = bare.partition(" ")
    if name.startswith("call") and not operands.startswith("("):
        operands = "(), " + operands
    opcode, *modifiers = name.replace("::", "..").replace(".", " ").replace("  ", "::").split()
    return Instruction(
        opcode, tuple(modifiers), tuple(split(operands)), guard[2] if guard else None,
        bool(guard and guard[1]), line, text,
    )  # fmt: skip


def variable(text: str) -> Variable | None:
    match = VARIABLE.match(text)
    if not match:
        return None
    space, align, kind, name, dimensions, values = match.groups()
    element = dtype(kind)
    count = 1
    for length in re.findall(r"\[\s*(\d*)\s*\]", dimensions or ""):
        count *= int(length or 0)
    data = None
    if values is not None:
        numbers = [int(v, 0) for v in split(values.strip().strip("{}"))]
        data = b"".join(
            (v % (1 << 8 * element.itemsize)).to_bytes(element.itemsize, "little") for v in numbers
        )
        data = data.ljust(count * element.itemsize, b"\0")
    return Variable(
        space, name, int(align or element.itemsize), count * element.itemsize, data,
        dynamic="[]" in (dimensions or "").replace(" ", ""),
    )  # fmt: skip


def parameters(text: str) -> list[Variable]:
    found = []
    for part in split(text):
        match = PARAMETER.match(part)
        if not match:
            raise Unknown(f"parameter {part!r}")
        align, kind, name, count = match.groups()
        size = dtype(kind).itemsize
        found.append(Variable("param", name, int(align or size), size * int(count or 1)))
    return found


def header(text: str, kind: str) -> Function:
    """`(results) name (parameters) directives`."""
    match = re.match(r"\s*(?:\((.*?)\)\s*)?([\w$]+)\s*(?:\((.*?)\))?(.*)$", text, re.DOTALL)
    if not match:
        raise Unknown(f"function {text!r}")
    results, name, given, directives = match.groups()
    return Function(
        name,
        kind == "entry",
        parameters(results or ""),
        parameters(given or ""),
        directives.strip(),
    )


class Scanner:
    """Statements of a text, one after the other."""

    def __init__(self, text: str) -> None:
        blank = lambda m: re.sub(r"[^\n]", " ", m[0])  # noqa: E731
        self.text = re.sub(r"//[^\n]*|/\*.*?\*/", blank, text, flags=re.DOTALL)
        self.newlines = [m.start() for m in re.finditer("\n", self.text)]
        self.at = 0

    @property
    def line(self) -> int:
        return bisect_right(self.newlines, self.at) + 1

    def skip(self) -> bool:
        """Go to the next statement; whether there is one."""
        while True:
            while self.at < len(self.text) and self.text[self.at].isspace():
                self.at += 1
            directive = LINE_DIRECTIVES.match(self.text, self.at)
            if not directive:
                return self.at < len(self.text)
            self.at = directive.end()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def statement(self) -> str:
        end = self.text.index(";", self.at)
        text = " ".join(self.text[self.at : end].split())
        self.at = end + 1
        return text


def declare(function: Function, text: str, line: int) -> None:
    """A directive within a function."""
    registers = REGISTERS.match(text)
    if registers:
        kind, names = registers.groups()
        for name in split(names):
            many = re.match(r"(.*)<(\d+)>$", name)
            for each in [f"{many[1]}{i}" for i in range(int(many[2]))] if many else [name]:
                if function.registers.setdefault(each, kind) != kind:
                    raise Unknown(f"line {line}: {each} has two types")
        return
    found = variable(text)
    if found:
        # Calls declare their parameters in scopes of their own, under the same names: one place,
        # for the largest, serves them all.
        before = function.variables.get(found.name, found)
        function.variables[found.name] = max(found, before, key=lambda one: one.size)
    elif not text.startswith(".pragma"):
        raise Unknown(f"line {line}: {text}")


def body(scanner: Scanner, function: Function) -> None:
    depth = 1
    while depth:
        if not scanner.skip():
            raise Unknown(f"{function.name} does not end")
        line = scanner.line
        if scanner.text[scanner.at] in "{}":
            depth += 1 if scanner.text[scanner.at] == "{" else -1
            scanner.at += 1
        elif label := scanner.match(LABEL):
            scanner.skip()
            if scanner.text.startswith(".branchtargets", scanner.at):
                function.targets[label[1]] = split(scanner.statement().partition(" ")[2])
            else:
                function.labels[label[1]] = len(function.body)
        elif scanner.text[scanner.at] == ".":
            declare(function, scanner.statement(), line)
        else:
            function.body.append(instruction(scanner.statement(), line))


def parse(text: str) -> Module:
    """Read a module as nvcc writes it."""
    scanner, module = Scanner(text), Module()
    while scanner.skip():
        if match := scanner.match(HEADER):
            function = header(match[3], match[2])
            if match[4] == "{":
                body(scanner, function)
                module.functions[function.name] = function
        else:
            line, statement = scanner.line, scanner.statement()
            found = variable(statement)
            if found:
                module.variables[found.name] = found
            elif not statement.startswith((".pragma", ".alias")):
                raise Unknown(f"line {line}: {statement}")
    return module
