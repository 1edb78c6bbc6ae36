"""WHAT MUST HOLD: checks, each of which takes a history and gives a verdict.

A family of checks is one module here; its checks register themselves, so nothing else lists them.
"""
