"""A command's output as it arrives: its bytes for a program, made safe where a person's terminal would obey them."""

from __future__ import annotations

import codecs
import sys
from typing import TYPE_CHECKING

from switchyard.cli.render import clean
from switchyard.cli.streams import reaching

if TYPE_CHECKING:
    from switchyard_sandbox import Chunk


class Passing:
    """A sink for the chunks of one command."""

    def __init__(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {"stdout": decoder("backslashreplace"), "stderr": decoder("backslashreplace")}

    def __call__(self, chunk: Chunk) -> None:
        """Write one chunk at once."""
        stream = sys.stdout if chunk.stream == "stdout" else sys.stderr
        data = chunk.data
        if stream.isatty():
            data = clean(self._decoders[chunk.stream].decode(data)).encode("utf-8", "backslashreplace")
        with reaching(stream):
            stream.buffer.write(data)
            stream.buffer.flush()
