"""The project's tests: lab, faults and checks do not know each other; the tests combine them."""
