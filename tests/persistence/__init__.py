"""Proves on a deployed bot that its conversations survive restarts."""
