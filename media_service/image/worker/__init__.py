"""Decoder processes: started, asked, timed and replaced; each gives up its rights first."""
