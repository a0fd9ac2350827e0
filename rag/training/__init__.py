"""Train, and judge, the reader; needs the extra dependencies `train`."""
