{{/* The three services, in the order in which they are named everywhere. */}}
{{- define "oms.services" -}}
order inventory payment
{{- end }}

{{- define "oms.chart" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The beginning of every name: short enough for what is put behind it, and without the dots that a
release's name may have, and a Service's not. */}}
{{- define "oms.fullname" -}}
{{- $chart := include "oms.chart" . -}}
{{- $full := printf "%s-%s" .Release.Name $chart -}}
{{- if .Values.fullnameOverride -}}
{{- $full = .Values.fullnameOverride -}}
{{- else if contains $chart .Release.Name -}}
{{- $full = .Release.Name -}}
{{- end -}}
{{- $full | replace "." "-" | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* What selects the pods of a component; never to be changed. Takes (list $ component). */}}
{{- define "oms.selector" -}}
app.kubernetes.io/name: {{ include "oms.chart" (index . 0) }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of an object. Takes (list $ component). */}}
{{- define "oms.labels" -}}
{{- $root := index . 0 -}}
{{ include "oms.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: oms
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "oms.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What Pod Security "restricted" asks of a pod. Takes the number of the user. */}}
{{- define "oms.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* And of a container. */}}
{{- define "oms.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The environment variable of a setting: `order.grpc.listen` is OMS_ORDER__GRPC__LISTEN. */}}
{{- define "oms.variable" -}}
{{- printf "OMS_%s" (. | replace "." "__" | upper) -}}
{{- end }}

{{/* A value as text; numbers whole, however large. */}}
{{- define "oms.text" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ . | toJson | quote }}{{ end -}}
{{- end }}

{{- define "oms.bootstrap" -}}
{{- if .Values.kafka.bootstrap -}}
{{ .Values.kafka.bootstrap }}
{{- else -}}
{{ include "oms.fullname" . }}-kafka:9092
{{- end -}}
{{- end }}

{{/* The Secret with the URLs of a service's database. Takes (list $ service). */}}
{{- define "oms.databaseSecret" -}}
{{- $root := index . 0 -}}
{{- $set := (index $root.Values (index . 1)).database.existingSecret -}}
{{- $set | default (printf "%s-%s-database" (include "oms.fullname" $root) (index . 1)) -}}
{{- end }}

{{/* A variable whose value is in a Secret. Takes (list variable secret key). */}}
{{- define "oms.secretVariable" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end }}

{{/* The properties of librdkafka that are secret, as variables. */}}
{{- define "oms.kafkaSecretVariables" -}}
{{- $first := true -}}
{{- range $name, $from := .Values.kafka.secretProperties }}
{{- if not $first }}{{ "\n" }}{{ end }}{{ $first = false -}}
{{ include "oms.secretVariable" (list (include "oms.variable" (printf "kafka.properties.%s" $name)) $from.secret $from.key) }}
{{- end }}
{{- end }}

{{/* Where `oms` finds Kafka, as arguments. */}}
{{- define "oms.kafkaArguments" -}}
- --bootstrap={{ include "oms.bootstrap" . }}
{{- range $name, $value := .Values.kafka.properties }}
- {{ printf "--kafka-property=%s=%s" $name (trimAll "\"" (include "oms.text" $value)) | quote }}
{{- end }}
{{- range $name, $_ := .Values.kafka.secretProperties }}
- {{ printf "--kafka-property=%s=$(%s)" $name (include "oms.variable" (printf "kafka.properties.%s" $name)) | quote }}
{{- end }}
{{- end }}

{{- define "oms.imagePull" -}}
{{- with .Values.image.pullSecrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Whether what a Job needs is there before the release: then the Jobs are hooks. */}}
{{- define "oms.jobsAreHooks" -}}
{{- if not (or .Values.developmentKafka.enabled .Values.developmentPostgresql.enabled) }}yes{{ end -}}
{{- end }}

{{/* Annotations of what runs before an installation or an upgrade. Takes (list $ weight). */}}
{{- define "oms.jobHook" -}}
{{- if include "oms.jobsAreHooks" (index . 0) -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
{{- end }}

{{/* The name of a Job: one of its own for each revision, as a Job cannot be changed. */}}
{{- define "oms.jobName" -}}
{{- $root := index . 0 -}}
{{ include "oms.fullname" $root }}-{{ index . 1 }}
{{- if not (include "oms.jobsAreHooks" $root) }}-{{ $root.Release.Revision }}{{ end -}}
{{- end }}
