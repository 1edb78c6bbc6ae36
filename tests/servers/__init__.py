"""The contract of `steadfast/servers`, kept by each class on its real server."""
