"""
Bringing a planner database over, once and for good (docs/moving.md).

`importing` tells the story; `source` reads, one module for each group of tables writes, `rules`
says how what is not as it should be is repaired, and `bookkeeping` keeps what became of each row.
"""
