package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

func TestTheCommittedFilesAreUpToDate(t *testing.T) {
	if err := run(root, true, os.Stdout); err != nil {
		t.Error(err)
	}
}

func TestTwoRunsWriteTheSameBytes(t *testing.T) {
	dir := t.TempDir()
	var first, second bytes.Buffer
	if err := run(dir, false, &first); err != nil || !strings.Contains(first.String(), "wrote deploy/grafana/dashboards/climate.json\n") {
		t.Fatalf("%v, %s", err, &first)
	}
	if err := run(dir, false, &second); err != nil || second.Len() > 0 {
		t.Errorf("the second run: %v, wrote\n%s", err, &second)
	}
}

func TestCheckNamesAStaleFile(t *testing.T) {
	dir := t.TempDir()
	if err := run(dir, false, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(path string) error{
		"changed": func(path string) error { return os.WriteFile(path, []byte("{}"), 0o644) },
		"missing": os.Remove,
	} {
		if err := change(filepath.Join(dir, folder, "dashboards/climate.json")); err != nil {
			t.Fatal(err)
		}
		if err := run(dir, true, nil); err == nil || !strings.Contains(err.Error(), "dashboards/climate.json; run make dashboards") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, folder, "dashboards/gone.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, true, nil); err == nil || !strings.Contains(err.Error(), "dashboards/gone.json") {
		t.Errorf("a dashboard that is not generated any more: %v", err)
	}
	var out bytes.Buffer
	if err := run(dir, false, &out); err != nil || !strings.Contains(out.String(), "left as it is") {
		t.Errorf("%v\n%s", err, &out)
	}
	if _, err := os.Stat(filepath.Join(dir, folder, "dashboards/gone.json")); err != nil {
		t.Errorf("a dashboard of the user's own: %v", err)
	}
}

// A measurement of hearth.yml appears after make dashboards, in a file of its own. The
// committed ones stay as they are.
func TestAMeasurementOfHearthYMLGetsADashboard(t *testing.T) {
	dir := t.TempDir()
	const text = "devices: [{device: barrel, topic: garden/barrel, measurement: barrel, fields: {level_percent: {path: $.level, title: Filled, below: 10}}}]\n"
	if err := os.WriteFile(filepath.Join(dir, "hearth.yml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, false, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile(filepath.Join(dir, folder, ownFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"title": "Filled"`, `r._measurement == \"barrel\"`, `level_percent`, `"unit": "percent"`} {
		if !bytes.Contains(own, []byte(want)) {
			t.Errorf("own.json has no %s", want)
		}
	}
	if err := run(dir, true, nil); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "hearth.yml")); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, false, new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, folder, ownFile)); err == nil {
		t.Error("own.json stays after the measurement is gone")
	}
}
