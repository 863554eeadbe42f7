"""How the deployed pipeline behaves under load: a fluid model of its queue, pollers, function, table and buckets."""
