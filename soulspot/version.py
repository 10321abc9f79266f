"""The version of the installed package, as its metadata has it."""

from importlib.metadata import version

__version__ = version("soulspot")
