variable "architecture" {
  description = "Instruction set of the packages: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "packages" {
  description = "Folder of the packages, relative to this one."
  type        = string
  default     = "../../build"
}

variable "prefix" {
  description = "Prefix of all names: <project>-<environment>."
  type        = string
  default     = "eventloom-example-thumbs"
}

variable "s3_use_path_style" {
  description = "Whether S3 URLs are /bucket/key instead of bucket.host/key. For emulators without wildcard DNS."
  type        = bool
  default     = false
}
