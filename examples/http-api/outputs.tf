output "add_arn" {
  description = "What a role needs execute-api:Invoke for, to add links."
  value       = "${module.api.execution_arn}/$default/POST/links"
}

output "api_id" {
  description = "ID of the HTTP API, which is part of its host name on an emulator."
  value       = module.api.id
}

output "url" {
  description = "URL of the API on AWS, to which a short link is added."
  value       = module.api.url
}
