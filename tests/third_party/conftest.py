"""The example's own tests belong to it: they run where it is installed, in a child process."""

collect_ignore = ["recipekit_example"]
