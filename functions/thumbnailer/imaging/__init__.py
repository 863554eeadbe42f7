"""One photo in, thumbnails and facts out. Nothing in here knows AWS, events or the catalog."""
