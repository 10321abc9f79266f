"""Records of any origin in; DDEX ERN release messages out, as XML in memory or as files."""
