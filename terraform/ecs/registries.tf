locals {
  repositories = merge(
    { dispatcher = "${var.name}/dispatcher" },
    { for repository in var.agent_repositories : "agent-${repository}" => "${var.name}-agents/${repository}" },
  )
  registry = "${local.account}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}"

  agent_images = sort(flatten([
    for repository, tags in var.agent_image_tags : [for tag in tags : "${local.registry}/${var.name}-agents/${repository}:${tag}"]
  ]))
}

resource "aws_ecr_repository" "this" {
  for_each = local.repositories

  name = each.value
  # A tag says the same thing for ever.
  image_tag_mutability = "IMMUTABLE"
  force_delete         = false
  tags                 = local.tags

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = local.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Images without a tag go after two weeks."
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "The newest ${var.images_kept} with a tag stay."
        selection    = { tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = var.images_kept }
        action       = { type = "expire" }
      },
    ]
  })
}
