package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

func TestHelp(t *testing.T) { commandtest.Help(t, program()) }

// repository is a folder with the stack files and the functions of this one, and a
// state of its own.
func repository(t *testing.T, more ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range append(append([]string{"functions"}, stack.Files...), more...) {
		from, err := filepath.Abs(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(from); err != nil {
			continue
		}
		if err := os.Symlink(from, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTheProgram runs the compiled program.
func TestTheProgram(t *testing.T) {
	p := commandtest.Build(t, ".")
	p.Dir = repository(t)
	t.Run("exit codes", func(t *testing.T) { exitCodes(t, p) })
	t.Run("completion", func(t *testing.T) {
		commandtest.Completion(t, p, "backf", "backfill")
		if _, out, _ := p.Run(t, "__complete", "run", ""); !strings.Contains(out, "weather\n") || strings.Contains(out, "zigbee") {
			t.Errorf("not the sources are completed: %s", out)
		}
		if _, out, _ := p.Run(t, "__complete", "dead", "list", "--function", ""); !strings.Contains(out, "zigbee\n") || !strings.Contains(out, "connector\n") {
			t.Errorf("not the functions are completed: %s", out)
		}
	})
	t.Run("broken database", func(t *testing.T) { brokenDatabase(t, p) })
	t.Run("token", func(t *testing.T) { connectorToken(t, p) })
	t.Run("addresses", func(t *testing.T) { wrongAddresses(t, p) })
	t.Run("backfill", func(t *testing.T) { partly(t, p) })
	t.Run("pages", func(t *testing.T) { stalePages(t, p) })
	t.Run("sources", func(t *testing.T) {
		if _, _, errs := p.Run(t, "run", "weather", "--dry-run"); strings.Contains(errs, "not built in") {
			tool.Missing(t, errs)
		}
		sources(t, p)
		platform(t, p)
	})
}

func exitCodes(t *testing.T, p commandtest.Program) {
	wrong, right := filepath.Join(t.TempDir(), "wrong.yml"), filepath.Join(t.TempDir(), "right.yml")
	write(t, wrong, "house: {zoen: UTC}\n")
	write(t, right, "house: {zone: UTC}\n")
	list := filepath.Join(t.TempDir(), "list.opml")
	write(t, list, `<opml><body><outline text="News" xmlUrl="https://a.example/feed"/></body></opml>`)
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{command.Done, "Usage: hearth [COMMAND]", []string{"help"}},
		{command.Done, "Usage: hearth dead replay", []string{"dead", "replay", "--help"}},
		{command.Done, "built by  go1.", []string{"version"}},
		{command.Done, "no function has run yet: hearth up runs them", []string{"functions", "list"}},
		{command.Done, "right.yml is right", []string{"settings", "check", right}},
		{command.Partly, "wrong.yml has 1 mistake", []string{"settings", "check", wrong}},
		{command.Failed, "there is no hearth.yml yet: cp hearth.example.yml hearth.yml begins one", []string{"settings", "check"}},
		{command.Misuse, "settings check: FILE is empty", []string{"settings", "check", ""}},
		{command.Failed, "no such file", []string{"settings", "check", "other.yml"}},
		{command.Done, "FEEDS='News=https://a.example/feed'\n", []string{"feeds", "import", list}},
		{command.Failed, "wrong.yml: no OPML: it has no element", []string{"feeds", "import", wrong}},
		{command.Failed, "no such file", []string{"feeds", "import", "other.opml"}},
		{command.Misuse, "feeds import needs FILE, as in: hearth feeds import", []string{"feeds", "import", ""}},
		{command.Misuse, "feeds needs one of its commands: import", []string{"feeds"}},
		{command.Failed, `no function "x" is known: none has run yet`, []string{"functions", "forget", "x"}},
		{command.Failed, "no device is known: nothing has run yet", []string{"device", "forget", "x"}},
		{command.Failed, "no device is known: nothing has run yet", []string{"why", "x"}},
		{command.Misuse, "why needs DEVICE, as in: hearth why office-air", []string{"why"}},
		{command.Misuse, "which device? Name its id", []string{"device", "forget", "--all"}},
		{command.Misuse, "device forget: DEVICE is empty", []string{"device", "forget", ""}},
		{command.Failed, `"[" is not a pattern`, []string{"device", "forget", "["}},
		{command.Misuse, `too many arguments: "b"`, []string{"device", "forget", "a", "b"}},
		{command.Failed, "which database? Set DATABASE_URL", []string{"migrate"}},
		{command.Failed, "the connector does not answer, is it running?", []string{"dead", "list", "--at", "http://127.0.0.1:1"}},
		{command.Misuse, `unknown function "treasuris": did you mean "treasuries"?`, []string{"backfill", "treasuris", "--from", "2024-01-01"}},
		{command.Misuse, "weather has no history to backfill; ", []string{"backfill", "weather", "--from", "2024-01-01"}},
		{command.Misuse, "zigbee has no schedule and is no source", []string{"backfill", "zigbee", "--from", "2024-01-01"}},
		{command.Misuse, "zigbee has no schedule and is no source", []string{"run", "zigbee"}},
		{command.Misuse, "--gateway is no web address", []string{"backfill", "treasuries", "--from", "2024-01-01", "--gateway", "foo"}},
		{command.Misuse, "--gateway is empty", []string{"backfill", "treasuries", "--from", "2024-01-01", "--gateway", ""}},
		{command.Misuse, "--to is empty", []string{"backfill", "treasuries", "--from", "2024-01-01", "--to", ""}},
		{command.Misuse, "--at is empty", []string{"dead", "drop", "--all", "--at="}},
		{command.Failed, "no answer from the gateway http://127.0.0.1:1, is hearth up running?", []string{"backfill", "treasuries", "--from", "2024-01-01", "--gateway", "http://127.0.0.1:1"}},
		{command.Misuse, "want NAME=http://host:port", []string{"gateway", "weather"}},
		{command.Misuse, "want NAME=http://host:port", []string{"gateway", "weather=y"}},
		{command.Misuse, "weather is named twice", []string{"gateway", "weather=http://127.0.0.1:1", "weather=http://127.0.0.1:2"}},
		{command.Misuse, `unknown function "wether": did you mean "weather"?`, []string{"gateway", "wether=http://127.0.0.1:1"}},
		{command.Misuse, "--for is -1s: write a time above 0", []string{"device", "a", "--for", "-1s"}},
		{command.Misuse, "--for is 0s: write a time above 0", []string{"device", "a", "--for", "0s"}},
		{command.Misuse, `unknown command "backfil": did you mean "backfill"?`, []string{"backfil"}},
		{command.Misuse, "settings needs one of its commands: check", []string{"settings"}},
		{command.Misuse, `unknown function "wether": did you mean "weather"?`, []string{"run", "wether"}},
		{command.Misuse, "run needs FUNCTION, as in: hearth run weather", []string{"run", "--dry-run"}},
		{command.Misuse, "from which day? Add --from", []string{"backfill", "treasuries"}},
		{command.Misuse, `--from is "soon": write a day such as`, []string{"backfill", "treasuries", "--from", "soon"}},
		{command.Misuse, "--to 2023-01-01 is before --from 2024-01-01", []string{"backfill", "treasuries", "--from", "2024-01-01", "--to", "2023-01-01"}},
		{command.Misuse, "# must be the last level", []string{"device", "a/#/b"}},
		{command.Misuse, "gateway needs NAME=URL, as in: hearth gateway", []string{"gateway"}},
		{command.Misuse, `up takes no arguments: "now"`, []string{"up", "now"}},
	} {
		code, out, errs := p.Run(t, c.args...)
		if code != c.code || !strings.Contains(out+errs, c.says) || (code == command.Done) != (errs == "") || (code == command.Misuse) != strings.Contains(errs, "see: hearth help") {
			t.Errorf("%q: %d\n%s%s\nwant %d %s", c.args, code, out, errs, c.code, c.says)
		}
	}
	outside(t, p, right)
}

// outside runs commands outside of a repository: only some need one.
func outside(t *testing.T, p commandtest.Program, settings string) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p.Dir = dir
	letters := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "[]")
	}))
	defer letters.Close()
	p.Env = append(p.Env, "CONNECTOR_TOKEN=the-token")
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{command.Failed, "there is no stack.yml in " + dir + " or above", nil},
		{command.Failed, "there is no stack.yml in " + dir + " or above", []string{"settings", "check"}},
		{command.Failed, "there is no stack.yml in " + dir + " or above", []string{"dead", "list"}},
		{command.Failed, "there is no stack.yml in " + dir + " or above", []string{"device", "a"}},
		{command.Done, "version", []string{"help"}},
		{command.Done, "built by", []string{"version"}},
		{command.Done, "is right", []string{"settings", "check", settings}},
		{command.Done, "there are no dead letters", []string{"dead", "--at", letters.URL, "list"}},
	} {
		if code, out, errs := p.Run(t, c.args...); code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("outside of a repository, %q: %d %s%s", c.args, code, out, errs)
		}
	}
	p.Env = append(p.Env, "MQTT_URL=tcp://127.0.0.1:1")
	if code, _, errs := p.Run(t, "device", "a", "--for", "1s"); code != command.Failed || !strings.Contains(errs, "127.0.0.1:1") {
		t.Errorf("device outside of a repository: %d %s", code, errs)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("they left %v, %v", left, err)
	}
}

