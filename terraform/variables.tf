variable "alb" {
  description = "Whether the catalog gets a load balancer as well; null: what the environment says. For an emulator that has load balancers."
  type        = bool
  default     = null
}

variable "architecture" {
  description = "Instruction set that the packages were built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "backfill" {
  description = "Whether there is a state machine for backfills; null: what the environment says. For an emulator that has Distributed Maps."
  type        = bool
  default     = null
}

variable "packages" {
  description = "Folder of the packages that `make build` made, relative to this one."
  type        = string
  default     = "../build"
}

variable "s3_use_path_style" {
  description = "Address buckets as /bucket/key rather than bucket.host/key, as emulators without wildcard DNS need."
  type        = bool
  default     = false
}
