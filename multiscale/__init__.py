"""The program: case files, the finite-element bulk, the run loop, results."""
