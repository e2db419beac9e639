"""Questions and answers of both sides as fixtures, without anybody in them: pseudonymised before the first write.

Never in production. What is replaced, and what it is replaced with, lives in memory until the run ends.
"""
