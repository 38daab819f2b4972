"""Looks at a repository's files and works out how its tests are set up and run in a sandbox."""

from switchyard.config.survey.findings import Findings, survey
from switchyard.config.survey.listing import Listing

__all__ = ["Findings", "Listing", "survey"]
