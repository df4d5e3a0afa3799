resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = local.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

data "aws_ssm_parameter" "ami" {
  count = var.ami_id == null ? 1 : 0

  name = "/aws/service/ecs/optimized-ami/amazon-linux-2023/${var.ami_architecture == "arm64" ? "arm64/" : ""}recommended/image_id"
}

resource "aws_launch_template" "this" {
  name                   = var.name
  description            = "Instances that agents of ${var.name} run on"
  image_id               = coalesce(var.ami_id, try(nonsensitive(data.aws_ssm_parameter.ami[0].value), null))
  instance_type          = var.instance_type
  update_default_version = true
  ebs_optimized          = true
  tags                   = local.tags

  user_data = base64encode(templatefile("${path.module}/templates/user-data.sh.tftpl", {
    name            = var.name
    cluster         = aws_ecs_cluster.this.name
    region          = local.region
    registry        = local.registry
    agent_images    = local.agent_images
    data_folder     = local.data_folder
    postgres_folder = local.postgres_folder
    identity_file   = local.identity_file
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.instance.arn
  }

  # Tokens only, and one hop: the instance itself gets its credentials, a container (one hop further) gets no answer.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [aws_security_group.instances.id]
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.root_volume.size_gib
      iops                  = var.root_volume.iops
      throughput            = var.root_volume.throughput
      encrypted             = true
      kms_key_id            = var.root_volume.kms_key_id
      delete_on_termination = true
    }
  }

  monitoring {
    enabled = true
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(local.tags, { Name = var.name })
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_autoscaling_group" "this" {
  name                = var.name
  min_size            = var.instance_count.min
  max_size            = var.instance_count.max
  vpc_zone_identifier = var.private_subnet_ids
  health_check_type   = "EC2"
  # Until it has joined the cluster and its dispatcher claims.
  default_instance_warmup = 180
  # An instance that goes takes its agents along, and their work is done again elsewhere. So none goes by itself: README, "Scaling".
  protect_from_scale_in = true
  enabled_metrics       = ["GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTerminatingInstances", "GroupTotalInstances"]

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  dynamic "tag" {
    for_each = merge(local.tags, { AmazonECSManaged = "true" })

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  lifecycle {
    # Between the bounds scaling decides.
    ignore_changes = [desired_capacity]
  }
}

# Managed draining: an instance that is to go is drained first, its dispatcher gets SIGTERM and hands its work back. Managed scaling is off
# on purpose: it counts instances that run a daemon only as empty, and would end all but the fewest; and managed termination protection,
# which needs it, protects no daemon. What stands in for both is protect_from_scale_in above and the policy below.
resource "aws_ecs_capacity_provider" "this" {
  name = var.name
  tags = local.tags

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this.arn
    managed_draining               = "ENABLED"
    managed_termination_protection = "DISABLED"

    managed_scaling {
      status = "DISABLED"
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = [aws_ecs_capacity_provider.this.name]
}

resource "aws_autoscaling_policy" "queue_age" {
  count = var.queue_age_metric == null ? 0 : 1

  name                    = "${var.name}-queue-age"
  autoscaling_group_name  = aws_autoscaling_group.this.name
  policy_type             = "StepScaling"
  adjustment_type         = "ChangeInCapacity"
  metric_aggregation_type = "Maximum"

  # Distances are from the alarm's threshold.
  step_adjustment {
    metric_interval_lower_bound = 0
    metric_interval_upper_bound = var.queue_age_metric.threshold_seconds * 4
    scaling_adjustment          = 1
  }

  step_adjustment {
    metric_interval_lower_bound = var.queue_age_metric.threshold_seconds * 4
    scaling_adjustment          = 2
  }
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  count = var.queue_age_metric == null ? 0 : 1

  alarm_name          = "${var.name}-queue-age"
  alarm_description   = "Tasks wait longer for a dispatcher of ${var.name} than they should"
  namespace           = var.queue_age_metric.namespace
  metric_name         = var.queue_age_metric.name
  dimensions          = var.queue_age_metric.dimensions
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 2
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.queue_age_metric.threshold_seconds
  # No queued task, no figure.
  treat_missing_data = "notBreaching"
  alarm_actions      = [aws_autoscaling_policy.queue_age[0].arn]
  tags               = local.tags
}
