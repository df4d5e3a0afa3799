locals {
  dispatcher_labels = {
    "app.kubernetes.io/name"    = "dispatcher"
    "app.kubernetes.io/part-of" = "kohakku"
  }

  dispatcher_image = coalesce(var.dispatcher_image, "${local.registry}/dispatcher:${var.dispatcher_version}")

  # In order: a later one may name an earlier one.
  pod_fields = [
    { name = "POD_NAME", path = "metadata.name" },
    { name = "POD_NAMESPACE", path = "metadata.namespace" },
  ]
  secret_settings = [
    { name = "DATABASE_SERVER", secret = var.secrets.database },
    { name = "CALLBACK_SIGNING_KEY", secret = var.secrets.callback_signing_key },
    { name = "S3_ACCESS_KEY", secret = var.secrets.s3_access_key },
    { name = "S3_SECRET_KEY", secret = var.secrets.s3_secret_key },
  ]
  settings = merge(
    {
      ASPNETCORE_ENVIRONMENT        = "Production"
      ASPNETCORE_URLS               = "http://+:8080"
      CONTROLLER_URL                = var.controller_url
      DISPATCHER_NAME               = "$(POD_NAME)"
      DISPATCHER_URL                = "http://$(POD_NAME).dispatcher.$(POD_NAMESPACE).svc:8080"
      RUNTIME_BACKEND               = "worker"
      AGENT_NAMESPACE               = var.agents_namespace
      AGENT_RUNTIME_CLASS           = "gvisor"
      RUNNER_IMAGE                  = local.dispatcher_image
      MAX_CONCURRENT_AGENTS         = tostring(var.max_concurrent_agents)
      NUM_CONSUMERS                 = "8"
      KOHAKKU_DATA                  = "/var/lib/kohakku"
      SOCKET_DIR                    = "/tmp/sockets"
      ConnectionStrings__dispatcher = "$(DATABASE_SERVER);Database=$(POD_NAME)"
      S3_ENDPOINT                   = var.object_storage.endpoint
      S3_REGION                     = var.object_storage.region
      S3_BUCKET                     = var.object_storage.bucket
    },
    length(var.dispatcher_labels) == 0 ? {} : { DISPATCHER_LABELS = join(",", [for name, value in var.dispatcher_labels : "${name}=${value}"]) },
    var.otlp_endpoint == null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint },
  )
}

resource "kubernetes_namespace_v1" "this" {
  count = var.create_namespace ? 1 : 0

  metadata {
    name = var.namespace
    labels = {
      "app.kubernetes.io/part-of"          = "kohakku"
      "pod-security.kubernetes.io/enforce" = "restricted"
      "pod-security.kubernetes.io/audit"   = "restricted"
      "pod-security.kubernetes.io/warn"    = "restricted"
    }
  }

  depends_on = [google_container_node_pool.system]
}

resource "kubernetes_network_policy_v1" "default_deny" {
  count = var.create_namespace ? 1 : 0

  metadata {
    name      = "default-deny"
    namespace = kubernetes_namespace_v1.this[0].metadata[0].name
    labels    = { "app.kubernetes.io/part-of" = "kohakku" }
  }

  spec {
    pod_selector {}
    policy_types = ["Ingress", "Egress"]
  }
}

resource "kubernetes_service_account_v1" "dispatcher" {
  metadata {
    name        = "dispatcher"
    namespace   = var.namespace
    labels      = local.dispatcher_labels
    annotations = { "iam.gke.io/gcp-service-account" = google_service_account.dispatcher.email }
  }

  automount_service_account_token = false

  depends_on = [kubernetes_namespace_v1.this]
}

resource "kubernetes_network_policy_v1" "dispatcher" {
  metadata {
    # Not `dispatcher`, which is the one of deploy/kubernetes where that is installed beside.
    name      = "dispatcher-runtime"
    namespace = var.namespace
    labels    = local.dispatcher_labels
  }

  spec {
    pod_selector {
      match_labels = local.dispatcher_labels
    }
    policy_types = ["Ingress", "Egress"]

    # Agents, the controllers that read live logs, and Google's collector of metrics.
    ingress {
      from {
        namespace_selector {
          match_labels = { "kubernetes.io/metadata.name" = var.agents_namespace }
        }
      }
      from {
        pod_selector {
          match_labels = { "app.kubernetes.io/name" = "controller", "app.kubernetes.io/part-of" = "kohakku" }
        }
      }
      from {
        namespace_selector {
          match_labels = { "kubernetes.io/metadata.name" = "gmp-system" }
        }
      }
      ports {
        protocol = "TCP"
        port     = "8080"
      }
    }

    egress {
      to {
        namespace_selector {
          match_labels = { "kubernetes.io/metadata.name" = "kube-system" }
        }
        pod_selector {
          match_labels = { "k8s-app" = "kube-dns" }
        }
      }
      ports {
        protocol = "UDP"
        port     = "53"
      }
      ports {
        protocol = "TCP"
        port     = "53"
      }
    }

    egress {
      to {
        pod_selector {
          match_labels = { "app.kubernetes.io/name" = "controller", "app.kubernetes.io/part-of" = "kohakku" }
        }
      }
      ports {
        protocol = "TCP"
        port     = "8000"
      }
    }

    egress {
      to {
        ip_block {
          cidr = local.api_server_cidr
        }
      }
      ports {
        protocol = "TCP"
        port     = "443"
      }
    }

    dynamic "egress" {
      for_each = var.egress

      content {
        to {
          ip_block {
            cidr = egress.value.cidr
          }
        }
        ports {
          protocol = "TCP"
          port     = tostring(egress.value.port)
        }
      }
    }

    # Workload identity is answered by the metadata server; without roles there is nothing to ask it for.
    dynamic "egress" {
      for_each = length(var.dispatcher_roles) > 0 ? [true] : []

      content {
        to {
          ip_block {
            cidr = "169.254.169.254/32"
          }
        }
        to {
          ip_block {
            cidr = "169.254.169.252/32"
          }
        }
        ports {
          protocol = "TCP"
          port     = "80"
        }
        ports {
          protocol = "TCP"
          port     = "988"
        }
      }
    }
  }

  depends_on = [kubernetes_namespace_v1.this]
}

