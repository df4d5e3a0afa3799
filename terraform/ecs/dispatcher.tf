locals {
  log_configuration = {
    for container, group in aws_cloudwatch_log_group.this : container => {
      logDriver = "awslogs"
      options = {
        awslogs-group         = group.name
        awslogs-region        = local.region
        awslogs-stream-prefix = container
        # A log service that is slow must not hold up the dispatcher.
        mode            = "non-blocking"
        max-buffer-size = "16m"
      }
    }
  }

  environment = merge(
    {
      ASPNETCORE_ENVIRONMENT = "Production"
      ASPNETCORE_URLS        = "http://+:8080"
      CONTROLLER_URL         = var.controller_url
      RUNTIME_BACKEND        = "local"
      DOCKER_HOST            = "unix:///var/run/docker.sock"
      MAX_CONCURRENT_AGENTS  = tostring(var.max_concurrent_agents)
      KOHAKKU_DATA           = local.data_folder
      SOCKET_DIR             = "${local.data_folder}/sockets"
      POSTGRES_HOST          = "postgres"
      POSTGRES_DB            = "dispatcher"
      POSTGRES_USER          = "kohakku"
      S3_ENDPOINT            = var.object_storage.endpoint
      S3_REGION              = var.object_storage.region
      S3_BUCKET              = var.object_storage.bucket
    },
    length(var.dispatcher_labels) == 0 ? {} : { DISPATCHER_LABELS = join(",", [for name, value in var.dispatcher_labels : "${name}=${value}"]) },
    var.otlp_endpoint == null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint },
  )
}

# The dispatcher and its journal, once per instance. A journal on the instance itself: it tells of containers of this instance, and is of use
# as long as they are. Who and where the dispatcher is stands in a file of the instance (templates/user-data.sh.tftpl), mounted over the
# settings of the environment Production: an environment variable would say the same on every instance.
resource "aws_ecs_task_definition" "dispatcher" {
  family                   = "${var.name}-dispatcher"
  requires_compatibilities = ["EC2"]
  # Behind the bridge the containers are one hop further than the metadata service answers. `host` would hand them the instance's role.
  network_mode       = "bridge"
  execution_role_arn = aws_iam_role.execution.arn
  tags               = local.tags

  container_definitions = jsonencode([
    {
      name                   = "postgres"
      image                  = var.postgres_image
      essential              = true
      user                   = "999:999"
      memoryReservation      = 256
      memory                 = 1024
      stopTimeout            = 60
      readonlyRootFilesystem = true
      dockerSecurityOptions  = ["no-new-privileges"]
      linuxParameters = {
        initProcessEnabled = true
        capabilities       = { drop = ["ALL"] }
        tmpfs              = [{ containerPath = "/tmp", size = 64 }, { containerPath = "/var/run/postgresql", size = 16 }]
      }
      environment = [
        { name = "PGDATA", value = "/var/lib/postgresql/data/pgdata" },
        { name = "POSTGRES_DB", value = "dispatcher" },
        { name = "POSTGRES_USER", value = "kohakku" },
      ]
      secrets     = [{ name = "POSTGRES_PASSWORD", valueFrom = var.secret_arns.database_password }]
      mountPoints = [{ sourceVolume = "postgres", containerPath = "/var/lib/postgresql/data", readOnly = false }]
      healthCheck = {
        command     = ["CMD", "pg_isready", "-U", "kohakku", "-d", "dispatcher"]
        interval    = 5
        timeout     = 5
        retries     = 12
        startPeriod = 60
      }
      logConfiguration = local.log_configuration["postgres"]
    },
    {
      name              = "dispatcher"
      image             = coalesce(var.dispatcher_image, "${aws_ecr_repository.this["dispatcher"].repository_url}:${var.dispatcher_version}")
      essential         = true
      memoryReservation = 512
      memory            = 2048
      # The host's own limit for an orderly end is 30 s.
      stopTimeout = 45
      # Whoever has the engine's socket is root on the instance, whatever user he is here; as root, without any of its capabilities, he
      # needs no group of the instance's to open it.
      user                   = "0:0"
      readonlyRootFilesystem = true
      dockerSecurityOptions  = ["no-new-privileges"]
      linuxParameters = {
        initProcessEnabled = true
        capabilities       = { drop = ["ALL"] }
        tmpfs              = [{ containerPath = "/tmp", size = 512 }]
      }
      links        = ["postgres"]
      dependsOn    = [{ containerName = "postgres", condition = "HEALTHY" }]
      portMappings = [{ containerPort = 8080, hostPort = 8080, protocol = "tcp" }]
      environment  = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
      secrets = [
        { name = "CALLBACK_SIGNING_KEY", valueFrom = var.secret_arns.callback_signing_key },
        { name = "POSTGRES_PASSWORD", valueFrom = var.secret_arns.database_password },
        { name = "S3_ACCESS_KEY", valueFrom = var.secret_arns.s3_access_key },
        { name = "S3_SECRET_KEY", valueFrom = var.secret_arns.s3_secret_key },
      ]
      mountPoints = [
        { sourceVolume = "engine", containerPath = "/var/run/docker.sock", readOnly = false },
        { sourceVolume = "data", containerPath = local.data_folder, readOnly = false },
        { sourceVolume = "identity", containerPath = "${var.content_root}/appsettings.Production.json", readOnly = true },
      ]
      logConfiguration = local.log_configuration["dispatcher"]
    },
  ])

  volume {
    name      = "engine"
    host_path = "/var/run/docker.sock"
  }

  volume {
    name      = "data"
    host_path = local.data_folder
  }

  volume {
    name      = "postgres"
    host_path = local.postgres_folder
  }

  volume {
    name      = "identity"
    host_path = local.identity_file
  }
}

resource "aws_ecs_service" "dispatcher" {
  name                = "dispatcher"
  cluster             = aws_ecs_cluster.this.id
  task_definition     = aws_ecs_task_definition.dispatcher.arn
  launch_type         = "EC2"
  scheduling_strategy = "DAEMON"
  # Its port and its name are the instance's: the old one ends before the new one starts, half of them at a time where there are several.
  deployment_maximum_percent         = 100
  deployment_minimum_healthy_percent = var.instance_count.min >= 2 ? 50 : 0
  enable_ecs_managed_tags            = true
  enable_execute_command             = false
  propagate_tags                     = "SERVICE"
  tags                               = local.tags

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # While it is made or destroyed, instances and roles must be there.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.instance, aws_ecs_cluster_capacity_providers.this]
}
