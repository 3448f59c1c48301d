"""One conversion engine a module, reached through the registry alone."""
