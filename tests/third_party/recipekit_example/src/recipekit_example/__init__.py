"""Plugins for recipekit: the dataset `waves`, the metric `confusion_cost`, a Keras layer and a model that uses it."""
