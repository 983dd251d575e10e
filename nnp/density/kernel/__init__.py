"""The density potential's first and second derivatives in one compiled pass (C++, on the CPU)."""
