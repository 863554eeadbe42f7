"""Make thumbnails and facts from a photo. This package does not know AWS, events or the catalog."""
