package local

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/dotenv"
	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/shared/page/steps"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

const (
	// oddKey has what a shell, HTML and JSON treat in a special way.
	oddKey   = `it's "a" #key $HOME <b>&\`
	wrongKey = "a-wrong-key-4711"
)

// keyed returns an upstream that wants oddKey, and repeats every other key in its refusal.
func keyed(t *testing.T) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if key := r.Header.Get("X-Key"); key != oddKey {
			http.Error(w, `{"message":"no such key: `+key+`"}`, http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"dt":%d}`, time.Now().Add(-time.Hour).Truncate(time.Hour).Unix()) // clock: a reading of now
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// stepping is a repository whose source asks keyed, and says how to make it live.
func stepping(t *testing.T) string {
	root, upstream := repository(t), keyed(t)
	write(t, filepath.Join(root, "stack.yml"), strings.ReplaceAll(tinyStack, "https://api.tiny.example/v1", upstream))
	samples := filepath.Join(root, "functions/weather/sample")
	if err := os.Rename(filepath.Join(samples, "api.tiny.example/v1"), filepath.Join(samples, strings.TrimPrefix(upstream, "http://"))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "functions/weather/sample/live.json"), `{"about":"Ask for a key.","link":"https://tiny.example/keys","fields":[{"name":"TINY_KEY","label":"Key of Tiny"},{"name":"TINY_PLACES","label":"Places"}]}`)
	write(t, filepath.Join(root, ".env"), "# mine\nTINY_SCHEDULE='@daily' # kept\n#TINY_KEY=\n")
	return root
}

