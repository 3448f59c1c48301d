"""`recipekit verify` and `recipekit sign` as a user calls them."""
