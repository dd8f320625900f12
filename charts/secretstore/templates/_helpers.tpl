{{/* The name of all that the chart makes: one installation in a cluster, as its policies and definitions are the cluster's. */}}
{{- define "secretstore.name" -}}secretstore-controller{{- end }}

{{- define "secretstore.selector" -}}
app.kubernetes.io/name: {{ include "secretstore.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "secretstore.labels" -}}
{{ include "secretstore.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* The controller as a subject of a binding. */}}
{{- define "secretstore.subject" -}}
- kind: ServiceAccount
  name: {{ include "secretstore.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}

{{/* The rules that are generated from the code, and the one that an operator may grant besides. */}}
{{- define "secretstore.rules" -}}
{{ (.Files.Get "files/role.yaml" | fromYaml).rules | toYaml }}
{{- if eq .Values.driftDetection "watch" }}
{{- /* Names only are asked for, but RBAC cannot grant less: see SECURITY.md. */}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
{{- end }}
{{- end }}

{{- define "secretstore.image" -}}
{{- $image := .Values.image -}}
{{- required "image.repository is empty: name the repository that you pushed the controller's image to" $image.repository -}}
{{- if $image.digest -}}@{{ $image.digest }}{{- else -}}:{{ $image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end }}

{{- define "secretstore.keySecret" -}}
{{ .Values.syncHashKey.existingSecret | default "secretstore-sync-hash-key" }}
{{- end }}

{{/* The settings file. What stands below the line is about the pod, not for the user to choose. */}}
{{- define "secretstore.settings" -}}
rotationPollIntervalInSeconds: {{ .Values.rotationPollIntervalInSeconds | int }}
enablePartialSecretSync: {{ .Values.enablePartialSecretSync }}
driftCheckIntervalInSeconds: {{ .Values.driftCheckIntervalInSeconds | int }}
jitterSeconds: {{ .Values.jitterSeconds | int }}
vaultRequestsPerSecond: {{ .Values.vaultRequestsPerSecond | int }}
driftDetection: {{ .Values.driftDetection }}
workers: {{ .Values.workers | int }}
logLevel: {{ .Values.logLevel }}
namespaces: {{ .Values.namespaces | toJson }}
adoptWrittenBefore: {{ .Values.adoptWrittenBefore | quote }}
leaderElection: {{ .Values.leaderElection }}
cloudFile: {{ .Values.cloudFile | toJson }}
# ---
leaderElectionNamespace: {{ .Release.Namespace }}
syncHashKeyFile: /etc/secretstore/key/key
metricsBindAddress: ":8080"
healthProbeBindAddress: ":8081"
{{- end }}

{{/* The version of the policies' API to use, or nothing where there are to be none. */}}
{{- define "secretstore.policyVersion" -}}
{{- if .Values.validatingAdmissionPolicies.applyPolicies -}}
{{- if semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version -}}
admissionregistration.k8s.io/v1
{{- else if .Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1beta1/ValidatingAdmissionPolicy" -}}
admissionregistration.k8s.io/v1beta1
{{- end -}}
{{- end -}}
{{- end }}
