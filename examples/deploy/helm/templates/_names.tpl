{{/* What all objects of the release are called, unless they belong to the whole cluster. */}}
{{- define "gateway.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* What the release's objects of the whole cluster are called: other releases may have the same name elsewhere. */}}
{{- define "gateway.clusterName" -}}
{{ .Release.Namespace }}-{{ include "gateway.name" . }}
{{- end }}

{{- define "gateway.selector" -}}
app.kubernetes.io/name: gateway
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gateway.labels" -}}
{{ include "gateway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "gateway.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "gateway.name" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}
