package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"
)

// The keys that Grafana reads in provisioning files, by
// https://grafana.com/docs/grafana/latest/administration/provisioning/ and
// https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
type (
	datasourcesYAML struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name            string            `yaml:"name"`
			Type            string            `yaml:"type"`
			UID             string            `yaml:"uid"`
			Access          string            `yaml:"access"`
			OrgID           int               `yaml:"orgId"`
			URL             string            `yaml:"url"`
			User            string            `yaml:"user"`
			Database        string            `yaml:"database"`
			BasicAuth       bool              `yaml:"basicAuth"`
			BasicAuthUser   string            `yaml:"basicAuthUser"`
			WithCredentials bool              `yaml:"withCredentials"`
			IsDefault       bool              `yaml:"isDefault"`
			Version         int               `yaml:"version"`
			Editable        bool              `yaml:"editable"`
			JSONData        jsonData          `yaml:"jsonData"`
			SecureJSONData  map[string]string `yaml:"secureJsonData"`
		} `yaml:"datasources"`
		DeleteDatasources []map[string]any `yaml:"deleteDatasources"`
		Prune             bool             `yaml:"prune"`
	}
	// jsonData has the keys of the InfluxDB and the PostgreSQL data source.
	jsonData struct {
		Version, Organization, DefaultBucket, TimeInterval, HTTPMode, DBName, Database, SSLMode string
		MaxSeries, PostgresVersion, MaxOpenConns, MaxIdleConns, ConnMaxLifetime                 int
		TLSSkipVerify, TLSAuthWithCACert, Timescaledb                                           bool
	}
	providersYAML struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name                  string `yaml:"name"`
			OrgID                 int    `yaml:"orgId"`
			Folder                string `yaml:"folder"`
			FolderUID             string `yaml:"folderUid"`
			Type                  string `yaml:"type"`
			DisableDeletion       bool   `yaml:"disableDeletion"`
			UpdateIntervalSeconds int    `yaml:"updateIntervalSeconds"`
			AllowUIUpdates        bool   `yaml:"allowUiUpdates"`
			Editable              bool   `yaml:"editable"`
			Options               struct {
				Path                      string `yaml:"path"`
				FoldersFromFilesStructure bool   `yaml:"foldersFromFilesStructure"`
			} `yaml:"options"`
		} `yaml:"providers"`
	}
	alertingYAML struct {
		APIVersion    int         `yaml:"apiVersion"`
		Groups        []groupYAML `yaml:"groups"`
		ContactPoints []struct {
			OrgID     int    `yaml:"orgId"`
			Name      string `yaml:"name"`
			Receivers []struct {
				UID                   string         `yaml:"uid"`
				Type                  string         `yaml:"type"`
				Settings              map[string]any `yaml:"settings"`
				DisableResolveMessage bool           `yaml:"disableResolveMessage"`
			} `yaml:"receivers"`
		} `yaml:"contactPoints"`
	}
	groupYAML struct {
		OrgID    int        `yaml:"orgId"`
		Name     string     `yaml:"name"`
		Folder   string     `yaml:"folder"`
		Interval string     `yaml:"interval"`
		Rules    []ruleYAML `yaml:"rules"`
	}
	ruleYAML struct {
		UID           string            `yaml:"uid"`
		Title         string            `yaml:"title"`
		Condition     string            `yaml:"condition"`
		Data          []ruleQueryYAML   `yaml:"data"`
		DashboardUID  string            `yaml:"dashboardUid"`
		PanelID       int               `yaml:"panelId"`
		NoDataState   string            `yaml:"noDataState"`
		ExecErrState  string            `yaml:"execErrState"`
		For           string            `yaml:"for"`
		KeepFiringFor string            `yaml:"keepFiringFor"`
		Annotations   map[string]string `yaml:"annotations"`
		Labels        map[string]string `yaml:"labels"`
		IsPaused      bool              `yaml:"isPaused"`
		Notification  struct {
			Receiver       string   `yaml:"receiver"`
			GroupBy        []string `yaml:"group_by"`
			GroupWait      string   `yaml:"group_wait"`
			GroupInterval  string   `yaml:"group_interval"`
			RepeatInterval string   `yaml:"repeat_interval"`
		} `yaml:"notification_settings"`
	}
	ruleQueryYAML struct {
		RefID         string                 `yaml:"refId"`
		QueryType     string                 `yaml:"queryType"`
		DatasourceUID string                 `yaml:"datasourceUid"`
		Range         struct{ From, To int } `yaml:"relativeTimeRange"`
		Model         modelYAML              `yaml:"model"`
	}
	// modelYAML is a query of a data source, or an expression on the answer of another one.
	modelYAML struct {
		RefID         string          `yaml:"refId"`
		Hide          bool            `yaml:"hide"`
		IntervalMs    int             `yaml:"intervalMs"`
		MaxDataPoints int             `yaml:"maxDataPoints"`
		Datasource    map[string]any  `yaml:"datasource"`
		Query         string          `yaml:"query"`
		RawSQL        string          `yaml:"rawSql"`
		RawQuery      bool            `yaml:"rawQuery"`
		Format        string          `yaml:"format"`
		EditorMode    string          `yaml:"editorMode"`
		Type          string          `yaml:"type"`
		Expression    string          `yaml:"expression"`
		Reducer       string          `yaml:"reducer"`
		Settings      map[string]any  `yaml:"settings"`
		Conditions    []conditionYAML `yaml:"conditions"`
	}
	conditionYAML struct {
		Type            string        `yaml:"type"`
		Evaluator       evaluatorYAML `yaml:"evaluator"`
		UnloadEvaluator evaluatorYAML `yaml:"unloadEvaluator"`
	}
	evaluatorYAML struct {
		Type   string    `yaml:"type"`
		Params []float64 `yaml:"params"`
	}
)

