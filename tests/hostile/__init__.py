"""What a hostile task tries in a box, and what must be observed."""
