"""
A chart with its caption, for paper.
"""

from ternary_trainer.reporting.charts import charts, to_png
from ternary_trainer.reporting.content import AnyContent


def captioned(title: str, content: AnyContent) -> tuple[str, bytes]:
    """The caption with its title, and the chart as PNG."""
    caption, chart = charts(content)[title]
    return f"{title}. {caption}", to_png(chart, content)