// UnmarshalYAML reads the keys as Grafana spells them.
func (j *jsonData) UnmarshalYAML(node *yaml.Node) error {
	known := map[string]any{
		"version": &j.Version, "organization": &j.Organization, "defaultBucket": &j.DefaultBucket, "timeInterval": &j.TimeInterval, "httpMode": &j.HTTPMode, "dbName": &j.DBName,
		"database": &j.Database, "sslmode": &j.SSLMode, "maxSeries": &j.MaxSeries, "postgresVersion": &j.PostgresVersion, "maxOpenConns": &j.MaxOpenConns,
		"maxIdleConns": &j.MaxIdleConns, "connMaxLifetime": &j.ConnMaxLifetime, "tlsSkipVerify": &j.TLSSkipVerify, "tlsAuthWithCACert": &j.TLSAuthWithCACert, "timescaledb": &j.Timescaledb,
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		into, ok := known[node.Content[i].Value]
		if !ok {
			return fmt.Errorf("line %d: jsonData has no key %q", node.Content[i].Line, node.Content[i].Value)
		}
		if err := node.Content[i+1].Decode(into); err != nil {
			return err
		}
	}
	return nil
}

// provisioned reads the YAML files of a folder below provisioning, strictly.
func provisioned[T any](t *testing.T, folder string) (out []T) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(committed, "provisioning", folder, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no files in provisioning/%s: %v", folder, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var file T
		if err := yaml.Load(b, &file, yaml.WithKnownFields()); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out = append(out, file)
	}
	return out
}

var environment = regexp.MustCompile(`^\$[A-Z_]+$`)

