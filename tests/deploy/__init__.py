"""Tests of `make deploy` and `make remove` on throwaway machines."""
