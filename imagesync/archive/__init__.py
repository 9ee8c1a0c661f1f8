"""Tars of images, to read: `oci-archive:FILE` (ArchiveTree) and `docker-archive:FILE` (DockerArchive)."""

from imagesync.archive.docker import DockerArchive
from imagesync.archive.layouts import ArchiveTree

__all__ = ["ArchiveTree", "DockerArchive"]
