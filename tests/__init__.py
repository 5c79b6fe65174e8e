"""The tests mirror the rooms; ``live`` is what several of them share."""