// post sends a form to the first steps.
func (r *running) post(what string, form url.Values) (int, string) {
	r.t.Helper()
	res, err := http.PostForm("http://"+r.server.Addr+"/steps/"+what, form)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func form(key, places string) url.Values {
	return url.Values{"name": {"weather"}, "TINY_KEY": {key}, "TINY_PLACES": {places}}
}

func TestInABrowserAPastedKeyMakesASourceLive(t *testing.T) {
	root := stepping(t)
	r := launch(t, root)
	r.settled()
	if all, samples := r.stored(); len(all) != 1 || samples != 1 {
		t.Fatalf("stored %v, want a sample", all)
	}
	b := browser.Start(t, "http://"+r.server.Addr+"/", 1280, 900)
	b.Until(`!!document.querySelector("#tile-weather .sample")`)
	b.Eval(`document.querySelector("[data-step=weather]").click(), 1`)
	b.Until(`document.querySelector("dialog.steps[open] input[type=password]")?.autocomplete === "off"`)
	enter := func(key string) string {
		return fmt.Sprintf(`(() => { const i = document.getElementById("step-TINY_KEY"); i.value = %s; i.dispatchEvent(new Event("input", { bubbles: true })); document.querySelector(".step [type=submit]").click(); return 1 })()`, quoted(key))
	}
	b.Eval(enter(wrongKey))
	b.Until(`document.querySelector(".step .found .bad")?.textContent.includes("no such key: [secret]")`)
	if b.Eval(`document.querySelector(".step .save").disabled`) != "true" {
		t.Error("a wrong key can be saved")
	}
	b.Eval(enter(oddKey))
	b.Until(`document.querySelector(".step .found dd")?.textContent.includes("12.5 °C")`)
	if runs := r.runs(); len(runs) != 1 {
		t.Errorf("runs %v: a trial is none", runs)
	}
	b.Eval(`document.querySelector(".step .save").click()`)
	b.Until(`!document.querySelector("[data-step=weather]")`)
	r.eventually("a live run", func() bool { return slices.Contains(r.runs(), "cron/ok") || slices.Contains(r.runs(), "http/ok") })
	if all, samples := r.stored(); len(all) != 1 || samples != 0 {
		t.Errorf("stored %v, want the live reading alone", all)
	}
	b.Until(`document.getElementById("tile-weather") && !document.querySelector("#tile-weather .sample")`)
	b.Until(`document.querySelector(".step .found").textContent.includes("is live")`)
	b.Eval(`document.querySelector(".step .close").click()`)
	b.Until(`!document.querySelector("dialog")`)
	for _, u := range b.URLs {
		if strings.Contains(u, wrongKey) || strings.Contains(u, "HOME") {
			t.Errorf("a key is in the address %s", u)
		}
	}
	if len(b.Errors) != 0 {
		t.Errorf("errors in its console: %s", b.Errors)
	}
	checkEnv(t, root)
	for _, text := range []string{r.logs.String(), b.Eval("document.documentElement.outerHTML")} {
		if strings.Contains(text, wrongKey) || strings.Contains(text, "#key $HOME") {
			t.Errorf("a key is in %s", text)
		}
	}
	r.stop()
	again := launch(t, root) // as it would start with the key
	if f := again.host.Functions()[0]; f.State != host.Live {
		t.Errorf("after a restart it is %s", f.State)
	}
}

// checkEnv checks that .env has the key, the rest of it as it was, and its mode.
func checkEnv(t *testing.T, root string) {
	t.Helper()
	file := filepath.Join(root, ".env")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	vars, err := dotenv.Load(file, nil)
	if err != nil || len(vars) != 2 || vars["TINY_KEY"] != oddKey || vars["TINY_SCHEDULE"] != "@daily" {
		t.Errorf("%v, %v", vars, err)
	}
	if b, _ := os.ReadFile(file); !strings.HasPrefix(string(b), "# mine\nTINY_SCHEDULE='@daily' # kept\n#TINY_KEY=\nTINY_KEY=") {
		t.Errorf("the file is %s", b)
	}
}

func TestTheFirstStepsRefuseWhatTheyDoNotKnow(t *testing.T) {
	r := launch(t, stepping(t))
	r.settled()
	more := form("k", "home")
	more.Set("HEARTH_DIR", "/tmp")
	twice := form("k", "home")
	twice.Add("TINY_KEY", "k")
	other := form("k", "home")
	other.Set("name", "sensors")
	for what, c := range map[string]struct {
		path string
		form url.Values
		code int
		says string
	}{
		"an unknown field":             {"try", more, 400, "nothing else"},
		"a field twice":                {"try", twice, 400, "TINY_KEY once"},
		"a field less":                 {"try", url.Values{"name": {"weather"}, "TINY_KEY": {"k"}}, 400, "each field"},
		"an unknown source":            {"try", other, 404, "nothing to do"},
		"no key":                       {"try", form("  ", "home"), 400, "Key of Tiny is empty"},
		"a long key":                   {"try", form(strings.Repeat("k", 9<<10), "home"), 400, "too long"},
		"a very long key":              {"try", form(strings.Repeat("k", 90<<10), "home"), 400, "too large"},
		"two lines":                    {"try", form("a\nHEARTH_DIR=/tmp", "home"), 400, "line break"},
		"a key in the address":         {"try?TINY_KEY=k", form("k", "home"), 400, "address"},
		"what was not tried":           {"save", form(oddKey, "home"), 409, "try it first"},
		"a page that does not exist":   {"drop", form(oddKey, "home"), 404, "no such page"},
		"what is refused, so untested": {"try", form(wrongKey, "home"), 200, "no such key: [secret]"},
	} {
		if code, body := r.post(c.path, c.form); code != c.code || !strings.Contains(body, c.says) || strings.Contains(body, wrongKey) {
			t.Errorf("%s: %d %s", what, code, body)
		}
	}
	if code, _ := r.call("GET", "/steps/try"); code != http.StatusMethodNotAllowed {
		t.Errorf("GET answered %d", code)
	}
	if b, _ := os.ReadFile(filepath.Join(r.root, ".env")); strings.Contains(string(b), "\nTINY_KEY=") {
		t.Errorf("it was saved: %s", b)
	}
}

func TestAKeyThatCannotBeSavedSaysWhatToDo(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root may write everywhere: a folder stands in the place of .env")
	}
	root := stepping(t)
	r := launch(t, root)
	r.settled()
	if code, body := r.post("try", form(oddKey+"\n", "home")); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	file := filepath.Join(root, ".env")
	if err := os.Rename(file, file+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	code, body := r.post("save", form(oddKey, "home"))
	if code != 503 || !strings.Contains(body, "nothing was changed, since .env cannot be written") || !strings.Contains(body, "set TINY_KEY there yourself and restart hearth") {
		t.Errorf("%d %s", code, body)
	}
	if f := r.host.Functions()[0]; f.State != host.Sample {
		t.Errorf("it is %s", f.State)
	}
	r.stop()

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	write(t, file, "")
	r = launch(t, root, "TINY_KEY=")
	if code, body := r.post("try", form(oddKey, "home")); code != 409 || !strings.Contains(body, "TINY_KEY is set in the environment") {
		t.Errorf("%d %s", code, body)
	}
}

// keyless is tiny with a key that the user need not give.
func keyless(env serve.Env) (http.Handler, error) {
	env.Secrets = secret.InMemory(map[string]string{"tiny-key": oddKey}, nil)
	return newTiny(env)
}

// A source without a key becomes live by its name in LIVE, and by settings of its own.
func TestASourceWithoutAKeyBecomesLive(t *testing.T) {
	root := stepping(t)
	write(t, filepath.Join(root, "functions/weather/sample/live.json"), `{"about":"It needs no key.","fields":[{"name":"TINY_PLACES","label":"Places"}]}`)
	write(t, filepath.Join(root, ".env"), "LIVE=feeds\n")
	r := launchWith(t, map[string]host.Builder{"weather": keyless}, root)
	r.settled()
	fields := url.Values{"name": {"weather"}, "TINY_PLACES": {"home,cabin"}}
	code, body := r.post("try", fields)
	var found steps.Result
	if err := json.Unmarshal([]byte(body), &found); err != nil || code != 200 || len(found.Rows) != 4 || !strings.Contains(body, "cabin") {
		t.Fatalf("%d %s", code, body)
	}
	if code, body := r.post("save", fields); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	vars, err := dotenv.Load(filepath.Join(root, ".env"), nil)
	if err != nil || vars["LIVE"] != "feeds,weather" || vars["TINY_PLACES"] != "home,cabin" {
		t.Errorf("%v, %v", vars, err)
	}
	r.eventually("two live readings", func() bool { all, samples := r.stored(); return len(all) == 2 && samples == 0 })
}
