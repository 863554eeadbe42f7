mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name = "eventloom-test-photos-123456789012"
}

run "private_encrypted_and_tls_only" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Nothing may be public."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "Requests without TLS must be denied."
  }

  assert {
    condition     = tolist(aws_s3_bucket_server_side_encryption_configuration.this.rule)[0].apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "Objects must be encrypted."
  }

  assert {
    condition     = aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "ACLs must be off."
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy && length(aws_s3_bucket_notification.this) == 0 && length(aws_s3_bucket_versioning.this) == 0
    error_message = "Options that were not set must be off."
  }

  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation == 7
      && length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0
      && length(aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration) == 0
    )
    error_message = "Unfinished multipart uploads must be removed, and nothing else."
  }
}

run "web_pages_may_upload" {
  variables { cors_origins = ["https://photos.example.com"] }

  assert {
    condition     = tolist(aws_s3_bucket_cors_configuration.this[0].cors_rule)[0].allowed_methods == toset(["GET", "HEAD", "POST"])
    error_message = "Pages read objects and post forms. Nothing of them puts objects."
  }

  assert {
    condition     = tolist(aws_s3_bucket_cors_configuration.this[0].cors_rule)[0].allowed_origins == toset(["https://photos.example.com"])
    error_message = "Only these origins must be allowed."
  }
}

run "versions_expire" {
  variables {
    versioning      = true
    noncurrent_days = 3
    expire_days     = 400
    kms_key_arn     = "arn:aws:kms:eu-west-1:123456789012:key/abcd"
  }

  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 400
      && aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 3
    )
    error_message = "Objects and noncurrent versions must expire after the given days."
  }

  assert {
    condition     = tolist(aws_s3_bucket_server_side_encryption_configuration.this.rule)[0].apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "Objects must be encrypted with the given key."
  }
}

run "objects_with_a_prefix_expire" {
  variables { expire_prefixes = { "results/" = 7 } }

  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this.rule[1].filter[0].prefix == "results/"
      && aws_s3_bucket_lifecycle_configuration.this.rule[1].expiration[0].days == 7
    )
    error_message = "Only objects with the prefix must expire."
  }
}

run "expired_delete_markers_are_removed" {
  variables { versioning = true }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].expired_object_delete_marker
    error_message = "Delete markers without versions must be removed."
  }
}

run "disjoint_notifications" {
  variables {
    eventbridge = true
    notifications = {
      images  = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = ["s3:ObjectCreated:*"], prefix = "in/", suffix = ".jpg" }
      tables  = { type = "function", arn = "arn:aws:lambda:eu-west-1:123456789012:function:f:live", events = ["s3:ObjectCreated:Put"], prefix = "in/", suffix = ".csv" }
      removed = { type = "topic", arn = "arn:aws:sns:eu-west-1:123456789012:t", events = ["s3:ObjectRemoved:Delete"], prefix = "", suffix = "" }
      marked  = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = ["s3:ObjectRemoved:DeleteMarkerCreated"], prefix = "", suffix = "" }
      other   = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = ["s3:ObjectCreated:*"], prefix = "out/", suffix = "" }
    }
  }

  assert {
    condition = (
      length(aws_s3_bucket_notification.this[0].queue) == 3
      && length(aws_s3_bucket_notification.this[0].lambda_function) == 1
      && length(aws_s3_bucket_notification.this[0].topic) == 1
      && aws_s3_bucket_notification.this[0].eventbridge
    )
    error_message = "The one notification configuration must contain every notification."
  }
}

run "identical_filters_overlap" {
  command = plan
  variables {
    notifications = {
      one = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = ["s3:ObjectCreated:*"], prefix = "", suffix = "" }
      two = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:r", events = ["s3:ObjectCreated:*"], prefix = "", suffix = "" }
    }
  }
  expect_failures = [aws_s3_bucket_notification.this]
}

run "wildcard_event_overlaps_its_event" {
  command = plan
  variables {
    notifications = {
      one = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = ["s3:ObjectCreated:Put"], prefix = "", suffix = "" }
      two = { type = "topic", arn = "arn:aws:sns:eu-west-1:123456789012:t", events = ["s3:ObjectCreated:*"], prefix = "", suffix = "" }
    }
  }
  expect_failures = [aws_s3_bucket_notification.this]
}

run "nested_prefixes_and_suffixes_overlap" {
  command = plan
  variables {
    notifications = {
      one = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = ["s3:ObjectCreated:*"], prefix = "in/", suffix = ".gz" }
      two = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:r", events = ["s3:ObjectCreated:*"], prefix = "in/photos/", suffix = ".csv.gz" }
    }
  }
  expect_failures = [aws_s3_bucket_notification.this]
}

run "overlap_within_one_notification" {
  command = plan
  variables {
    notifications = {
      one = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = ["s3:ObjectCreated:*", "s3:ObjectCreated:Copy"], prefix = "", suffix = "" }
    }
  }
  expect_failures = [aws_s3_bucket_notification.this]
}

run "unknown_type" {
  command = plan
  variables {
    notifications = {
      one = { type = "lambda", arn = "arn:aws:lambda:eu-west-1:123456789012:function:f", events = ["s3:ObjectCreated:*"], prefix = "", suffix = "" }
    }
  }
  expect_failures = [var.notifications]
}

run "unknown_event" {
  command = plan
  variables {
    notifications = {
      one = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = ["ObjectCreated"], prefix = "", suffix = "" }
    }
  }
  expect_failures = [var.notifications]
}

run "notification_without_events" {
  command = plan
  variables {
    notifications = {
      one = { type = "queue", arn = "arn:aws:sqs:eu-west-1:123456789012:q", events = [], prefix = "", suffix = "" }
    }
  }
  expect_failures = [var.notifications]
}

run "invalid_name" {
  command = plan
  variables { name = "Photos" }
  expect_failures = [var.name]
}

run "tags" {
  variables { tags = { CostCenter = "photos" } }

  assert {
    condition     = aws_s3_bucket.this.tags == tomap({ CostCenter = "photos" })
    error_message = "The bucket must have the tags."
  }
}

run "tag_that_only_aws_may_set" {
  command = plan
  variables { tags = { "aws:owner" = "me" } }
  expect_failures = [var.tags]
}
