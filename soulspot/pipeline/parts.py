"""The parts of a service besides the queue: built by assembly, handed on to those who need them."""

from dataclasses import dataclass

from soulspot.library.reader import FileReader
from soulspot.limits import Gates
from soulspot.tagging.covers import CoverCache
from soulspot.tagging.writer import TagWriter
from soulspot.telemetry import Alarms, MemoryLimit, Telemetry


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that share one service's database and telemetry."""

    telemetry: Telemetry
    gates: Gates
    memory: MemoryLimit
    alarms: Alarms
    tagging: TagWriter
    reader: FileReader
    covers: CoverCache | None = None  # None where no covers are to be fetched
