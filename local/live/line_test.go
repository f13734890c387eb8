package live

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
)

const root = "../.."

// sources returns the functions of the stack files that have samples.
func sources(t *testing.T) (out []stack.Function) {
	t.Helper()
	all, err := stack.Read(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name := range host.SampleFolders(root, all) {
		i := slices.IndexFunc(all, func(f stack.Function) bool { return f.Name == name })
		out = append(out, all[i])
	}
	if len(out) < 6 {
		t.Fatalf("%d sources", len(out))
	}
	return out
}

// Whoever has a source on samples learns what makes it live, and where that is.
func TestEachSourceSaysHowToMakeItLive(t *testing.T) {
	m := &maker{Options: Options{Root: root, Secrets: secret.InMemory(nil, nil)}}
	for _, f := range sources(t) {
		b, err := os.ReadFile(filepath.Join(root, f.Folder, "sample", offerFile))
		var o offer
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err != nil || d.Decode(&o) != nil || o.About == "" || len(o.Fields) == 0 {
			t.Errorf("%s: %+v, %v", f.Name, o, err)
			continue
		}
		line := m.line(host.Function{Function: f, State: host.Sample})
		keyed := false
		for _, field := range line.Fields {
			keyed = keyed || field.Secret
			if _, known := f.Env[field.Name]; !known && !field.Secret {
				t.Errorf("%s: %s is neither a setting nor a secret of the block in the stack file", f.Name, field.Name)
			}
			if field.Label == "" || field.Secret && field.Value+field.Example != "" {
				t.Errorf("%s: %+v", f.Name, field)
			}
		}
		if u, err := url.Parse(line.Link); keyed && (err != nil || u.Scheme != "https" || u.Host == "") {
			t.Errorf("%s: it does not say where to get its key: %q", f.Name, line.Link)
		}
		file, ok := strings.CutPrefix(line.Docs, docs)
		if _, err := os.Stat(filepath.Join(root, file)); !ok || err != nil {
			t.Errorf("%s: its documentation is not at %s", f.Name, line.Docs)
		}
	}
}

func TestASettingWithASecretIsNotFilledIn(t *testing.T) {
	m := &maker{Options: Options{Secrets: secret.InMemory(map[string]string{"k": "a-secret-4711"}, nil)}}
	m.Secrets.Get("k").Reveal()
	for v, want := range map[string]string{" SPY,AAPL ": "SPY,AAPL", "news=https://a.example/?k=a-secret-4711": "", "a\nb": ""} {
		if got := m.shown(v); got != want {
			t.Errorf("%q is shown as %q, want %q", v, got, want)
		}
	}
}

func TestWhatATrialFoundIsShownInShort(t *testing.T) {
	a := source.Answer{Warnings: []string{"cabin: key-4711 was refused\x1b[2J"}}
	for _, place := range strings.Fields("a b c d e f g h i") {
		for range 3 { // the forecast of a place is one row
			a.Readings = append(a.Readings, reading.Reading{Name: "weather", Tags: map[string]string{"place": place}, Fields: map[string]float64{"temperature_celsius": 12.5, "humidity_percent": 80}})
		}
	}
	got := found(a, func(s string) string { return strings.ReplaceAll(s, "key-4711", "[secret]") })
	if len(got.Rows) != maxRows || got.More != 1 || got.Title != "It works: 27 readings and 0 items." {
		t.Errorf("%+v", got)
	}
	if first := got.Rows[0]; !strings.HasSuffix(first.What, " · a") || !strings.HasPrefix(first.Value, "Temperature 12.5 °C") {
		t.Errorf("%+v", first)
	}
	if strings.Contains(got.Note, "4711") || strings.Contains(got.Note, "\x1b") || !strings.Contains(got.Note, "cabin: [secret] was refused") {
		t.Errorf("note %q", got.Note)
	}
}
