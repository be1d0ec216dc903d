{{/* A Job. Takes root, name, program, arguments, variables, and whether it wants the topics. */}}
{{- define "oms.job" -}}
{{- $root := .root -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "oms.jobName" (list $root .name) }}
  labels:
    {{- include "oms.labels" (list $root "jobs") | nindent 4 }}
  {{- with include "oms.jobHook" (list $root -5) }}
  annotations:
    {{- . | nindent 4 }}
  {{- end }}
spec:
  backoffLimit: {{ $root.Values.jobs.backoffLimit }}
  activeDeadlineSeconds: {{ $root.Values.jobs.activeDeadlineSeconds }}
  template:
    metadata:
      labels:
        {{- include "oms.labels" (list $root "jobs") | nindent 8 }}
    spec:
      {{- with include "oms.imagePull" $root }}
      {{- . | nindent 6 }}
      {{- end }}
      restartPolicy: OnFailure
      serviceAccountName: {{ include "oms.fullname" $root }}-jobs
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        {{- include "oms.podSecurity" 65532 | nindent 8 }}
      containers:
        - name: {{ .name }}
          image: {{ include "oms.image" $root | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: [{{ .program }}]
          args:
            {{- toYaml .arguments | nindent 12 }}
          env:
            - {name: OMS_LOG__FORMAT, value: {{ $root.Values.log.format }}}
            {{- with .variables }}
            {{- . | nindent 12 }}
            {{- end }}
          resources:
            {{- toYaml $root.Values.jobs.resources | nindent 12 }}
          securityContext:
            {{- include "oms.containerSecurity" $root | nindent 12 }}
          {{- if or .config $root.Values.trust.existingSecret }}
          volumeMounts:
            {{- if .config }}
            - {name: topics, mountPath: /etc/oms/topics, readOnly: true}
            {{- end }}
            {{- if $root.Values.trust.existingSecret }}
            - {name: trust, mountPath: /etc/oms/trust, readOnly: true}
            {{- end }}
          {{- end }}
      {{- if or .config $root.Values.trust.existingSecret }}
      volumes:
        {{- if .config }}
        - name: topics
          configMap:
            name: {{ include "oms.fullname" $root }}-topics
        {{- end }}
        {{- if $root.Values.trust.existingSecret }}
        - name: trust
          secret:
            secretName: {{ $root.Values.trust.existingSecret }}
            defaultMode: 0440
        {{- end }}
      {{- end }}
{{- end }}
