"""JSON Schemas: the recipe language and the manifest."""
