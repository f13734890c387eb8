package deploy

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/openfaas/faas-provider/types"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// provider answers faas-cli as faasd does: it keeps functions and secrets, and refuses a
// function whose secret is not there.
type provider struct {
	mu        sync.Mutex
	functions map[string]types.FunctionDeployment
	secrets   map[string]string
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name, isFunction := strings.CutPrefix(r.URL.Path, "/function/")
	switch {
	case isFunction:
		if _, ok := p.functions[strings.TrimSuffix(name, ".openfaas-fn")]; !ok {
			http.Error(w, "no function "+name, http.StatusNotFound)
		}
	case r.URL.Path == "/system/secrets" && r.Method == http.MethodGet:
		list := []types.Secret{}
		for name := range p.secrets {
			list = append(list, types.Secret{Name: name})
		}
		json.NewEncoder(w).Encode(list)
	case r.URL.Path == "/system/secrets":
		var s types.Secret
		json.NewDecoder(r.Body).Decode(&s)
		p.secrets[s.Name] = s.Value
		w.WriteHeader(http.StatusAccepted)
	case r.URL.Path == "/system/functions" && r.Method == http.MethodGet:
		list := []types.FunctionStatus{}
		for name, f := range p.functions {
			list = append(list, types.FunctionStatus{Name: name, Image: f.Image, Replicas: 1})
		}
		json.NewEncoder(w).Encode(list)
	case strings.HasPrefix(r.URL.Path, "/system/function/"):
		f := p.functions[filepath.Base(r.URL.Path)]
		json.NewEncoder(w).Encode(types.FunctionStatus{Name: f.Service, Image: f.Image, Replicas: 1, EnvVars: f.EnvVars})
	case r.Method == http.MethodPut || r.Method == http.MethodPost:
		var f types.FunctionDeployment
		json.NewDecoder(r.Body).Decode(&f)
		for _, s := range f.Secrets {
			if _, ok := p.secrets[s]; !ok {
				http.Error(w, "unable to find secret "+s, http.StatusBadRequest)
				return
			}
		}
		p.functions[f.Service] = f
		w.WriteHeader(http.StatusOK)
	default:
		http.NotFound(w, r)
	}
}

// A page's .env reaches the functions: by a shell, faas-cli and stack.yml, as the pages say.
// A value that only quotes keep together arrives whole.
func TestTheSettingsOfThePagesReachTheFunctions(t *testing.T) {
	tool.Optional(t, "faas-cli", "that the settings of .env reach the functions by a shell and faas-cli")
	for _, page := range []string{"README.md", "docs/deploy-k3s.md", "docs/deploy-faasd.md"} {
		p := &provider{functions: map[string]types.FunctionDeployment{}, secrets: map[string]string{}}
		server := httptest.NewServer(p)
		t.Cleanup(server.Close)
		for _, b := range blocks(t, page) {
			if b.language != "dotenv" {
				continue
			}
			text := strings.ReplaceAll(b.text, "…", password) + `FEEDS='pi=https://x.example/feed?a=1&b=2 match="\bPi \d+\b"; b=https://x.example/$b'` + "\n"
			vars, err := dotenv.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			write(t, dir, ".env", text)
			script := `set -e; cd "$DIR"; set -a; . ./.env; set +a; cd "$ROOT"; go run ./tools/secrets; faas-cli secret list; faas-cli deploy
				faas-cli list; faas-cli describe weather; printf x | faas-cli invoke weather`
			for _, shell := range []string{"sh", "bash"} {
				cmd := exec.Command(shell, "-c", script)
				abs, err := filepath.Abs(root)
				if err != nil {
					t.Fatal(err)
				}
				cmd.Env = append(os.Environ(), "DIR="+dir, "ROOT="+abs, "OPENFAAS_URL="+server.URL, "OPENFAAS_CONFIG="+dir)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", shell, err, out)
				}
				p.mu.Lock()
				for function, name := range map[string]string{"weather": "WEATHER_PLACES", "feeds": "FEEDS"} {
					if got := p.functions[function].EnvVars[name]; got != vars[name] {
						t.Errorf("%s, %s: %s is %q at the function, want %q", page, shell, name, got, vars[name])
					}
				}
				if got := p.secrets["openweather-key"]; got != vars["OPENWEATHER_KEY"] {
					t.Errorf("%s: the secret openweather-key is %q", page, got)
				}
				if owner := vars["OWNER"]; owner != "" && !strings.Contains(p.functions["weather"].Image, "/"+owner+"/") {
					t.Errorf("%s: the image is %s", page, p.functions["weather"].Image)
				}
				clear(p.functions)
				p.mu.Unlock()
			}
		}
	}
}
