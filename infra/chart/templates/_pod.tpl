{{/* What is the same of every pod; the restricted Pod Security Standard and OpenShift's restricted-v2 admit it. */}}
{{- define "wukong.pod" -}}
automountServiceAccountToken: true
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  seccompProfile: { type: RuntimeDefault }
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}

{{- define "wukong.container" -}}
name: wukong
image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | quote }}
{{- with .Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
envFrom: [{ configMapRef: { name: wukong-lifecycle-config } }]
env:
  {{- if .stays }}
  - { name: NODE_OPTIONS, value: --max-semi-space-size=2 } # much is kept and little made: memory before speed
  {{- end }}
  - name: WEBHOOK_URL
    valueFrom: { secretKeyRef: { name: {{ quote .Values.notices.secret }}, key: WEBHOOK_URL, optional: true } }
resources: {{ toJson .Values.resources }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{- define "wukong.labels" -}}
app.kubernetes.io/name: wukong-lifecycle
{{- end }}

{{/* A CronJob: root, name, schedule, account, args and what is its own. */}}
{{- define "wukong.cronjob" -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ .name }}
  namespace: {{ quote .root.Release.Namespace }}
  labels: {{- include "wukong.labels" .root | nindent 4 }}
spec:
  schedule: {{ quote .schedule }}
  {{- with .timeZone }}
  timeZone: {{ . }}
  suspend: true
  {{- end }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: {{ .startingDeadlineSeconds }}
  successfulJobsHistoryLimit: {{ .history }}
  failedJobsHistoryLimit: 3
  jobTemplate:
    metadata:
      labels: {{- include "wukong.labels" .root | nindent 8 }}
    spec:
      activeDeadlineSeconds: {{ .activeDeadlineSeconds }}
      backoffLimit: 0 # what was not done is on the Wukongs: the next tick goes on from there
      template:
        metadata:
          labels: {{- include "wukong.labels" .root | nindent 12 }}
        spec:
          serviceAccountName: {{ .account }}
          restartPolicy: Never
          {{- include "wukong.pod" .root | nindent 10 }}
          containers:
            - args: {{ toJson .args }}
              {{- include "wukong.container" .root | nindent 14 }}
{{- end }}
