{{- define "oms.egressDns" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{/* Takes (list ports peers). */}}
{{- define "oms.egressTo" -}}
- ports:
    {{- range index . 0 }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with index . 1 }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "oms.egressKafka" -}}
{{- if .Values.developmentKafka.enabled -}}
{{ include "oms.egressPods" (list . "kafka" 9092) }}
{{- else -}}
{{ include "oms.egressTo" (list .Values.networkPolicy.kafka.ports .Values.networkPolicy.kafka.to) }}
{{- end }}
{{- end }}

{{- define "oms.egressPostgresql" -}}
{{- if .Values.developmentPostgresql.enabled -}}
{{ include "oms.egressPods" (list . "postgresql" 5432) }}
{{- else -}}
{{ include "oms.egressTo" (list .Values.networkPolicy.postgresql.ports .Values.networkPolicy.postgresql.to) }}
{{- end }}
{{- end }}

{{/* The collector of traces, where there is one. */}}
{{- define "oms.egressTraces" -}}
{{- with .Values.traces.endpoint -}}
{{- $port := regexFind "[0-9]+$" . | int -}}
{{ include "oms.egressTo" (list (list $port) $.Values.networkPolicy.traces.to) }}
{{- end }}
{{- end }}

{{/* Takes (list $ component port). */}}
{{- define "oms.egressPods" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "oms.selector" (list (index . 0) (index . 1)) | nindent 10 }}
  ports:
    - {protocol: TCP, port: {{ index . 2 }}}
{{- end }}
