"""Checks that every import in packages/ names a file that exists and something that this file exports."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMPORT = re.compile(r"""(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+["']([^"']+)["']""")
EXPORT = re.compile(r"^export\s+(?:async\s+)?(?:function|const|class|interface|type)\s+(\w+)", re.MULTILINE)
REEXPORT = re.compile(r"^export\s+(?:type\s+)?\{([^}]*)\}", re.MULTILINE)


def main() -> int:
    files = sorted((ROOT / "packages").rglob("*.ts"))
    problems = [problem for file in files for problem in problems_of(file)]
    print("\n".join(problems) or f"{len(files)} files, every import resolves")
    return 1 if problems else 0


def problems_of(file: Path) -> list[str]:
    """What is wrong with one file's imports."""
    found = []
    for names, target in IMPORT.findall(file.read_text(encoding="utf-8")):
        there = resolve(file, target)
        where = file.relative_to(ROOT)
        if there is None:
            found.append(f"{where}: {target} does not exist")
            continue
        missing = names_in(names) - exports_of(there)
        found += [f"{where}: {target} does not export {name}" for name in sorted(missing)]
    return found


def resolve(file: Path, target: str) -> Path | None:
    """The file that an import names, by the aliases of tsconfig.json or relative to the importer."""
    aliases = json.loads((ROOT / "tsconfig.json").read_text(encoding="utf-8"))["compilerOptions"]["paths"]
    there = ROOT / aliases[target][0] if target in aliases else (file.parent / target).with_suffix(".ts")
    return there if there.is_file() else None


def exports_of(file: Path) -> set[str]:
    text = file.read_text(encoding="utf-8")
    return set(EXPORT.findall(text)).union(*(names_in(names) for names in REEXPORT.findall(text)))


def names_in(braces: str) -> set[str]:
    """The outer names in `{ a, type B }`."""
    return {part.replace("type ", "").strip() for part in braces.split(",") if part.strip()}


if __name__ == "__main__":
    sys.exit(main())
