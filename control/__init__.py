"""Steadfast on the control machine: talks to deployed bots and shows their conversations."""
