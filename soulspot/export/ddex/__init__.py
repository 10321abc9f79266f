"""Records of any origin in; DDEX ERN release messages out, as XML in memory or as files.

Called through `build_ern_batch` by Python programs, and by `soulspot export --format ddex`."""
