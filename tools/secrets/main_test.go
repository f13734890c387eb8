package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/openfaas/faas-provider/types"

	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// gateway answers the calls for secrets as faasd's gateway does.
type gateway struct {
	mu      sync.Mutex
	secrets map[string]string
	refuse  bool
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var s types.Secret
	json.NewDecoder(r.Body).Decode(&s)
	_, there := g.secrets[s.Name]
	switch {
	case r.URL.Path != "/system/secrets":
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet:
		list := []types.Secret{}
		for name := range g.secrets {
			list = append(list, types.Secret{Name: name})
		}
		json.NewEncoder(w).Encode(list)
	case g.refuse:
		http.Error(w, "no room for "+s.Value, http.StatusInternalServerError)
	case r.Method == http.MethodPost && there:
		w.WriteHeader(http.StatusConflict)
	default:
		g.secrets[s.Name] = s.Value
		w.WriteHeader(http.StatusAccepted)
	}
}

func setUp(t *testing.T) (*gateway, string) {
	t.Helper()
	tool.Optional(t, "faas-cli", "that make secrets creates the secrets with faas-cli")
	g := &gateway{secrets: map[string]string{}}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	t.Setenv("OPENFAAS_URL", srv.URL)
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	for name, text := range map[string]string{
		"ca.pem":     "the\nauthority\n",
		"stack.yml":  "provider: {name: openfaas}\nfunctions:\n  a: {secrets: [a-key, database-url]}\n  b: {secrets: [b-key, database-url, hearth-settings]}\n",
		"hearth.yml": "rooms: [cellar]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return g, dir
}

func TestSecretsAreCreatedOnceAndNeverEmptied(t *testing.T) {
	g, dir := setUp(t)
	var out bytes.Buffer
	if err := create(t.Context(), dir, map[string]string{"A_KEY": "first secret"}, &out); err != nil {
		t.Fatal(err)
	}
	if len(g.secrets) != 4 || g.secrets["a-key"] != "first secret" || g.secrets["hearth-settings"] != "rooms: [cellar]\n" || strings.TrimSpace(g.secrets["b-key"]) != "" {
		t.Errorf("the gateway has %q", g.secrets)
	}
	if err := create(t.Context(), dir, map[string]string{"B_KEY": "second secret"}, &out); err != nil {
		t.Fatal(err)
	}
	if g.secrets["a-key"] != "first secret" || g.secrets["b-key"] != "second secret" {
		t.Errorf("the gateway has %q", g.secrets)
	}
	if strings.Contains(out.String(), " secret\n") || strings.Contains(out.String(), "first") {
		t.Errorf("a value is in the output:\n%s", out.String())
	}
}

func TestARefusalIsAnErrorWithoutTheValue(t *testing.T) {
	g, dir := setUp(t)
	g.refuse = true
	err := create(t.Context(), dir, map[string]string{"A_KEY": "first secret"}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "a-key") || strings.Contains(err.Error(), "first") {
		t.Errorf("got %v, want an error about a-key without its value", err)
	}
}

// The certificate of InfluxDB's authority is in a file, since it has several lines.
func TestTheAuthorityIsReadFromItsFile(t *testing.T) {
	g, dir := setUp(t)
	stack := "provider: {name: openfaas}\nfunctions:\n  a: {secrets: [influx-ca]}\n"
	if err := os.WriteFile(filepath.Join(dir, "stack.yml"), []byte(stack), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := create(t.Context(), dir, map[string]string{"INFLUX_CA_FILE": filepath.Join(dir, "ca.pem")}, &out); err != nil || g.secrets["influx-ca"] != "the\nauthority\n" {
		t.Errorf("%v, the gateway has %q", err, g.secrets)
	}
	if err := create(t.Context(), dir, map[string]string{"INFLUX_CA_FILE": "nowhere.pem"}, &out); err == nil || !strings.Contains(err.Error(), "INFLUX_CA_FILE: open nowhere.pem") {
		t.Errorf("a file that does not exist: %v", err)
	}
}

// TestTheOldWebhooksBecomeTheNewSecret: both, and the gateway's old secrets are named.
func TestTheOldWebhooksBecomeTheNewSecret(t *testing.T) {
	g, dir := setUp(t)
	g.secrets["slack-webhook"] = "https://hooks.example/f"
	stack := "provider: {name: openfaas}\nfunctions:\n  a: {secrets: [slack-webhooks]}\n"
	if err := os.WriteFile(filepath.Join(dir, "stack.yml"), []byte(stack), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	vars := map[string]string{"SLACK_WEBHOOK": "https://hooks.example/f", "SLACK_NEWS_WEBHOOK": "https://hooks.example/n"}
	if err := create(t.Context(), dir, vars, &out); err != nil {
		t.Fatal(err)
	}
	if g.secrets["slack-webhooks"] != "default=https://hooks.example/f\nproducts=https://hooks.example/n" || !strings.Contains(out.String(), "faas-cli secret remove slack-webhook\n") || !strings.Contains(out.String(), "write SLACK_WEBHOOKS=") || strings.Contains(out.String(), "hooks.example") {
		t.Errorf("the gateway has %q; output %s", g.secrets, out.String())
	}
	vars["SLACK_WEBHOOKS"] = "https://hooks.example/new"
	if err := create(t.Context(), dir, vars, &out); err != nil || g.secrets["slack-webhooks"] != "https://hooks.example/new" {
		t.Errorf("%v, the gateway has %q", err, g.secrets)
	}
}
