"""Square patches of a grey picture, as bytes: small images, as those of MNIST and Fashion-MNIST are."""

import numpy

import pictures

SIDE = 28
# So small that a patch shows more than a texture.
SCALES = (0.5, 0.25, 0.125)
STEP = 7  # pixels between patches
LEAST_CONTRAST = 10  # standard deviation: sky and walls are alike everywhere


def patches(picture):
    parts = [numpy.empty((0, SIDE * SIDE), numpy.uint8)]
    for scale in SCALES:
        image = pictures.scaled(picture, scale)
        if min(image.shape) >= SIDE:
            windows = numpy.lib.stride_tricks.sliding_window_view(image, (SIDE, SIDE))[::STEP, ::STEP]
            parts.append(windows.reshape(-1, SIDE * SIDE))
    found = numpy.concatenate(parts)
    return found[found.std(axis=1) >= LEAST_CONTRAST]