# Gives each dispatcher a name by which agents and controllers reach it, also while it is not ready.
resource "kubernetes_service_v1" "dispatcher" {
  metadata {
    name      = "dispatcher"
    namespace = var.namespace
    labels    = local.dispatcher_labels
  }

  spec {
    cluster_ip                  = "None"
    publish_not_ready_addresses = true
    selector                    = local.dispatcher_labels

    port {
      name        = "http"
      port        = 8080
      target_port = "http"
    }
  }

  depends_on = [kubernetes_namespace_v1.this]
}

resource "kubernetes_pod_disruption_budget_v1" "dispatcher" {
  metadata {
    name      = "dispatcher"
    namespace = var.namespace
    labels    = local.dispatcher_labels
  }

  spec {
    max_unavailable = "1"

    selector {
      match_labels = local.dispatcher_labels
    }
  }

  depends_on = [kubernetes_namespace_v1.this]
}

# The same as deploy/kubernetes/base/dispatcher.yaml, where the reasons stand.
resource "kubernetes_stateful_set_v1" "dispatcher" {
  metadata {
    name      = "dispatcher"
    namespace = var.namespace
    labels    = local.dispatcher_labels
  }

  wait_for_rollout = var.wait_for_rollout

  spec {
    service_name           = kubernetes_service_v1.dispatcher.metadata[0].name
    replicas               = tostring(var.dispatcher_replicas)
    pod_management_policy  = "Parallel"
    revision_history_limit = 5

    selector {
      match_labels = local.dispatcher_labels
    }

    update_strategy {
      type = "RollingUpdate"
    }

    template {
      metadata {
        labels = local.dispatcher_labels
      }

      spec {
        service_account_name             = kubernetes_service_account_v1.dispatcher.metadata[0].name
        automount_service_account_token  = true
        enable_service_links             = false
        termination_grace_period_seconds = 45

        security_context {
          run_as_non_root        = true
          run_as_user            = "1654"
          run_as_group           = "1654"
          fs_group               = "1654"
          fs_group_change_policy = "OnRootMismatch"

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        topology_spread_constraint {
          max_skew           = 1
          topology_key       = "topology.kubernetes.io/zone"
          when_unsatisfiable = "ScheduleAnyway"

          label_selector {
            match_labels = local.dispatcher_labels
          }
        }

        container {
          name              = "dispatcher"
          image             = local.dispatcher_image
          image_pull_policy = "IfNotPresent"

          port {
            name           = "http"
            container_port = 8080
          }

          dynamic "env" {
            for_each = local.pod_fields

            content {
              name = env.value.name

              value_from {
                field_ref {
                  field_path = env.value.path
                }
              }
            }
          }

          dynamic "env" {
            for_each = local.secret_settings

            content {
              name = env.value.name

              value_from {
                secret_key_ref {
                  name = env.value.secret.name
                  key  = env.value.secret.key
                }
              }
            }
          }

          dynamic "env" {
            for_each = local.settings

            content {
              name  = env.key
              value = env.value
            }
          }

          startup_probe {
            period_seconds    = 5
            timeout_seconds   = 5
            failure_threshold = 60

            http_get {
              path = "/health"
              port = "http"
            }
          }

          readiness_probe {
            period_seconds    = 5
            timeout_seconds   = 5
            failure_threshold = 3

            http_get {
              path = "/ready"
              port = "http"
            }
          }

          liveness_probe {
            period_seconds    = 10
            timeout_seconds   = 5
            failure_threshold = 6

            http_get {
              path = "/alive"
              port = "http"
            }
          }

          resources {
            requests = { cpu = "500m", memory = "512Mi", "ephemeral-storage" = "128Mi" }
            limits   = { memory = "2Gi", "ephemeral-storage" = "1Gi" }
          }

          security_context {
            allow_privilege_escalation = false
            read_only_root_filesystem  = true
            run_as_non_root            = true

            capabilities {
              drop = ["ALL"]
            }
          }

          volume_mount {
            name       = "data"
            mount_path = "/var/lib/kohakku"
          }

          volume_mount {
            name       = "tmp"
            mount_path = "/tmp"
          }
        }

        volume {
          name = "tmp"

          empty_dir {
            size_limit = "512Mi"
          }
        }
      }
    }

    volume_claim_template {
      metadata {
        name   = "data"
        labels = local.dispatcher_labels
      }

      spec {
        access_modes = ["ReadWriteOnce"]

        resources {
          requests = { storage = "10Gi" }
        }
      }
    }
  }

  depends_on = [kubernetes_role_binding_v1.dispatcher, kubernetes_network_policy_v1.dispatcher]
}
