"""Make thumbnails and facts from a photo. This package does not depend on AWS, events or the catalog."""
