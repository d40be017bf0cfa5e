{{/* The arguments. A flag is passed only where a value is set: the operator's defaults are written in one place. */}}
{{- define "certorder.args" -}}
- run
- --http-address=0.0.0.0:{{ .Values.httpPort }}
- --log-format={{ .Values.logFormat }}
{{- with .Values.logLevel }}
- {{ printf "--log-level=%s" . | quote }}
{{- end }}
{{- range .Values.watchNamespaces | uniq | sortAlpha }}
- --watch-namespace={{ . }}
{{- end }}
{{- if not .Values.leaderElection.enabled }}
- --leader-elect=false
{{- end }}
{{- with .Values.leaderElection.namespace }}
- --lease-namespace={{ . }}
{{- end }}
{{- with include "certorder.claimsNamespace" . }}
{{- if ne . "certorder-claims" }}
- --claims-namespace={{ . }}
{{- end }}
{{- end }}
{{- range .Values.secretTemplate.prefixes | uniq | sortAlpha }}
- --secret-template-prefix={{ . }}
{{- end }}
{{- /* Refuses what is not allowed, whatever else is rendered. */}}
{{- $_ := include "certorder.hasDnsEndpoint" . }}
{{- if .Values.dnsEndpoint.quoteTxt }}
- --dns-endpoint-quote-txt=true
{{- end }}
{{- range $flag, $value := dict
  "concurrency" .Values.concurrency
  "poll-interval" .Values.pollInterval
  "call-timeout" .Values.callTimeout
  "max-orders-per-namespace" .Values.maxOrdersPerNamespace
  "tencent-rate-limit" .Values.tencentCloud.rateLimit
  "tencent-endpoint" .Values.tencentCloud.endpoint
  "tencent-reissue-bar" .Values.tencentCloud.reissueBar
  "huawei-rate-limit" .Values.huaweiCloud.rateLimit
  "huawei-endpoint" .Values.huaweiCloud.endpoint }}
{{- /* Numbers come as floats, which print as 1e+06. */}}
{{- if kindIs "string" $value }}
{{- with $value }}
- {{ printf "--%s=%s" $flag . | quote }}
{{- end }}
{{- else if not (kindIs "invalid" $value) }}
- --{{ $flag }}={{ int64 $value }}
{{- end }}
{{- end }}
{{- range .Values.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{/* The environment: proxies, certificate authorities, and what the user adds. */}}
{{- define "certorder.env" -}}
{{- range $name, $value := dict
  "HTTPS_PROXY" .Values.proxy.https
  "HTTP_PROXY" .Values.proxy.http
  "NO_PROXY" .Values.proxy.noProxy }}
{{- with $value }}
- name: {{ $name }}
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- if include "certorder.hasCaBundle" . }}
- name: SSL_CERT_FILE
  value: /etc/certorder/ca/ca.crt
{{- end }}
- name: CERTORDER_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: CERTORDER_POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: CERTORDER_POD_UID
  valueFrom:
    fieldRef:
      fieldPath: metadata.uid
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "certorder.hasCaBundle" -}}
{{- if or .Values.caBundle.configMapName .Values.caBundle.secretName }}true{{ end }}
{{- end }}
