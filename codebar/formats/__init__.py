"""
How days and hours are written, in each language beside Django's own formats.

In templates `{{ day|date:"WEEKDAY_FORMAT" }}`, in Python `date_format(day, "WEEKDAY_FORMAT")`.
"""
