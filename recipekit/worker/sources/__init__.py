"""One kind of model source a module, reached through the registry alone."""
