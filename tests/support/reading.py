"""The file reader that tests of single parts share: its processes start once."""

from soulspot.library.reader import FileReader

READER = FileReader()
