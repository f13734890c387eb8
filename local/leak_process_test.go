package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/command/commandtest"
	"github.com/hearth-home/hearth/shared/testserver"
)

// process is hearth up as a process, with a secret in each of its settings.
type process struct {
	t       *testing.T
	program commandtest.Program
	dir     string // the state folder
	secrets map[string]string
	mu      sync.Mutex
	said    bytes.Buffer // all that it answered, and that others received from it
	logs    testserver.Output
	running notice
	ended   chan error
	cmd     interface{ Signal(os.Signal) error }
}

// login returns an address with a planted password, and a planted token in its query.
func (p *process) login(address string) string {
	for _, name := range []string{"address-password", "address-token"} {
		p.secrets[name] = plant(name)
	}
	address = strings.Replace(address, "http://", "http://home:"+url.PathEscape(plant("address-password"))+"@", 1)
	return address + "?token=" + url.QueryEscape(plant("address-token"))
}

// start starts the process and waits until the gateway answers.
func (p *process) start(environ ...string) {
	p.t.Helper()
	p.dir = p.t.TempDir()
	p.program.Env = append(environ, "HEARTH_DIR="+p.dir, "PORT=0", "EDGE=off")
	cmd := p.program.Command(context.Background(), "up")
	cmd.Stdout, cmd.Stderr = &p.logs, &p.logs
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.ended, p.cmd = make(chan error, 1), cmd.Process
	go func() { p.ended <- cmd.Wait() }()
	p.t.Cleanup(func() { cmd.Process.Kill() })
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		b, err := os.ReadFile(filepath.Join(p.dir, "running.json"))
		if err == nil && json.Unmarshal(b, &p.running) == nil && p.running.Gateway != "" && strings.Contains(p.logs.String(), "the page is at") {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("it does not start:\n%s", &p.logs)
		}
	}
}

// ask calls an address and notes the answer.
func (p *process) ask(method, address string) string {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, address, http.NoBody)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	req.Header.Set("Authorization", "Bearer "+p.secrets[tokenSecret])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Error(err)
		return ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(&p.said, "%s %s: %d %v %s\n", method, address, res.StatusCode, res.Header, b)
	return string(b)
}

// run runs another command beside the process and notes what it writes.
func (p *process) run(args ...string) {
	p.t.Helper()
	code, out, errs := p.program.Run(p.t, args...)
	fmt.Fprintf(&p.said, "%s: %d %s %s\n", args[0], code, out, errs)
}

// stop ends the process, and fails the test if a secret is in anything that it wrote.
func (p *process) stop() {
	p.t.Helper()
	p.cmd.Signal(syscall.SIGTERM)
	if err := <-p.ended; err != nil {
		p.t.Errorf("it ended with %v", err)
	}
	places := map[string]string{"its log": p.logs.String(), "an answer or a message": p.said.String()}
	err := filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), "hearth.db") {
			return err
		}
		b, err := os.ReadFile(path)
		places["the database "+d.Name()] = string(b)
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
	for name, value := range p.secrets {
		for where, text := range places {
			if found := leaked(text, value); found != "" {
				p.t.Errorf("%s has the secret %s: …%q…", where, name, found)
			}
		}
	}
}

