"""JSON Schemas for editors: of a recipe file, and of the option files of each group, as a project needs them."""
