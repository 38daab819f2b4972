"""Files that the factory hands out: what `init` writes, and the sample monorepo of `demo`."""

from switchyard_templates.demo_ending import EXPECTED, EXPECTED_ATTEMPTS, EXPECTED_BASES, Ending, find_differences
from switchyard_templates.demo_layout import DemoRepository, lay_out_demo
from switchyard_templates.errors import FolderTaken, TemplatesError
from switchyard_templates.files import demo_files, init_files

__all__ = [
    "EXPECTED",
    "EXPECTED_ATTEMPTS",
    "EXPECTED_BASES",
    "DemoRepository",
    "Ending",
    "FolderTaken",
    "TemplatesError",
    "demo_files",
    "find_differences",
    "init_files",
    "lay_out_demo",
]
