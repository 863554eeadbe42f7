"""Photos uploaded to S3 become thumbnails and a catalog item; see README.md."""
