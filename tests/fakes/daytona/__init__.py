"""A stand-in for Daytona's service: the same routes and shapes, and each sandbox a real embedded box."""
