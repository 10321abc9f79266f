"""A configuration in, a working service out: the one place where things are built.

Used by the daemon, the commands and Python programs."""

from soulspot.assembly.service import EnrichmentService, open_service
from soulspot.assembly.settings import catalogue_path, cover_sources, library_rules, rules, tag_rules
from soulspot.assembly.temporary_database import with_temporary_database
from soulspot.assembly.timers import add_timer, new_scheduler
from soulspot.assembly.webhook_delivery import webhook_poster, webhook_receiver
from soulspot.assembly.wiring import apply_config, build_providers
