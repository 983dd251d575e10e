"""`python -m nnp` is the same as the command `nnp`."""

import sys

from nnp.cli import main

sys.exit(main())
