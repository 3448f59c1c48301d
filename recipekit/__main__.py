"""`python -m recipekit`, the same as the command `recipekit`."""

import sys

from recipekit.cli import main

if __name__ == "__main__":
    sys.exit(main())
