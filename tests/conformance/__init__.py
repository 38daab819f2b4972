"""One suite over every driver of a contract."""
