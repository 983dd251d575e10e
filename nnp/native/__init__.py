"""Compiled code (C++, on the CPU) for what takes the time, with a slower way in PyTorch beside it."""
