data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  tags = merge({ Application = "kohakku", Runtime = var.name }, var.tags)

  kms_key_arn = coalesce(var.kms_key_arn, one(aws_kms_key.this[*].arn))

  # Where the dispatcher keeps what it must find again. The same path on the instance and in the container: agents' sockets are made by the
  # dispatcher, and mounted into agents by an engine that knows the instance's paths only.
  data_folder     = "/var/lib/kohakku"
  postgres_folder = "/var/lib/kohakku-postgres"
  identity_file   = "/etc/kohakku/appsettings.Production.json"
}
