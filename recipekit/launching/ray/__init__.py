"""The children of a sweep as tasks of Ray, on a cluster or on a Ray of the command's own.

Ray decides where a child runs, and says when its process or node is lost. A child is never tried twice, since one that
ends its process would end the next one, too. Each child checks that its node has the driver's recipekit, Python and
project before it begins.
"""

from importlib.util import find_spec

from recipekit.errors import EnvironmentFault

if find_spec("ray") is None:
    raise EnvironmentFault(
        "the launcher recipekit_ray needs the package ray", where="hydra/launcher", fix="pip install 'recipekit[ray]'"
    )

from recipekit.launching.ray.launcher import Ray

__all__ = ["Ray"]
