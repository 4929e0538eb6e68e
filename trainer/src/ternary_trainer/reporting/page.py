"""
The report as one self-contained HTML page: no script, nothing fetched, light and dark, phone and paper.
"""

from base64 import b64encode
from importlib.resources import files
from typing import Any

from ternary_sdk import atlas
from ternary_trainer.reporting import costs, shared_words, vast_words, words
from ternary_trainer.reporting.charts import charts, to_svg
from ternary_trainer.reporting.content import AnyContent, Content
from ternary_trainer.reporting.vast_content import VastContent


def to_html(content: AnyContent) -> bytes:
    """Lay out a report as a page, UTF-8."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    available = charts(content)

    def figure(title: str) -> Markup:
        caption, chart = available[title]
        return Markup("<figure>{}<figcaption><b>{}.</b> {}</figcaption></figure>").format(
            Markup(to_svg(title, chart, content)), title, caption
        )

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=False, loader=FunctionLoader(_template)
    )
    page = environment.get_template("page.html").render(
        content=content,
        shared=shared_words,
        costs=costs,
        figure=figure,
        training=[title for title in available if title.startswith("Training")],
        **_of_kind(content),
    )
    return page.encode()


def _of_kind(content: AnyContent) -> dict[str, Any]:
    """What only the templates of one kind of space use."""
    if isinstance(content, VastContent):
        return {
            "kind": "vast",
            "words": vast_words,
            "choices": vast_words.choices(content),
            "choices_header": vast_words.choices_header(content),
        }
    return {
        "kind": "listed",
        "words": words,
        "choices": words.choices(content),
        "choices_header": words.choices_header(content),
        "atlases": atlases(content),
        "size": words.picture_size(content),
        "reached": atlas.REACHED,
        "missing": atlas.MISSING,
    }


def _template(name: str) -> str:
    return files("ternary_trainer.reporting").joinpath(name).read_text("utf-8")


def atlases(content: Content) -> list[tuple[str, str, str]]:
    """For each path its letter, the operation space in words, and as PNG in base64."""
    space = content.signature.space
    return [
        (
            path,
            atlas.summary(measured.margins),
            b64encode(atlas.to_png(measured.margins, space=space)).decode(),
        )
        for path, measured in content.paths.items()
    ]
