variable "architecture" {
  description = "Instruction set of the packages that were built (x86_64 or arm64), where it differs from the environment's: an emulator runs functions on its host."
  type        = string
  default     = null
}

variable "s3_use_path_style" {
  description = "Address buckets as /bucket/key rather than bucket.host/key, as emulators without wildcard DNS need."
  type        = bool
  default     = false
}
