"""A model server that plays a plan given by the test, and the real command-line agents that talk to it."""
