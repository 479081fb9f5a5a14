"""Olist-shaped files: invented content with the publisher's names, proportions and habits."""

from olist.sample.write import DEFAULT_SCALE, MAX_DIRTY, SampleReport, write_sample

__all__ = ["DEFAULT_SCALE", "MAX_DIRTY", "SampleReport", "write_sample"]
