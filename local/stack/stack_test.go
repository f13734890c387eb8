package stack

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk "github.com/openfaas/go-sdk/stack"
)

const block = `
provider: {name: openfaas, gateway: "${OPENFAAS_URL:-http://127.0.0.1:8080}"}
x-environment: &environment
  exec_timeout: 25s
functions:
  weather:
    lang: golang-middleware
    handler: ./functions/weather
    image: ${REGISTRY:-ghcr.io}/hearth-weather:${TAG:-latest}
    annotations: {topic: cron-function, schedule: &schedule "${WEATHER_SCHEDULE:-*/15 * * * *}"}
    secrets: [openweather-key]
    limits: {memory: 128Mi}
    readonly_root_filesystem: true
    environment:
      <<: *environment
      SCHEDULE: *schedule
      OPENWEATHER_URL: ${OPENWEATHER_URL:-https://api.openweathermap.org}
      PLACES: "${WEATHER_PLACES:-home:52.5,13.4}"
      PRICE: "5$$"
`

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func one(t *testing.T, vars map[string]string) Function {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "stack.yml", block)
	fs, err := Read(dir, vars)
	if err != nil || len(fs) != 1 {
		t.Fatalf("Read = %v, %v; want one function", fs, err)
	}
	return fs[0]
}

func TestReadFillsInDefaults(t *testing.T) {
	f := one(t, nil)
	for k, want := range map[string]string{
		"OPENWEATHER_URL": "https://api.openweathermap.org", "PLACES": "home:52.5,13.4", "exec_timeout": "25s", "PRICE": "5$", "SCHEDULE": "*/15 * * * *",
	} {
		if f.Env[k] != want {
			t.Errorf("%s = %q, want %q", k, f.Env[k], want)
		}
	}
	if f.Image != "ghcr.io/hearth-weather:latest" || f.Schedule() != "*/15 * * * *" || f.Folder != "functions/weather" ||
		f.Limits.Memory != "128Mi" || !f.ReadOnly {
		t.Errorf("block = %+v", f)
	}
	if want := []string{"OPENWEATHER_URL", "PLACES", "PRICE", "WEATHER_PLACES", "exec_timeout"}; !slices.Equal(f.Settings, want) {
		t.Errorf("settings = %v, want %v", f.Settings, want)
	}
}

func TestAUsersValueIsNotReadAsYAML(t *testing.T) {
	f := one(t, map[string]string{"WEATHER_PLACES": `a: "b" #c`, "exec_timeout": "9s", "PATH": "/bin"})
	if f.Env["PLACES"] != `a: "b" #c` || f.Env["exec_timeout"] != "9s" {
		t.Errorf("env = %v", f.Env)
	}
	if _, ok := f.Env["PATH"]; ok {
		t.Error("a variable that the block does not name reached the function")
	}
}

// faas-cli replaces variables in the text of stack.yml, before it reads the YAML. Values of
// free text must reach the function as they are in .env all the same.
func TestFreeTextReachesTheFunctionAsItIs(t *testing.T) {
	b, err := os.ReadFile("../../stack.yml")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{"ASANA_PROJECTS": "asana", "ASANA_PRIORITY_FIELD": "asana", "WEATHER_PLACES": "weather", "FEEDS": "feeds", "PAGES": "feeds"}
	for _, value := range []string{`pi=https://x/f?a=$b&c match="\bPi\d+\b"`, `it's: "so" # c`, "${HOME} {a} [b] - |", "- a", "*a", "a\\"} {
		for name := range names {
			t.Setenv(name, value)
		}
		services, err := sdk.ParseYAMLData(b, "", "", true)
		if err != nil {
			t.Fatalf("with the value %q: %v", value, err)
		}
		for name, function := range names {
			if got := services.Functions[function].Environment[name]; got != value {
				t.Errorf("%s = %q, want %q", name, got, value)
			}
		}
	}
}

func TestOnlyTheExactTopicIsScheduled(t *testing.T) {
	for topic, want := range map[string]string{"cron-function": "@daily", "cron-function,home/x": "", " cron-function": "", "": ""} {
		f := Function{Annotations: map[string]string{"topic": topic, "schedule": "@daily"}}
		if got := f.Schedule(); got != want {
			t.Errorf("topic %q: schedule %q, want %q", topic, got, want)
		}
	}
}

func TestTheExtraFileAddsFunctionsAndMustNotRepeatOne(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "stack.yml", block)
	write(t, dir, "stack.extra.yml", "provider: {name: openfaas}\nfunctions: {ebay: {handler: ./functions/ebay}}\n")
	fs, err := Read(dir, nil)
	if err != nil || len(fs) != 2 || fs[0].Name != "ebay" {
		t.Fatalf("Read = %v, %v; want ebay and weather", fs, err)
	}
	write(t, dir, "stack.extra.yml", "provider: {name: openfaas}\nfunctions: {weather: {}}\n")
	if _, err := Read(dir, nil); err == nil || !strings.Contains(err.Error(), "weather") {
		t.Errorf("a function in both files: %v, want an error that names it", err)
	}
}

func TestTheRepositorysOwnStackIsReadable(t *testing.T) {
	fs, err := Read("../..", nil)
	if err != nil || len(fs) == 0 {
		t.Fatalf("Read = %v, %v", fs, err)
	}
	of := map[string]string{} // the function with this folder or image
	for _, f := range fs {
		for _, own := range []string{f.Folder, f.Image} {
			if other, ok := of[own]; ok {
				t.Errorf("%s and %s both have %s", other, f.Name, own)
			}
			of[own] = f.Name
		}
		for k, v := range f.Env {
			if strings.Contains(v, "${") {
				t.Errorf("%s: %s = %q is not filled in", f.Name, k, v)
			}
		}
	}
}
