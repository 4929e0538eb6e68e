"""
The report's charts: drawn once each, for paper or for a page.
"""

from collections.abc import Mapping

from ternary_trainer.reporting.content import AnyContent
from ternary_trainer.reporting.listed_charts import listed_charts
from ternary_trainer.reporting.shared_charts import SPECTRUM
from ternary_trainer.reporting.sheets import Chart, to_png, to_svg
from ternary_trainer.reporting.vast_charts import vast_charts
from ternary_trainer.reporting.vast_content import VastContent

__all__ = ["SPECTRUM", "charts", "to_png", "to_svg"]


def charts(content: AnyContent) -> Mapping[str, tuple[str, Chart]]:
    """Every chart that this content can fill, by title, with a sentence that says what to see in it."""
    return vast_charts(content) if isinstance(content, VastContent) else listed_charts(content)
