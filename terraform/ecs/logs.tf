resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["dispatcher", "postgres"])

  name              = "/kohakku/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key_arn
  tags              = local.tags
}
