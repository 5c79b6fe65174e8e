"""The report: one HTML page about the delivery of messages, which works offline.

`figures.py` runs the queries of ``warehouse/report``, `words.py` formats numbers, `cards.py` makes
the headline, `page.py` renders the page from ``page.html``, ``page.css`` and ``page.js``,
`store.py` writes it. `charts.py` and `svg.py` draw the small charts of the Dagster UI.
"""
