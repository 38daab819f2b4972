"""What speaks for a file, one kind of evidence a module; each gives every file a number, 0 for nothing to say."""
