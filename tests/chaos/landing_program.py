"""`switchyard stack land`, ended by SIGKILL just before it makes a folder, puts a file in place or starts a program.

`python landing_program.py POINT NTH` lands what the factory published in the repository around the current folder,
approved or not. The points are those of `line_program.py` that begin with `mkdir`, `rename` or `spawn`.
"""

from __future__ import annotations

import sys

from line_program import Fuse, watch_files

from switchyard.cli.main import main

if __name__ == "__main__":
    watch_files(Fuse(sys.argv[1], int(sys.argv[2])))
    sys.exit(main(["stack", "land", "--no-approval", "--json"]))
