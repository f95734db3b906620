"""The answers to questions, one module for each story. Nothing here changes anything."""
