"""An overview of deliveries: pages for their owner, and what waits."""
