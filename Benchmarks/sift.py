"""SIFT descriptors (Lowe 2004) of a grey picture, as bytes."""

import cv2
import numpy

import pictures

# Each picture at these sizes: copies that a search should find, as photographs of one place would be.
SCALES = (1.0, 0.7, 0.45)


class Descriptors:
    def __init__(self):
        self.sift = cv2.SIFT_create(contrastThreshold=0.008, edgeThreshold=25)

    def __call__(self, picture):
        found = (self.sift.detectAndCompute(pictures.scaled(picture, scale), None)[1] for scale in SCALES)
        parts = [part.astype(numpy.uint8) for part in found if part is not None]
        return numpy.concatenate([numpy.empty((0, 128), numpy.uint8), *parts])
