"""Packaged options of the recipe language's groups, behind the user's own folder on Hydra's search path."""
