{{- define "shop.image" -}}{{ .Values.image }}:{{ .Chart.AppVersion }}{{- end -}}
