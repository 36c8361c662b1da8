{{- define "mayfly.labels" -}}
app.kubernetes.io/name: mayfly-operator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: mayfly
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "mayfly.selector" -}}
app.kubernetes.io/name: mayfly-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
