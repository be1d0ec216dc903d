{{/* What a service's container mounts. Takes (list $ service). */}}
{{- define "oms.mounts" -}}
{{- $root := index . 0 -}}
{{- $tls := and (eq (index . 1) "order") $root.Values.order.orders.existingSecret -}}
{{- if or $tls $root.Values.trust.existingSecret -}}
volumeMounts:
  {{- if $root.Values.trust.existingSecret }}
  - {name: trust, mountPath: /etc/oms/trust, readOnly: true}
  {{- end }}
  {{- if $tls }}
  - {name: tls, mountPath: /etc/oms/tls, readOnly: true}
  {{- end }}
{{- end }}
{{- end }}

{{- define "oms.volumes" -}}
{{- $root := index . 0 -}}
{{- $tls := and (eq (index . 1) "order") $root.Values.order.orders.existingSecret -}}
{{- if or $tls $root.Values.trust.existingSecret -}}
volumes:
  {{- if $root.Values.trust.existingSecret }}
  - name: trust
    secret:
      secretName: {{ $root.Values.trust.existingSecret }}
      defaultMode: 0440
  {{- end }}
  {{- if $tls }}
  - name: tls
    secret:
      secretName: {{ $root.Values.order.orders.existingSecret }}
      defaultMode: 0440
  {{- end }}
{{- end }}
{{- end }}
