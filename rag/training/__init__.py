"""Train the reader; needs the extra dependencies `train`."""
