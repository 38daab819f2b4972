"""What a sandbox gets of this installation: the `switchyard` command and the packages that `context` imports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from switchyard_sandbox import Program

from switchyard.agents import AgentError

OWN = ("switchyard", "switchyard_context", "switchyard_git")
NEEDED = ("numpy", "pathspec", "pydantic", "pyyaml", "tree-sitter", "typer")
"""The distributions that `context` imports; what those need in turn is found by their metadata."""
GRAMMARS = "tree-sitter-"
TOOLS = "mcp"
"""The distribution of the extra `mcp`."""
TOOLS_EXTRA = ("cryptography",)
"""What it needs by the extras of what it needs, which their metadata does not tell apart."""
PROTOCOL = "agent-client-protocol"
"""The distribution of the extra `acp`."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DISTRIBUTION = "switchyard-factory"


def context_program(seed: Path, *, offers_tools: bool = False) -> Program:
    """`switchyard` for a sandbox: `context` alone, without network, on the sandbox's own tree.

    Args:
        seed: What is known of the tree's base commit; it need not be there.
        offers_tools: Whether `switchyard mcp` is to run there too.

    Raises:
        AgentError: It is, and the extra `mcp` is not installed.
    """
    return Program("switchyard", "switchyard.cli.inside", tool_packages() if offers_tools else packages(), seed)


def acp_program(name: str) -> Program:
    """The client that drives a program over the Agent Client Protocol from inside of a sandbox.

    Raises:
        AgentError: The extra `acp` is not installed.
    """
    try:
        needed = _closure([PROTOCOL], required=True)
    except PackageNotFoundError as err:
        raise AgentError(
            f"kind 'acp' needs the package {PROTOCOL}", hint="pip install 'switchyard-factory[acp]'"
        ) from err
    places = tuple(place for needs in needed for place in _places(needs))
    return Program(name, "switchyard.cli.inside_acp", (_folder_of("switchyard"), *places))


@cache
def tool_packages() -> tuple[Path, ...]:
    """The same with what `switchyard mcp` imports.

    Raises:
        AgentError: The extra `mcp` is not installed.
    """
    try:
        needed = _closure([TOOLS, *TOOLS_EXTRA], required=True)
    except PackageNotFoundError as err:
        raise AgentError(f"mcp = true needs the package {TOOLS}", hint="pip install 'switchyard-factory[mcp]'") from err
    # Some of them look up their own version.
    places = [place for name in needed for place in (*_places(name), *_metadata(name))]
    return tuple(dict.fromkeys([*packages(), *places]))


@cache
def packages() -> tuple[Path, ...]:
    """Everything that the command imports, the standard library aside; the rest of the installation stays outside."""
    own = [_folder_of(name) for name in OWN]
    return (*own, *(place for name in _closure([*NEEDED, *_grammars()]) for place in _places(name)))


def _folder_of(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def _grammars() -> list[str]:
    return [name for name in _requirements(distribution(_DISTRIBUTION)) if name.startswith(GRAMMARS)]


def _closure(names: Sequence[str], *, required: bool = False) -> list[str]:
    """The distributions and what they need, those that this machine has.

    Raises:
        PackageNotFoundError: One of `names` is `required` and not there.
    """
    found: dict[str, None] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            waiting += _requirements(distribution(name))
        except PackageNotFoundError:
            if required and name in names:
                raise
            # Only for other systems or Pythons.
            continue
        found[name] = None
    return sorted(found)


def _requirements(one: Distribution) -> Iterator[str]:
    for line in one.requires or ():
        match = _NAME.match(line)
        if match is not None and not re.search(r"\bextra\s*==", line):
            yield re.sub(r"[-_.]+", "-", match[0]).lower()


def _places(name: str) -> list[Path]:
    """The top-level packages, modules and library folders of a distribution."""
    one = distribution(name)
    tops = {file.parts[0] for file in one.files or () if file.suffix != ".pth"}
    kept = sorted(top for top in tops if top not in ("..", "__pycache__") and not top.endswith(".dist-info"))
    return [place for top in kept if (place := Path(str(one.locate_file(top)))).exists()]


def _metadata(name: str) -> list[Path]:
    one = distribution(name)
    tops = {file.parts[0] for file in one.files or () if file.parts[0].endswith(".dist-info")}
    return [Path(str(one.locate_file(top))) for top in sorted(tops)]
