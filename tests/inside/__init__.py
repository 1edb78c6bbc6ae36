"""Promises of what runs inside Rasa, with Rasa itself around it and a server that fails on demand.

They run where Rasa is installed, see `conftest.py`; tests/servers has the same contract on real servers, and
tests/deploy the promises of deployed bots.
"""
