"""The picture in the README shows what the program prints."""

from __future__ import annotations

import html
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def load_script() -> ModuleType:
    spec = spec_from_file_location("make_terminal_picture", DOCS / "make_terminal_picture.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts(svg: str) -> list[str]:
    """The words of a picture; where they stand is up to the version of rich."""
    found = re.findall(r"<text [^>]*>(.*?)</text>", svg, re.DOTALL)
    return " ".join(html.unescape(text) for text in found).split()


@pytest.mark.skipif(not DOCS.exists(), reason="the docs are not in this copy")
def test_the_picture_is_what_the_renderers_print_now() -> None:
    picture = (DOCS / "images" / "plan-apply.svg").read_text("utf-8")
    assert texts(picture) == texts(load_script().draw()), "draw it anew: python docs/make_terminal_picture.py"
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "").replace("https://www.textualize.io", "")
