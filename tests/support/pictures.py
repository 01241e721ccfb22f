"""What is checked of every picture: that its text is legible."""

import itertools

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

LONG = "a_trial_list_whose_name_somebody_has_made_much_longer_than_any_line_of_a_legend_should_ever_be_in_print"


def drawn_texts(figure, monkeypatch):
    """Texts that the renderer really draws, with their boxes in pixels; lays the figure out, too."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = []
    draw = Text.draw
    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", lambda self, renderer: (drawn.append(self), draw(self, renderer)))
        canvas.draw()
    unique = {id(text): text for text in drawn if text.get_text().strip() and text.get_visible()}.values()
    return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in unique]


def assert_legible(figure, monkeypatch):
    texts = drawn_texts(figure, monkeypatch)
    assert len(texts) > 1
    for text, box in texts:
        inside = box.x0 >= 0 and box.y0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
        assert inside, f"{text!r} leaves the picture"
    for (one, box), (other, other_box) in itertools.combinations(texts, 2):
        assert not box.overlaps(other_box), f"{one!r} lies on {other!r}"
    return [text for text, _ in texts]
