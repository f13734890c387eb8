package main

import (
	"bytes"

	"go.yaml.in/yaml/v4"
)

const notice = "# Written by make dashboards; changes here are lost. docs/grafana.md says how Grafana reads it.\n"

// provisioning returns the files by which Grafana finds data sources, dashboards and
// alert rules. Grafana replaces names like $INFLUX_URL by its environment.
func provisioning() (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, content := range map[string]any{
		"provisioning/datasources/hearth.yaml":   datasources(),
		"provisioning/dashboards/hearth.yaml":    providers(),
		"provisioning/alerting/hearth.yaml":      alertRules(),
		"provisioning/alerting/hearth-send.yaml": contactPoint(),
	} {
		var b bytes.Buffer
		b.WriteString(notice)
		e := yaml.NewEncoder(&b)
		e.SetIndent(2)
		if err := e.Encode(content); err != nil {
			return nil, err
		}
		if err := e.Close(); err != nil {
			return nil, err
		}
		files[name] = b.Bytes()
	}
	return files, nil
}

type object = map[string]any

func datasources() object {
	return object{"apiVersion": 1, "datasources": []any{
		object{"name": "hearth InfluxDB", "uid": influxUID, "type": *influxSource.Type, "access": "proxy", "url": "$INFLUX_URL",
			"jsonData":       object{"version": "Flux", "organization": "$INFLUX_ORG", "defaultBucket": "$INFLUX_BUCKET"},
			"secureJsonData": object{"token": "$INFLUX_TOKEN"}},
		object{"name": "hearth PostgreSQL", "uid": postgresUID, "type": *postgresSource.Type, "access": "proxy", "url": "$POSTGRES_ADDRESS", "user": "$POSTGRES_USER",
			"jsonData":       object{"database": "$POSTGRES_DATABASE", "sslmode": "$POSTGRES_SSLMODE"},
			"secureJsonData": object{"password": "$POSTGRES_PASSWORD"}},
	}}
}

func providers() object {
	return object{"apiVersion": 1, "providers": []any{object{
		"name": folderName, "folder": folderName, "type": "file", "disableDeletion": false, "allowUiUpdates": true, "updateIntervalSeconds": 60,
		"options": object{"path": "$HEARTH_DASHBOARDS"},
	}}}
}

// receiver is the contact point of the alert rules.
const receiver = "hearth"

func contactPoint() object {
	return object{"apiVersion": 1, "contactPoints": []any{object{"orgId": 1, "name": receiver, "receivers": []any{
		object{"uid": "hearth-webhook", "type": "webhook", "settings": object{"url": "$HEARTH_ALERT_URL"}},
	}}}}
}
