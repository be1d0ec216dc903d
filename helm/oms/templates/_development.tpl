{{/* The broker's settings: one node, its own controller. */}}
{{- define "oms.developmentKafkaProperties" -}}
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://:9092,CONTROLLER://localhost:9093
advertised.listeners=PLAINTEXT://{{ include "oms.bootstrap" . }}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=/var/lib/kafka/data/log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
{{- end }}

{{/* The URLs of a service's development database. Takes (list $ service). */}}
{{- define "oms.developmentUrls" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $databases := dict $name "" -}}
{{- if eq $name "payment" -}}
{{- $_ := set $databases "gateway" "gateway-" -}}
{{- end -}}
{{- $password := $root.Values.developmentPostgresql.password -}}
{{- $host := printf "%s-postgresql:5432" (include "oms.fullname" $root) -}}
{{- range $database, $prefix := $databases }}
{{ $prefix }}url: postgres://oms_{{ $database }}:{{ $password }}@{{ $host }}/oms_{{ $database }}
{{ $prefix }}owner-url: postgres://oms_{{ $database }}_owner:{{ $password }}@{{ $host }}/oms_{{ $database }}
{{- end }}
{{- end }}

{{- define "oms.developmentVolume" -}}
{{- if .enabled -}}
volumeClaimTemplates:
  - metadata:
      name: data
    spec:
      accessModes: [ReadWriteOnce]
      {{- with .storageClass }}
      storageClassName: {{ . }}
      {{- end }}
      resources:
        requests:
          storage: {{ .size }}
{{- end }}
{{- end }}
