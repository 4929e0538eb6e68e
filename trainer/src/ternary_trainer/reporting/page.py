"""
The report as one self-contained HTML page: no script, nothing fetched, light and dark, phone and paper.
"""

from base64 import b64encode
from importlib.resources import files

from ternary_sdk import atlas
from ternary_trainer.reporting import costs, words
from ternary_trainer.reporting.charts import charts, to_svg
from ternary_trainer.reporting.content import Content


def to_html(content: Content) -> bytes:
    """Lay out a report as a page, UTF-8."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    available = charts(content)

    def figure(title: str) -> Markup:
        caption, chart = available[title]
        return Markup("<figure>{}<figcaption><b>{}.</b> {}</figcaption></figure>").format(
            Markup(to_svg(title, chart, content)), title, caption
        )

    template = files("ternary_trainer.reporting").joinpath("page.html").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    page = environment.from_string(template).render(
        content=content,
        words=words,
        costs=costs,
        figure=figure,
        choices=words.choices(content),
        training=[title for title in available if title.startswith("Training")],
        atlases=atlases(content),
        size=words.picture_size(content),
        reached=atlas.REACHED,
        missing=atlas.MISSING,
    )
    return page.encode()


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
