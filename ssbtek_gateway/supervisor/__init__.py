"""The process that starts the workers, replaces those that die or hang, and ends them in order.

It holds the listening sockets, so that connections wait for a replaced worker instead of being reset, and serves the
management port. Standard library only, so that it stays small and has little that can go wrong: docs/decisions/0009.
"""
