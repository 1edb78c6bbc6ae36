"""WHAT BREAKS: faults, each of which can be injected and healed.

A family of faults is one module here; its faults register themselves, so nothing else lists them.
"""
