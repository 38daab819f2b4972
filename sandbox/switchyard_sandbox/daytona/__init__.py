"""Boxes in Daytona's cloud, by its SDK; `inside.py` and what it needs of this package run in the boxes themselves."""
