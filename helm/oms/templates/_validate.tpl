{{/* What values.schema.json cannot say: everything that is missing, at once. */}}
{{- define "oms.validate" -}}
{{- $wrong := list -}}
{{- if and (not .Values.developmentKafka.enabled) (not .Values.kafka.bootstrap) -}}
{{- $wrong = append $wrong "kafka.bootstrap: name your brokers, or set developmentKafka.enabled" -}}
{{- end -}}
{{- if and .Values.developmentKafka.enabled .Values.kafka.bootstrap -}}
{{- $wrong = append $wrong "kafka.bootstrap: your brokers are named, so set developmentKafka.enabled to false" -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]" (include "oms.fullname" .)) -}}
{{- $wrong = append $wrong "fullnameOverride: set it, as a Service's name cannot begin with a digit like the release's" -}}
{{- end -}}
{{- range $name := include "oms.services" . | splitList " " -}}
{{- $service := index $.Values $name -}}
{{- if and (not $.Values.developmentPostgresql.enabled) (not $service.database.existingSecret) -}}
{{- $wrong = append $wrong (printf "%s.database.existingSecret: name the Secret with the URLs of the database, or set developmentPostgresql.enabled" $name) -}}
{{- end -}}
{{- if le (int $service.terminationGracePeriodSeconds) (add (int $service.preStopSeconds) 10 | int) -}}
{{- $wrong = append $wrong (printf "%s.terminationGracePeriodSeconds: must be more than preStopSeconds and the 10 seconds of a drain" $name) -}}
{{- end -}}
{{- if gt (int $service.autoscaling.minReplicas) (int $service.autoscaling.maxReplicas) -}}
{{- $wrong = append $wrong (printf "%s.autoscaling: minReplicas is more than maxReplicas" $name) -}}
{{- end -}}
{{- end -}}
{{- if $wrong -}}
{{- fail (printf "\n\nThese values do not fit:\n  - %s\n" (join "\n  - " $wrong)) -}}
{{- end -}}
{{- end }}
