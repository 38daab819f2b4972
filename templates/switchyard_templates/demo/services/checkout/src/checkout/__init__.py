"""From a basket to a receipt."""
