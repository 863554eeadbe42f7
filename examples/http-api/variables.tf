variable "architecture" {
  description = "Instruction set of the packages: x86_64 or arm64."
  type        = string
  default     = "x86_64"
}

variable "packages" {
  description = "Folder of the packages, relative to this one."
  type        = string
  default     = "../../build/examples/http-api"
}

variable "prefix" {
  description = "Prefix of all names: <project>-<environment>."
  type        = string
  default     = "eventloom-example-http-api"
}
