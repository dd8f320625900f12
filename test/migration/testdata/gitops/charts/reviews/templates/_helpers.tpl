{{- define "reviews.fullname" -}}{{ .Release.Name }}-reviews{{- end }}
{{- define "reviews.labels" -}}
app.kubernetes.io/name: reviews
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
