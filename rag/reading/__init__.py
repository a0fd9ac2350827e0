"""From passages to spans, and the probability that they answer."""
