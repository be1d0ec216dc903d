{{/* The settings of a service as variables, those of the values last. Takes (list $ service). */}}
{{- define "oms.settings" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $service := index $root.Values $name -}}
{{- $settings := dict -}}
{{- $_ := set $settings "log.level" $root.Values.log.level -}}
{{- $_ := set $settings "log.format" $root.Values.log.format -}}
{{- $_ := set $settings "kafka.bootstrap" (include "oms.bootstrap" $root) -}}
{{- range $property, $value := $root.Values.kafka.properties -}}
{{- $_ := set $settings (printf "kafka.properties.%s" $property) $value -}}
{{- end -}}
{{- if $root.Values.traces.endpoint -}}
{{- $_ := set $settings "traces.endpoint" $root.Values.traces.endpoint -}}
{{- $_ := set $settings "traces.sample_percent" $root.Values.traces.samplePercent -}}
{{- end -}}
{{- $_ := set $settings (printf "%s.admin.listen" $name) "0.0.0.0:9091" -}}
{{- $_ := set $settings (printf "%s.grpc.listen" $name) (printf "0.0.0.0:%s" (include "oms.grpcPort" $name)) -}}
{{- if eq $name "order" -}}
{{- $_ := set $settings "order.orders.listen" "0.0.0.0:5001" -}}
{{- $_ := set $settings "order.orders.tls.folder" "" -}}
{{- if $service.orders.existingSecret -}}
{{- $_ := set $settings "order.orders.tls.certificate_path" "/etc/oms/tls/tls.crt" -}}
{{- $_ := set $settings "order.orders.tls.key_path" "/etc/oms/tls/tls.key" -}}
{{- end -}}
{{- end -}}
{{- $settings = merge (deepCopy $service.settings) (deepCopy $root.Values.settings) $settings -}}
{{- range $path, $value := $settings }}
{{ include "oms.variable" $path }}: {{ include "oms.text" $value }}
{{- end }}
{{- end }}

{{- define "oms.grpcPort" -}}
{{- get (dict "order" "50051" "inventory" "50052" "payment" "50053") . -}}
{{- end }}

{{/* The variables with the database's URLs. Takes (list $ service), and "owner" for the owner's. */}}
{{- define "oms.databaseVariables" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $owner := gt (len .) 2 -}}
{{- $database := (index $root.Values $name).database -}}
{{- $secret := include "oms.databaseSecret" (list $root $name) -}}
{{- $key := ternary $database.ownerUrlKey $database.urlKey $owner -}}
{{ include "oms.secretVariable" (list (include "oms.variable" (printf "%s.database.url" $name)) $secret $key) }}
{{- if eq $name "payment" }}
{{- $key := ternary $database.gatewayOwnerUrlKey $database.gatewayUrlKey $owner }}
{{ include "oms.secretVariable" (list "OMS_PAYMENT__GATEWAY__URL" $secret $key) }}
{{- end }}
{{- end }}
