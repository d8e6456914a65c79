"""Pictures of any size in bounded memory: rows in, rows out."""

from pixelwise.rasters.deep_zoom import write_deep_zoom
from pixelwise.rasters.disk import check_space, writing
from pixelwise.rasters.plain import write_jpeg, write_png
from pixelwise.rasters.pyramid import is_big, write_pyramid
from pixelwise.rasters.raster import Raster
from pixelwise.rasters.reader import open_raster, stored_size

__all__ = [
    "Raster",
    "check_space",
    "is_big",
    "open_raster",
    "stored_size",
    "write_deep_zoom",
    "write_jpeg",
    "write_png",
    "write_pyramid",
    "writing",
]
