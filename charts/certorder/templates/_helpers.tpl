{{/* The name of the chart, or what takes its place. */}}
{{- define "certorder.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of most objects: the release's, if it tells what this is, else both. */}}
{{- define "certorder.fullname" -}}
{{- $name := include "certorder.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "certorder.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "certorder.leaseNamespace" -}}
{{- default (include "certorder.namespace" .) .Values.leaderElection.namespace }}
{{- end }}

{{/* The default is the operator's own, and the same for every installation of the cluster. */}}
{{- define "certorder.claimsNamespace" -}}
{{- if eq .Values.claims.namespace (include "certorder.namespace" .) }}
{{- fail (printf "claims.namespace %s is the operator's own: it outlives every installation, so nothing may live in it" .Values.claims.namespace) }}
{{- end }}
{{- .Values.claims.namespace }}
{{- end }}

{{/* The name of what an installation has in a namespace that all of them share. A namespace has no dot in its name, so no
two installations come to the same. */}}
{{- define "certorder.sharedName" -}}
{{- printf "%s.%s" (include "certorder.namespace" .) (include "certorder.fullname" .) }}
{{- end }}

{{/* Annotations of what must outlive the release, for each tool that deletes what it no longer renders; from: context,
annotations (the user's). Argo CD looks at Helm's only when an Application is deleted, not when it prunes. */}}
{{- define "certorder.kept" -}}
{{- $argo := "argocd.argoproj.io/sync-options" }}
{{- $user := merge (dict) .annotations .context.Values.commonAnnotations }}
{{- $options := list "Prune=false" }}
{{- range splitList "," (default "" (get $user $argo)) }}
{{- if and (trim .) (not (hasPrefix "Prune=" (trim .))) }}
{{- $options = append $options (trim .) }}
{{- end }}
{{- end }}
{{- $kept := dict "helm.sh/resource-policy" "keep" "kustomize.toolkit.fluxcd.io/prune" "disabled" $argo (join "," $options) }}
{{- toYaml (merge $kept .annotations) }}
{{- end }}

{{- define "certorder.selectorLabels" -}}
app.kubernetes.io/name: {{ include "certorder.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "certorder.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "certorder.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: certorder
{{- end }}

{{/* The metadata of an object, from: context, name, namespace, labels, annotations. A user's label never takes the
place of one that a selector needs. */}}
{{- define "certorder.metadata" -}}
name: {{ .name }}
{{- with .namespace }}
namespace: {{ . }}
{{- end }}
labels:
  {{- toYaml (merge (fromYaml (include "certorder.labels" .context)) (default dict .labels) .context.Values.commonLabels) | nindent 2 }}
{{- with merge (dict) (default dict .annotations) .context.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "certorder.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "certorder.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "certorder.subject" -}}
- kind: ServiceAccount
  name: {{ include "certorder.serviceAccountName" . }}
  namespace: {{ include "certorder.namespace" . }}
{{- end }}

{{- define "certorder.image" -}}
{{- $name := printf "%s/%s" .Values.image.registry .Values.image.repository | trimPrefix "/" }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $name .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{/* Whether the policies on what the operator writes are there: they are of the whole cluster, as a ClusterRole is. */}}
{{- define "certorder.hasOperatorPolicies" -}}
{{- if kindIs "invalid" .Values.policies.operator.enabled | ternary (not .Values.watchNamespaces) .Values.policies.operator.enabled }}true{{ end }}
{{- end }}

{{/* Whether orders get DNSEndpoints. Whoever may write an order would else prove control of any domain. */}}
{{- define "certorder.hasDnsEndpoint" -}}
{{- if .Values.dnsEndpoint.enabled }}
{{- $domains := .Values.policies.domains }}
{{- $judged := and $domains.enabled (has "Deny" $domains.actions) (eq $domains.unlisted "Deny") (not $domains.namespaceSelector) }}
{{- if not (or $judged .Values.dnsEndpoint.anyDomain) }}
{{- fail "dnsEndpoint.enabled lets every author of orders prove control of every domain in the zones of external-dns: say which namespace may order which names with policies.domains (enabled: true, actions: [Deny], unlisted: Deny, no namespaceSelector), or set dnsEndpoint.anyDomain to true if all of them may" }}
{{- end }}
{{- "true" }}
{{- end }}
{{- end }}

{{/* Of each order with validation.dnsEndpoint one, deleted once it is of no use. The others of its namespace are read, in case
one of them has the same record. */}}
{{- define "certorder.dnsEndpointRules" -}}
- apiGroups: [externaldns.k8s.io]
  resources: [dnsendpoints]
  verbs: [get, list, create, patch, delete]
{{- end }}

{{/* What the operator does in the namespaces that it watches, and nothing else. */}}
{{- define "certorder.rules" -}}
# patch is for the finalizer, and with create and delete for the orders that renew others. RBAC would let them be used on the
# orders of users as well, whose spec is never written.
- apiGroups: [certorder.dev]
  resources: [certificateorders]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [certorder.dev]
  resources: [organizationprofiles]
  verbs: [get, list, watch]
# A status is replaced as a whole, by compare-and-swap.
- apiGroups: [certorder.dev]
  resources: [certificateorders/status, organizationprofiles/status]
  verbs: [update]
# Credentials and other references are read by name; Secrets with keys and certificates are written. RBAC can express
# neither that list and watch ask for metadata only, nor which Secrets are written. Nothing is ever deleted.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
