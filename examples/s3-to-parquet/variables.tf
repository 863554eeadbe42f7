variable "architecture" {
  description = "Instruction set that the packages were built for: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "packages" {
  description = "Folder of the packages, relative to this one."
  type        = string
  default     = "../../build/examples/s3-to-parquet"
}

variable "prefix" {
  description = "Prefix of every name."
  type        = string
  default     = "eventloom-example-parquet"
}

variable "s3_use_path_style" {
  description = "Address buckets as /bucket/key rather than bucket.host/key, as emulators need."
  type        = bool
  default     = false
}
