"""Where files live: keys, the interface that every back end keeps, and the local directory."""