func TestDataSourcesAreThoseOfTheDashboards(t *testing.T) {
	types := map[string]string{}
	for _, file := range provisioned[datasourcesYAML](t, "datasources") {
		for _, d := range file.Datasources {
			types[d.UID] = d.Type
			if file.APIVersion != 1 || d.Name == "" || d.Access != "proxy" || !environment.MatchString(d.URL) {
				t.Errorf("%+v", d)
			}
			for name, secret := range d.SecureJSONData {
				if !environment.MatchString(secret) {
					t.Errorf("%s: the secret %s is no variable of the environment", d.Name, name)
				}
			}
			if d.Type == "influxdb" && (d.JSONData.Version != "Flux" || d.JSONData.DefaultBucket == "" || d.JSONData.Organization == "" || d.SecureJSONData["token"] == "") {
				t.Errorf("%+v", d)
			}
			if d.Type == "grafana-postgresql-datasource" && (d.JSONData.Database == "" || d.User == "" || d.SecureJSONData["password"] == "") {
				t.Errorf("%+v", d) // since version 11, the database must be in jsonData
			}
		}
	}
	for _, d := range readDashboards(t, committed) {
		d.each(func(p panelJSON) {
			for _, target := range p.Targets {
				if source := target.Datasource; types[source.UID] != source.Type {
					t.Errorf("%s: no data source %+v", where(d, p), source)
				}
			}
		})
	}
}

func TestTheFolderOfDashboardsIsProvided(t *testing.T) {
	for _, file := range provisioned[providersYAML](t, "dashboards") {
		for _, p := range file.Providers {
			if file.APIVersion != 1 || p.Name == "" || p.Type != "file" || p.Options.Path == "" {
				t.Errorf("%+v", p)
			}
		}
	}
}

// rules returns the alert rules, and checks what Grafana refuses or replaces.
func rules(t *testing.T) (out []ruleYAML) {
	t.Helper()
	receivers, uids, titles := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, file := range provisioned[alertingYAML](t, "alerting") {
		for _, c := range file.ContactPoints {
			receivers[c.Name] = true
			for _, r := range c.Receivers {
				if r.UID == "" || r.Type == "" || len(r.Settings) == 0 {
					t.Errorf("contact point %s: %+v", c.Name, r)
				}
			}
		}
		for _, g := range file.Groups {
			if _, err := time.ParseDuration(g.Interval); err != nil || g.Name == "" || g.Folder == "" {
				t.Errorf("group %q in %q: %v", g.Name, g.Folder, err)
			}
			out = append(out, g.Rules...)
		}
	}
	for _, r := range out {
		if r.UID == "" || len(r.UID) > 40 || uids[r.UID] || titles[r.Title] || strings.Contains(r.Title, "$") {
			t.Errorf("%q has the uid %q: it must be new and at most 40 letters", r.Title, r.UID)
		}
		uids[r.UID], titles[r.Title] = true, true
		if !receivers[r.Notification.Receiver] {
			t.Errorf("%s: no contact point %q: Grafana does not start", r.UID, r.Notification.Receiver)
		}
		if !slices.Contains([]string{"OK", "NoData", "Alerting", "KeepLast"}, r.NoDataState) || !slices.Contains([]string{"OK", "Error", "Alerting", "KeepLast"}, r.ExecErrState) {
			t.Errorf("%s: %s %s", r.UID, r.NoDataState, r.ExecErrState)
		}
		for _, label := range r.Labels {
			if strings.Contains(label, "$") {
				t.Errorf("%s: Grafana replaces the dollar sign in the label %q", r.UID, label)
			}
		}
		checkExpressions(t, r)
	}
	return out
}

// checkExpressions checks that the condition leads back to a query.
func checkExpressions(t *testing.T, r ruleYAML) {
	t.Helper()
	refs := map[string]bool{}
	for _, q := range r.Data {
		if q.RefID == "" || refs[q.RefID] || q.Model.RefID != q.RefID {
			t.Errorf("%s: refId %q, %q", r.UID, q.RefID, q.Model.RefID)
		}
		if q.DatasourceUID == "__expr__" != (q.Model.Type != "") || q.Model.Type != "" && !refs[q.Model.Expression] {
			t.Errorf("%s: %s is of %q", r.UID, q.RefID, q.Model.Expression)
		}
		if q.Model.Type == "" && q.Range.From <= q.Range.To {
			t.Errorf("%s: %s reads no span: %+v", r.UID, q.RefID, q.Range)
		}
		refs[q.RefID] = true
	}
	if _, err := time.ParseDuration(r.For); err != nil || !refs[r.Condition] {
		t.Errorf("%s: condition %q, for %q: %v", r.UID, r.Condition, r.For, err)
	}
}
