{{- define "exporter.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "exporter.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "exporter.name" .) .Release.Name -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name (include "exporter.name" .) | trunc 52 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{- define "exporter.selector" -}}
app.kubernetes.io/name: {{ include "exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "exporter.labels" -}}
{{ include "exporter.selector" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: {{ include "exporter.name" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "exporter.account" -}}
{{ .Values.serviceAccount.name | default (ternary (include "exporter.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- /* image (dict "root" $ "image" .Values.image) */ -}}
{{- define "exporter.image" -}}
{{- $registry := .root.Values.image.registry -}}
{{ with $registry }}{{ . }}/{{ end }}{{ .image.repository }}{{ if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* What a shard's objects are called after the release's own name. */ -}}
{{- define "exporter.ofShard" -}}
{{ with .name }}-{{ . }}{{ end }}
{{- end }}

{{- /* The configuration that the chart writes. Servers of shards are in a directory of each pod. */ -}}
{{- define "exporter.toml" -}}
{{ if .Values.shards }}{{ printf "servers_dir = \"/etc/pg_integrity_servers\"\n%s" .Values.config.toml }}{{ else }}{{ .Values.config.toml }}{{ end }}
{{- end }}

{{- /* Not empty if a file says what is watched. */ -}}
{{- define "exporter.file" -}}
{{- if or .Values.shards .Values.config.toml .Values.config.existingConfigMap .Values.config.existingSecret }}yes{{ end -}}
{{- end }}

{{- define "exporter.check" -}}
{{- $ways := 0 -}}
{{- range list .Values.config.toml .Values.config.existingConfigMap .Values.config.existingSecret .Values.config.datasource.host .Values.config.datasourceSecret.name -}}
{{- if . }}{{ $ways = add1 $ways }}{{ end -}}
{{- end -}}
{{- if .Values.shards -}}
{{- if or .Values.config.existingConfigMap .Values.config.existingSecret .Values.config.datasource.host .Values.config.datasourceSecret.name -}}
{{- fail "shards: they name the servers themselves. HINT: leave only config.toml, for what all of them share" -}}
{{- end -}}
{{- if or .Values.drills.enabled .Values.persistence.existingClaim -}}
{{- fail "shards: drills and one claim are for one process. HINT: drill in a release of its own, and leave out persistence.existingClaim" -}}
{{- end -}}
{{- range $shard := .Values.shards -}}
{{- if eq (empty $shard.servers) (empty $shard.existingConfigMap) -}}
{{- fail (printf "shards: %s must say its servers in one way. HINT: servers or existingConfigMap" $shard.name) -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range $shard := .Values.shards }}{{ $names = append $names $shard.name }}{{ end -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- fail "shards: two of them have one name. HINT: a server's evidence stays with the shard that watches it" -}}
{{- end -}}
{{- else if ne (int $ways) 1 -}}
{{- fail "config: say what is watched in one way. HINT: toml, existingConfigMap, existingSecret, datasource.host or datasourceSecret" -}}
{{- end -}}
{{- if and .Values.config.datasource.host (not .Values.config.datasource.database) -}}
{{- fail "config.datasource: no database is named. HINT: set config.datasource.database" -}}
{{- end -}}
{{- if and .Values.config.datasource.password .Values.config.datasource.passwordSecret.name -}}
{{- fail "config.datasource: there are two passwords. HINT: leave out password or passwordSecret" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor and podMonitor would both scrape it. HINT: enable one of them" -}}
{{- end -}}
{{- if and .Values.drills.enabled (not (include "exporter.file" .)) -}}
{{- fail "drills: the configuration must say where backups are. HINT: config.toml, existingConfigMap or existingSecret" -}}
{{- end -}}
{{- if and .Values.drills.enabled (not .Values.drills.backups.existingClaim) -}}
{{- fail "drills: no claim with backups. HINT: set drills.backups.existingClaim" -}}
{{- end -}}
{{- end }}

{{- define "exporter.configVolume" -}}
{{- if .Values.config.existingSecret }}
- name: config
  secret: { secretName: {{ .Values.config.existingSecret }} }
{{- else if include "exporter.file" . }}
- name: config
  configMap: { name: {{ .Values.config.existingConfigMap | default (include "exporter.fullname" .) }} }
{{- end }}
{{- end }}

{{- /* volumes (dict "root" $ "servers" the ConfigMap of a shard's servers, or "") */ -}}
{{- define "exporter.volumes" -}}
{{- $servers := .servers -}}
{{- with .root }}
{{- if not .Values.persistence.enabled }}
- name: state
  emptyDir: {}
{{- else if .Values.persistence.existingClaim }}
- name: state
  persistentVolumeClaim: { claimName: {{ .Values.persistence.existingClaim }} }
{{- end }}
{{ include "exporter.configVolume" . | trim }}
{{- with $servers }}
- name: servers
  configMap: { name: {{ . }} }
{{- end }}
{{- if .Values.drills.enabled }}
- name: records
  persistentVolumeClaim: { claimName: {{ .Values.drills.records.existingClaim | default (printf "%s-drills" (include "exporter.fullname" .)) }} }
- name: backups
  persistentVolumeClaim: { claimName: {{ .Values.drills.backups.existingClaim }}, readOnly: true }
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "exporter.environment" -}}
{{- $source := .Values.config.datasource }}
{{- if .Values.config.datasourceSecret.name }}
- name: DATA_SOURCE_NAME
  valueFrom: { secretKeyRef: { name: {{ .Values.config.datasourceSecret.name }}, key: {{ .Values.config.datasourceSecret.key | default "DATA_SOURCE_NAME" }} } }
{{- else if $source.host }}
- name: DATA_SOURCE_NAME
  value: {{ printf "host='%s' port='%v' user='%s' dbname='%s' sslmode=%s %s" $source.host $source.port $source.user $source.database $source.sslmode $source.extraParams | trim | quote }}
{{- end }}
{{- if $source.password }}
- name: PGPASSWORD
  valueFrom: { secretKeyRef: { name: {{ include "exporter.fullname" . }}, key: data_source_password } }
{{- else if $source.passwordSecret.name }}
- name: PGPASSWORD
  valueFrom: { secretKeyRef: { name: {{ $source.passwordSecret.name }}, key: {{ $source.passwordSecret.key | default "data_source_password" }} } }
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* The door of the container, asked from within, so that no probe needs a password. */ -}}
{{- define "exporter.probe" -}}
exec:
  command: [pg_integrity_exporter, healthcheck{{ with . }}, {{ . }}{{ end }}, --listen, ":10187"]
{{- end }}
