"""The token bound against real tokenisers, on files and slices of real repositories.

    npm install --prefix FOLDER gpt-tokenizer @anthropic-ai/tokenizer llama3-tokenizer-js
    python -m benchmarks.token_bound FOLDER REPOSITORY…

The packages carry their vocabularies, so nothing is downloaded later. Prints, by kind of file, how far the bound lies
above the highest of the four counts, and how many texts lie below it: there should be none.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from switchyard_context import count_tokens, open_source

_COUNT = """
import fs from 'fs'; import path from 'path'; import readline from 'readline'; import {createRequire} from 'module';
const load = createRequire(path.resolve(process.argv[2], 'package.json'));
const o200k = load('gpt-tokenizer/encoding/o200k_base'), cl100k = load('gpt-tokenizer/encoding/cl100k_base');
const claude = load('@anthropic-ai/tokenizer').getTokenizer();
const llama = (await import(path.join(path.resolve(process.argv[2]),
  'node_modules/llama3-tokenizer-js/bundle/llama3-tokenizer-with-baked-data.js'))).default;
const allowed = {disallowedSpecial: new Set()};
for await (const line of readline.createInterface({input: fs.createReadStream(process.argv[3])})) {
  const text = JSON.parse(line);
  console.log(Math.max(o200k.countTokens(text, allowed), cl100k.countTokens(text, allowed),
    claude.encode(text.normalize('NFKC'), 'all').length, llama.encode(text, {bos: false, eos: false}).length));
}
"""
_MAX_BYTES = 300_000
_BIG_TOKENS = 500


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path)
    parser.add_argument("repositories", type=Path, nargs="+")
    parser.add_argument("--files", type=int, default=200, help="of each repository")
    options = parser.parse_args(argv)
    texts = [text for place in options.repositories for text in _texts(place, options.files)]
    counts = _count([text for _, text in texts], options.packages)
    kinds: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for (kind, text), count in zip(texts, counts, strict=True):
        kinds[kind].append((count_tokens(text), count))
    json.dump({kind: _figures(pairs) for kind, pairs in sorted(kinds.items())}, sys.stdout, indent=2)
    print()
    return 0


def _texts(place: Path, files: int) -> Iterator[tuple[str, str]]:
    """(extension, text) of files, and of three slices of each."""
    source = open_source(place, "HEAD")
    chance = random.Random(7)
    for path, content in source.read_many(sorted(chance.sample(sorted(source.paths), min(files, len(source.paths))))):
        if b"\0" in content or not 0 < len(content) <= _MAX_BYTES:
            continue
        kind, text = Path(path).suffix or "none", content.decode("utf-8", "replace")
        yield kind, text
        lines = text.split("\n")
        for length in (2, 10, 40):
            first = chance.randrange(len(lines))
            if piece := "\n".join(lines[first : first + length]):
                yield kind, piece


def _count(texts: Sequence[str], packages: Path) -> list[int]:
    with tempfile.TemporaryDirectory(prefix="switchyard-tokens-") as folder:
        script, data = Path(folder) / "count.mjs", Path(folder) / "texts.jsonl"
        script.write_text(_COUNT, encoding="utf-8")
        data.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
        argv = ("node", str(script), str(packages), str(data))
        found = subprocess.run(argv, check=True, capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def _figures(pairs: Sequence[tuple[int, int]]) -> dict[str, object]:
    over = [bound / count - 1 for bound, count in pairs if count >= _BIG_TOKENS]
    return {
        "texts": len(pairs),
        "below": sum(bound < count for bound, count in pairs),
        "over_percent_mean": round(100 * fmean(over), 1) if over else None,
        "over_percent_most": round(100 * max(over), 1) if over else None,
    }


if __name__ == "__main__":
    sys.exit(main())
