"""imagesync keeps container images where they should be. The version lives here, and nothing is imported."""

__version__ = "0.1.0"
