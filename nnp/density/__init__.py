"""An atom-centred neural potential: density moments, their invariant products, one network per element."""