// plants returns the variables that give each function of the stack files its secrets, and
// an address with a login in place of each of its addresses.
func (p *process) plants(upstream string) (environ []string) {
	p.t.Helper()
	blocks, err := stack.Read("..", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	names := slices.Clone(platformSecrets)
	for _, f := range blocks {
		names = append(names, f.Secrets...)
		for k, v := range f.Env {
			if strings.HasPrefix(v, "https://") {
				environ = append(environ, k+"="+p.login(upstream+"/"+strings.ToLower(k)))
			}
		}
	}
	for _, name := range names {
		if strings.HasPrefix(name, "slack-") || name == "ntfy-token" || name == "alert-webhook" || name == settingsSecret || name == "database-url" || strings.HasPrefix(name, "influx-") {
			continue
		}
		p.secrets[name] = plant(name)
		value := plant(name)
		if name == "feed-headers" { // a header of the feed named feed, with quotes around quotes
			value = "feed=X-Key: " + strings.NewReplacer(`"x\y'<`, `'"x\y'"'<`).Replace(value) + `"`
		}
		if name == "deadman-url" {
			value = upstream + "/ping/" + url.PathEscape(value)
		}
		environ = append(environ, host.Variable(name)+"="+value)
	}
	return append(environ, "FEEDS=feed="+p.login(upstream+"/feed")+";"+p.login(upstream+"/other"), "PAGES=page="+p.login(upstream+"/page")+" pattern=planted", "LIVE=all",
		"ASANA_PROJECTS=Home:1", "GITHUB_OWNERS=user:octocat", "GITHUB_REPOS=a/b", "MQTT_USER=home", "SLACK_URL="+p.login("http://127.0.0.1:1/api/"))
}

func TestNoSecretLeavesHearthUp(t *testing.T) {
	broker := testserver.OwnMosquitto(t, 0)
	p := &process{t: t, program: commandtest.Build(t, "../cmd/hearth"), secrets: map[string]string{}}
	p.program.Dir = ".."
	var calls atomic.Int64
	var sent testserver.Output
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := dump(r)
		if user, password, ok := r.BasicAuth(); ok {
			request += " " + user + " " + password + " " + r.Header.Get("Authorization")
		}
		io.WriteString(&sent, request)
		all := everyEncoding(request)
		switch calls.Add(1) % 4 {
		case 0:
			http.Error(w, all, http.StatusUnauthorized)
		case 1:
			fmt.Fprintf(w, "<html><title>%s</title><body>planted %[1]s</body></html>", all)
		case 2:
			w.Header().Set("Location", "http://["+all+"]:x/")
			w.WriteHeader(http.StatusFound)
		default:
			fmt.Fprintf(w, `{"error":%[1]q,"message":%[1]q,"Information":%[1]q,"errors":[{"message":%[1]q}]}`, all)
		}
	}))
	defer upstream.Close()
	var messages testserver.Output
	slack := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		messages.Write(b)
	}))
	defer slack.Close()
	p.secrets["slack-webhooks"] = plant("slack-webhooks")
	p.start(append(p.plants(upstream.URL), "MQTT_URL="+broker.Addr, "SLACK_WEBHOOKS="+slack.URL+"/services/"+url.PathEscape(plant("slack-webhooks")))...)

	var all []string
	for name, v := range p.secrets {
		if name != "feed-headers" { // only feeds knows what in it is a secret
			all = append(all, v)
		}
	}
	c := client(t, broker.Addr)
	done(t, c.Publish("tele/plug/SENSOR", 1, false, `{"said":`+quoted(everyEncoding(strings.Join(all, " ")))+`}`))
	functions := p.ask(http.MethodGet, p.running.Gateway+"/system/functions")
	var fs []struct{ Name string }
	if err := json.Unmarshal([]byte(functions), &fs); err != nil || len(fs) < 5 {
		t.Fatalf("functions: %v %s", err, functions)
	}
	var asked sync.WaitGroup
	for _, f := range fs {
		asked.Go(func() {
			for _, query := range []string{"?show=true", "?dry_run=true&strict=true"} { // the upstream answers each call in another way
				p.ask(http.MethodPost, p.running.Gateway+"/function/"+f.Name+query)
			}
		})
	}
	asked.Wait()
	for end := time.Now().Add(time.Minute); !strings.Contains(p.ask(http.MethodGet, "http://"+p.running.Admin+"/dead"), "tele/plug/SENSOR"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("there is no dead letter")
		}
	}
	for _, path := range []string{"/", "/status.json", "/function/dashboard/", "/system/function/feeds"} {
		p.ask(http.MethodGet, p.running.Gateway+path)
	}
	for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
		p.ask(http.MethodGet, "http://"+p.running.Admin+path)
	}
	for _, args := range [][]string{{"dead", "list"}, {"dead", "list", "--json"}, {"run", "feeds", "--dry-run"}, {"run", "weather", "--dry-run", "--json"}, {"functions", "list"}, {"settings"}, {"up"},
		{"dead", "list", "--at", p.login("http://127.0.0.1:1")}, {"gateway", "weather=" + p.login("http://127.0.0.1:1")}} {
		p.run(args...)
	}
	p.said.WriteString(messages.String())
	p.stop()
	for name := range p.secrets {
		if received := strings.Contains(sent.String(), plant(name)[:20]); !received && !slices.Contains([]string{"mqtt-password", tokenSecret, alertsToken, "slack-webhooks", "deadman-url", "page-token", "page-write-token", "guest-wifi"}, name) {
			t.Errorf("the upstream did not receive %s, so it could not leak", name)
		}
	}
	if messages.String() == "" {
		t.Error("no message was sent")
	}
	http.DefaultClient.CloseIdleConnections()
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // never fails: it is a string
	return string(b)
}

// Databases that cannot be reached are named in errors, with their addresses.
func TestNoSecretOfTheDatabasesLeavesHearthUp(t *testing.T) {
	p := &process{t: t, program: commandtest.Build(t, "../cmd/hearth"), secrets: map[string]string{"influx-token": plant("influx-token")}}
	p.program.Dir = ".."
	database := strings.Replace(p.login("http://127.0.0.1:1/home"), "http://", "postgres://", 1)
	database, _, _ = strings.Cut(database, "?")
	p.start("DATABASE_URL="+database, "INFLUX_URL="+p.login("http://127.0.0.1:1"), "INFLUX_TOKEN="+plant("influx-token"), "CONNECTOR_TOKEN=x")
	for _, path := range []string{"/", "/status.json", "/function/dashboard/"} {
		p.ask(http.MethodGet, p.running.Gateway+path)
	}
	for _, f := range []string{"weather", "sensors", "alert-devices", "alert-deadlines"} {
		p.ask(http.MethodPost, p.running.Gateway+"/function/"+f)
	}
	for _, args := range [][]string{{"migrate"}, {"run", "weather", "--dry-run"}, {"functions", "list"}} {
		p.run(args...)
	}
	if !strings.Contains(p.said.String(), "503") {
		t.Errorf("no database was asked:\n%.2000s", &p.said)
	}
	p.stop()
	http.DefaultClient.CloseIdleConnections()
}
