"""Ways to run Cheershare; `deploy.local` is the one that needs nothing installed."""
