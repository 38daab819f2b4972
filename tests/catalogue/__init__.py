"""Changes that must not pass, and ordinary ones that must, in five languages on one small monorepo."""
