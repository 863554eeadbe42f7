"""Make thumbnails and a catalog item from each photo that is uploaded to S3; see README.md."""
