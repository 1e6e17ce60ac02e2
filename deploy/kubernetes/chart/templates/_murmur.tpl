{{- define "murmur.name" -}}
{{- printf "%s-murmur" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "murmur.labels" -}}
app.kubernetes.io/name: murmur
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "murmur.selector" -}}
app.kubernetes.io/name: murmur
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- /* The image of a process: (dict "root" $ "image" (one of the two) "own" (a process' own)). */ -}}
{{- define "murmur.image" -}}
{{- $image := mergeOverwrite (deepCopy .image) (.own | default dict) -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "murmur.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "murmur.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "murmur.env" -}}
- {name: MURMUR_KAFKA, value: {{ .Values.kafka.servers | quote }}}
- {name: MURMUR_KAFKA_SECURITY_PROTOCOL, value: {{ .Values.kafka.securityProtocol | quote }}}
{{- if hasPrefix "SASL_" .Values.kafka.securityProtocol }}
- {name: MURMUR_KAFKA_SASL_MECHANISM, value: {{ .Values.kafka.saslMechanism | quote }}}
- {name: MURMUR_KAFKA_SASL_USERNAME, value: {{ .Values.kafka.saslUsername | quote }}}
{{- end }}
{{- if .Values.kafka.tlsSecretName }}
- {name: MURMUR_KAFKA_SSL_CA_FILE, value: /run/kafka-tls/ca.crt}
{{- if .Values.kafka.mutualTls }}
- {name: MURMUR_KAFKA_SSL_CERTIFICATE_FILE, value: /run/kafka-tls/tls.crt}
- {name: MURMUR_KAFKA_SSL_KEY_FILE, value: /run/kafka-tls/tls.key}
{{- end }}
{{- end }}
{{- range .Values.secretKeys }}
- {name: {{ printf "MURMUR_%s_FILE" (upper .) }}, value: {{ printf "/run/secrets/murmur/%s" . | quote }}}
{{- end }}
{{- with .Values.topicPrefix }}
- {name: MURMUR_TOPIC_PREFIX, value: {{ . | quote }}}
{{- end }}
{{- with .Values.bundles }}
- {name: MURMUR_BUNDLES, value: {{ . | quote }}}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{- define "murmur.mounts" -}}
- {name: secrets, mountPath: /run/secrets/murmur, readOnly: true}
{{- if .Values.kafka.tlsSecretName }}
- {name: kafka-tls, mountPath: /run/kafka-tls, readOnly: true}
{{- end }}
- {name: tmp, mountPath: /tmp}
- {name: home, mountPath: /var/lib/murmur}
{{- end -}}

{{- /* Volumes without `home`, which each pod has of its own kind. */ -}}
{{- define "murmur.volumes" -}}
- name: secrets
  secret: {secretName: {{ .Values.secretName }}, defaultMode: 0440}
{{- if .Values.kafka.tlsSecretName }}
- name: kafka-tls
  secret: {secretName: {{ .Values.kafka.tlsSecretName }}, defaultMode: 0440}
{{- end }}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- end -}}

{{- /* The pod of what runs once: (dict "root" $ "component" NAME "args" LIST "retrain" BOOL …). */ -}}
{{- define "murmur.oncePod" -}}
metadata:
  labels:
    {{- include "murmur.selector" (dict "root" .root "component" .component) | nindent 4 }}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  enableServiceLinks: false
  serviceAccountName: {{ .serviceAccount | default (include "murmur.name" .root) }}
  securityContext: {{- include "murmur.podSecurity" .root | nindent 4 }}
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets: {{- range . }}
    - {name: {{ . }}}
  {{- end }}
  {{- end }}
  containers:
    - name: murmur
      image: {{ include "murmur.image" (dict "root" .root "image" (ternary .root.Values.retrainImage .root.Values.image (.retrain | default false))) }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{ toJson .args }}
      env: {{- include "murmur.env" .root | nindent 8 }}
      securityContext: {{- include "murmur.containerSecurity" .root | nindent 8 }}
      resources: {{ toJson (.resources | default (dict "requests" (dict "cpu" "100m" "memory" "300Mi") "limits" (dict "memory" "1Gi"))) }}
      volumeMounts: {{- include "murmur.mounts" .root | nindent 8 }}
        {{- with .claim }}
        - {name: claim, mountPath: {{ $.claimPath }}}
        {{- end }}
  volumes: {{- include "murmur.volumes" .root | nindent 4 }}
    - name: home
      emptyDir: {sizeLimit: {{ ternary "20Gi" "2Gi" (.retrain | default false) }}}
    {{- with .claim }}
    - name: claim
      persistentVolumeClaim: {claimName: {{ . }}}
    {{- end }}
{{- end -}}
