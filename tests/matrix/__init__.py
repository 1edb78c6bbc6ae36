"""The fault matrix: every store and class, every fault, users who talk meanwhile, and what was kept of it."""
