"""Measurements: they print what they find and judge nothing but what an issue promised."""
