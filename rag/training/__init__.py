"""Training of the reader; needs the optional dependencies `train`."""
