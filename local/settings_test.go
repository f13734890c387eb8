package local

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/mapping"
)

func TestABadSettingsFileIsReportedAndTheLastGoodOneStays(t *testing.T) {
	root := mqttRepository(t)
	file := filepath.Join(root, "hearth.yml")
	good := "devices:\n  - device: plug\n    topic: a/b\n    fields: {power_watts: $.p}\n"
	write(t, file, good)
	r := launchMQTT(t, root)
	c := client(t, r.mqttURL)
	done(t, c.Publish("a/b", 1, false, `{"p":1}`))
	r.shows("plug", 1)
	zone := func(want string) {
		t.Helper()
		r.eventually(want, func() bool {
			_, body := r.call("GET", "/status")
			return strings.Contains(body, "times of day in "+want)
		})
	}
	zone("UTC: hearth.yml names no zone")
	write(t, file, good+"  - device: other\n    topik: a/c\n")
	r.eventually("a note on the page", func() bool {
		notes := r.status().Notes
		return len(notes) == 1 && strings.Contains(notes[0], "hearth.yml") && strings.Contains(notes[0], "topik")
	})
	r.eventually("the mistake is logged", func() bool { return r.has("line 6, column 5: devices[1]: the key \"topik\" is unknown") })
	done(t, c.Publish("a/b", 1, false, `{"p":2}`))
	r.shows("plug", 2)
	write(t, file, good+"  - device: other\n    topic: a/c\n    fields: {power_watts: $.p}\nhouse: {zone: Europe/Berlin}\n")
	r.eventually("no note", func() bool { return len(r.status().Notes) == 0 })
	zone("Europe/Berlin")
	r.eventually("the correction is logged", func() bool { return r.has("hearth.yml has no mistakes any more") })
	if strings.Count(r.logs.String(), "topik") != 1 || strings.Count(r.logs.String(), "no mistakes any more") != 1 {
		t.Errorf("the mistake and its correction are not logged once each:\n%s", r.logs)
	}
	r.eventually("the new mapping is used", func() bool {
		done(t, c.Publish("a/c", 1, false, `{"p":3}`))
		d, _ := r.tile("other")
		return d.Main != nil && d.Main.Value != nil && *d.Main.Value == 3
	})
}

// Nobody looks at the page, and no message arrives.
func TestAMistakeInTheSettingsIsLoggedAtOnce(t *testing.T) {
	root := repository(t)
	file := filepath.Join(root, "hearth.yml")
	write(t, file, "house:\n  zone: \"UTC\n  units: metric\n")
	r := launch(t, root)
	r.eventually("the mistake", func() bool {
		return r.has("no settings are in use until this is corrected: line 2, column 9: a quote is opened")
	})
	write(t, file, "house:\n  zone: UTC\n")
	r.eventually("the correction", func() bool { return r.has("hearth.yml has no mistakes any more") })
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	r.eventually("the missing file", func() bool { return r.has("hearth.yml is missing or empty") })
}

func TestABrokersURLIsCompletedAndHoldsNoPassword(t *testing.T) {
	for given, want := range map[string]string{
		"":                             "",
		"broker":                       "tcp://broker:1883",
		"10.0.0.7:1884":                "tcp://10.0.0.7:1884",
		"ssl://broker":                 "ssl://broker:8883",
		"tcp://me:se-cret@broker:1883": "tcp://broker:1883",
		"MQTTS://broker":               "mqtts://broker:8883",
		"ws://broker/mqtt":             "ws://broker/mqtt",
	} {
		vars := map[string]string{"MQTT_URL": given}
		if err := splitURL(vars); err != nil || vars["MQTT_URL"] != want {
			t.Errorf("%q became %q, %v; want %q", given, vars["MQTT_URL"], err, want)
		}
		if strings.Contains(given, "@") && (vars["MQTT_USER"] != "me" || vars["MQTT_PASSWORD"] != "se-cret") {
			t.Errorf("vars = %v", vars)
		}
	}
	if err := splitURL(map[string]string{"MQTT_URL": "tcp://:pa ss@"}); err == nil || strings.Contains(err.Error(), "pa ss") {
		t.Errorf("a bad one: %v, want an error that does not repeat it", err)
	}
}

func TestEveryFunctionHasTheSettings(t *testing.T) {
	fs, err := stack.Read("..", nil)
	if err != nil || len(fs) == 0 {
		t.Fatal(fs, err)
	}
	for _, f := range fs {
		if !slices.Contains(f.Secrets, settingsSecret) {
			t.Errorf("%s has no secret %s in the stack file", f.Name, settingsSecret)
		}
	}
}

// A second reader of hearth.yml could have other rules than shared/settings.
func TestOnlySharedSettingsReadsYAML(t *testing.T) {
	seen := false
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2):
			return cmp.Or(err, fs.SkipDir)
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(b), `in/yaml`) && !strings.Contains(string(b), `/go-yaml`) {
			return err
		}
		if dir := filepath.ToSlash(filepath.Dir(name)); dir != "../shared/settings" && dir != "../tools/dashboards" { // which writes Grafana's files
			t.Errorf("%s imports a YAML library", name)
		}
		seen = true
		return nil
	})
	if err != nil || !seen {
		t.Error(seen, err)
	}
}

func TestTheExampleOfSettingsIsGood(t *testing.T) {
	b, err := os.ReadFile("../hearth.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	set, err := mapping.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for topic, payload := range map[string]string{
		"home/attic/climate": `{"temp_f":70,"hum":40}`,
		"garden/barrel":      `{"level":50,"when":"2026-11-23 14:00:00"}`,
		"tele/plug1/SENSOR":  `{"ENERGY":{"Power":12.5,"Voltage":231,"Total":3.4}}`,
		"rack/temperatures":  `{"sensors":[{"name":"top","celsius":31},{"name":"bottom","celsius":24}]}`,
	} {
		if found, ok, err := set.Find(topic, []byte(payload)); !ok || err != nil || len(found) == 0 || len(found[0].Values) == 0 {
			t.Errorf("%s: %+v, %v, %v", topic, found, ok, err)
		}
	}
}
