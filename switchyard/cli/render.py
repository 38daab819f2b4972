"""What a command shows: the result on stdout, everything else on stderr; the only module that uses rich."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from switchyard.cli.streams import reaching

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Rows = Sequence[Sequence[str]]

# C0 and C1 controls but tab and newline; marks that reorder or hide text (https://trojansource.codes); lone surrogates.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def clean(text: str) -> str:
    """Untrusted text made safe for a terminal: what could move the cursor, colour, hide or reorder is escaped."""
    return _UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text.replace("\r\n", "\n"))


def to_json(document: Mapping[str, Any], *, one_line: bool = False) -> str:
    """JSON in ASCII, so that no terminal and no locale can garble it."""
    if one_line:
        return json.dumps(document, separators=(",", ":"))
    return json.dumps(document, indent=2)


@dataclass(frozen=True)
class Output:
    """Where one command writes; built from its `--json`, `--quiet` and `--verbose`."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False

    def document(self, document: Mapping[str, Any], text: str = "") -> None:
        """The one result: the document under `--json`, else the text (untrusted parts are escaped here)."""
        if self.as_json:
            _write(to_json(document))
        elif text:
            _write(clean(text))

    def table(self, document: Mapping[str, Any], columns: Sequence[str], rows: Rows, *, empty: str = "") -> None:
        """The one result as a table; `empty` is said on stderr where there are no rows."""
        if self.as_json:
            _write(to_json(document))
        elif rows:
            _write(table_text(columns, rows))
        elif empty:
            self.note(empty)

    def text(self, text: str) -> None:
        """A piece of the result for people; under `--json` nothing, for the document says it."""
        if not self.as_json:
            _write(clean(text))

    def line(self, document: Mapping[str, Any], text: str = "") -> None:
        """One object of a stream: a JSON line, or a line of progress on stderr."""
        if self.as_json:
            _write(to_json(document, one_line=True))
        elif text:
            self.note(text)

    def note(self, text: str) -> None:
        """Progress and hints, on stderr, unless `--quiet`."""
        if not self.quiet:
            _write(clean(text), to_stderr=True)

    def detail(self, text: str) -> None:
        """What only `--verbose` shows, on stderr."""
        if self.verbose:
            _write(clean(text), to_stderr=True)

    def warning(self, text: str) -> None:
        """What must be seen even under `--quiet`, on stderr."""
        _write(f"warning: {clean(text)}", to_stderr=True)

    def error(self, kind: str, message: str, hint: str = "") -> None:
        """A failure: the error object on stdout under `--json`, else text on stderr."""
        if self.as_json:
            _write(to_json({"error": {"kind": kind, "message": message, "hint": hint}}, one_line=True))
            return
        _write(f"error: {clean(message)}", to_stderr=True)
        if hint:
            _write(f"hint: {clean(hint)}", to_stderr=True)

    @property
    def is_live(self) -> bool:
        """Whether a display that redraws itself makes sense: people are watching stderr, and asked for no JSON."""
        return not (self.as_json or self.quiet) and sys.stderr.isatty()

    @contextmanager
    def live(self, columns: Sequence[str]) -> Iterator[Callable[[Rows], None]]:
        """A table on stderr that is redrawn in place; where nobody watches, updates do nothing."""
        if not self.is_live:
            yield lambda rows: None
            return
        from rich.live import Live

        with Live(console=_console(sys.stderr), transient=True, auto_refresh=False) as live:
            yield lambda rows: live.update(_table(columns, rows), refresh=True)


def table_text(columns: Sequence[str], rows: Rows) -> str:
    """A table as text: coloured on a terminal, and as wide as it needs to be where there is none."""
    console = _console(sys.stdout)
    # At its end a capture writes an empty text to the stream itself.
    with reaching(sys.stdout), console.capture() as captured:
        console.print(_table(columns, rows))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _table(columns: Sequence[str], rows: Rows) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    return table


def _console(stream: Any) -> Console:
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else 10_000, highlight=False, emoji=False, markup=False)


def _write(text: str, *, to_stderr: bool = False) -> None:
    # stdout and stderr are looked up at each call: tests and runners replace them.
    stream = sys.stderr if to_stderr else sys.stdout
    with reaching(stream):
        stream.write(text if text.endswith("\n") else text + "\n")
        stream.flush()
