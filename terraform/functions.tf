# All functions by folder name, for the output `functions` and the dashboard.

locals {
  functions = {
    activity    = module.activity
    catalog_api = module.catalog_api
    converter   = module.converter
    digest      = module.digest
    notifier    = module.notifier
    recoverer   = module.recoverer
    thumbnailer = module.thumbnailer
  }
}
