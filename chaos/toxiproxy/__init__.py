"""A Toxiproxy server of one's own: built, started, told what to do, ended."""