// partly runs a backfill some of whose targets fail, and one that the function refuses.
func partly(t *testing.T, p commandtest.Program) {
	backfill := func(status int, answer string) (code int, out, errs string) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, answer)
		}))
		defer srv.Close()
		return p.Run(t, "backfill", "treasuries", "--from", "2020-01-01", "--to", "2020-12-31", "--gateway", srv.URL)
	}
	if code, out, errs := backfill(http.StatusOK, `{"status":"partial","stored":1,"warnings":["10y: no"]}`); code != command.Partly || !strings.Contains(errs, "10y: no") || out != "treasuries: 1 new, 0 unchanged\n" || !strings.Contains(errs, "100%  1 new, 0 unchanged  done\n") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if code, _, errs := backfill(http.StatusBadRequest, `{"error":"this source has no history"}`); code != command.Failed || !strings.Contains(errs, "no history") {
		t.Errorf("%d %s", code, errs)
	}
}

// stalePages checks a repository without docs/.
func stalePages(t *testing.T, p commandtest.Program) {
	p.Dir = repository(t, "shared", "connectors", "edge")
	code, out, errs := p.Run(t, "docs", "--check")
	if code != command.Partly || out != "" || !strings.Contains(errs, "docs/configuration.md") {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if _, err := os.Stat(filepath.Join(p.Dir, "docs")); err == nil {
		t.Error("--check has written")
	}
}

// sources runs a source on samples, and the source feeds with a feed that answers 404.
func sources(t *testing.T, p commandtest.Program) {
	var a source.Answer
	parse(t, p, command.Done, &a, "run", "weather", "--dry-run", "--json")
	if a.Status != "dry_run" || a.Function != "weather" || len(a.Readings) == 0 {
		t.Errorf("%+v", a)
	}
	if code, out, errs := p.Run(t, "run", "weather", "-dry-run"); code != command.Done || !strings.Contains(out, "weather,place=") || !strings.Contains(out, " readings, ") {
		t.Errorf("%d %.2000s%s", code, out, errs)
	}
	const feed = `<rss version="2.0"><channel><title>t</title><item><guid>1</guid><title>one</title><link>https://x.example/1</link></item></channel></rss>`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/feed" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, feed)
	}))
	defer srv.Close()
	p.Env = append(p.Env, "FEEDS=here="+srv.URL+"/feed; gone="+srv.URL+"/gone")
	parse(t, p, command.Partly, &a, "run", "feeds", "--json")
	failing := p
	failing.Env = append(slices.Clone(p.Env), "FEEDS=gone="+srv.URL+"/gone")
	var failed source.Answer
	if parse(t, failing, command.Failed, &failed, "run", "feeds", "--json"); failed.Status != "failed" || failed.Error == "" {
		t.Errorf("%+v", failed)
	}
	if a.Status != "partial" || len(a.Targets) != 2 || len(a.Items) != 1 {
		t.Errorf("%+v", a)
	}
}

// parse runs a command whose output is JSON.
func parse(t *testing.T, p commandtest.Program, want int, into any, args ...string) {
	t.Helper()
	code, out, errs := p.Run(t, args...)
	if err := json.Unmarshal([]byte(out), into); err != nil || code != want {
		t.Errorf("%q: %d %v\n%s%s", args, code, err, out, errs)
	}
}
