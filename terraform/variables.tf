variable "alarm_emails" {
  description = "Email addresses to notify of alarms; null uses the environment's setting. For addresses outside of git."
  type        = list(string)
  default     = null
}

variable "alb" {
  description = "Whether to create the load balancer; null uses the environment's setting. For emulators."
  type        = bool
  default     = null
}

variable "architecture" {
  description = "Instruction set of the packages: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "backfill" {
  description = "Whether to create the state machine for backfills; null uses the environment's setting. For emulators."
  type        = bool
  default     = null
}

variable "packages" {
  description = "Folder of the packages that `make build` creates, relative to this one."
  type        = string
  default     = "../build"
}

variable "s3_use_path_style" {
  description = "Whether S3 URLs are /bucket/key instead of bucket.host/key. For emulators without wildcard DNS."
  type        = bool
  default     = false
}
