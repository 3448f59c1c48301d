"""One dataset plugin a module, reached through the registry alone."""
