"""`convert_once` with a calibration set too large to hold: the images of an `.npz` file, read one at a time.

python -m tests.benchmarks.scripts.calibrate_many --calibration images.npz --model M.keras --output FOLDER ...
"""

from __future__ import annotations

import itertools
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.scripts.convert_once import Array, convert_and_compare, make_parser


def main() -> None:
    parser = make_parser()
    parser.add_argument("--calibration", type=Path, required=True, help="holds the array 'image', uncompressed")
    options = parser.parse_args()
    images = options.calibration
    count = options.calibration_samples
    convert_and_compare(options, lambda: ([image] for image in itertools.islice(stream(images), count)))


def stream(path: Path) -> Iterator[Array]:
    """The rows of the array `image`, each of shape (1, height, width, channels); `numpy.load` would read them all."""
    with zipfile.ZipFile(path) as archive, archive.open("image.npy") as member:
        np.lib.format.read_magic(member)
        (count, *shape), _, dtype = np.lib.format.read_array_header_1_0(member)
        size = math.prod(shape) * dtype.itemsize
        for _ in range(count):
            yield np.frombuffer(member.read(size), dtype).reshape(1, *shape)


if __name__ == "__main__":
    main()
