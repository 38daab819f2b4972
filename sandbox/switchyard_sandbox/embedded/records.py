"""Small files by which processes that don't know each other find each other."""

from __future__ import annotations

import json
import os

from switchyard_sandbox.embedded.job import PROCESS
from switchyard_sandbox.embedded.procfs import start_time


def write_whole(path: str, text: str) -> None:
    """Write a file that is either absent or complete."""
    with open(path + ".new", "w") as file:
        file.write(text)
    os.replace(path + ".new", path)  # noqa: PTH105


def write_process() -> None:
    """Say in the current folder that we are its process."""
    write_whole(PROCESS, json.dumps({"pid": os.getpid(), "start": start_time(os.getpid())}))


def read_process(folder: str) -> tuple[int, int]:
    """The pid and start time of a folder's process.

    Raises:
        FileNotFoundError: It has none yet.
    """
    with open(f"{folder}/{PROCESS}") as file:
        process = json.load(file)
    return int(process["pid"]), int(process["start"])
