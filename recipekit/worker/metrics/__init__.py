"""Task metrics: scikit-learn's, behind recipekit's names."""
