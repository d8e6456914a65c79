"""Parts that two families or more are built from; nothing here names a family."""
