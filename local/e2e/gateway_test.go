package e2e

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/openfaas/faas-provider/types"
	"github.com/openfaas/go-sdk/stack"

	"github.com/hearth-home/hearth/local/gateway"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// TestCronConnectorRunsAFunction: OpenFaaS's cron-connector finds a function by its
// annotations, and its empty POST becomes a run in the database.
func TestCronConnectorRunsAFunction(t *testing.T) {
	connector := tool.Optional(t, "cron-connector", "that OpenFaaS's cron-connector runs the functions")
	list, copied := functions(t)
	i := slices.IndexFunc(list, func(f stack.Function) bool { return annotations(f)["topic"] == "cron-function" })
	f := list[i]
	bin := compile(t, shrinkwrap(t, f, copied), native(t))
	s := newFixture(t, f)
	p := start(t, bin, "", s.vars)
	g := serveGateway(t, p, f)
	t.Run("faas-cli", func(t *testing.T) { faasCLI(t, g, f.Name) })

	log := &testserver.Output{}
	cmd := exec.Command(connector)
	cmd.Env = []string{"gateway_url=" + g, "rebuild_interval=1s", "rebuild_timeout=5s", "basic_auth=false"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = testserver.Tied()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	st := s.open(t)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		runs, err := st.Runs(t.Context(), f.Name, 10)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(runs, func(r store.Run) bool { return r.Trigger == "cron" && r.Status == "ok" }) {
			return
		}
	}
	t.Errorf("no run by cron within %s\n%s\n%s", patience, log.Tail(), p.log.Tail())
}

// serveGateway starts the gateway of make up in front of p, with a schedule of every
// second. It returns the gateway's address.
func serveGateway(t *testing.T, p *process, f stack.Function) string {
	t.Helper()
	at, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	notes := map[string]string{"topic": "cron-function", "schedule": "@every 1s"}
	status := types.FunctionStatus{Name: f.Name, Image: f.Image, Annotations: &notes}
	log := slog.New(slog.DiscardHandler)
	srv, err := gateway.Listen("127.0.0.1:0", gateway.New([]gateway.Function{{Status: status, URL: *at}}, http.NotFoundHandler(), log), log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop(context.Background()) })
	return "http://" + srv.Addr
}

// faasCLI lists, describes and invokes the function with faas-cli.
func faasCLI(t *testing.T, gateway, name string) {
	t.Helper()
	cli := tool.Optional(t, "faas-cli", "that faas-cli lists, describes and invokes a function's process behind the gateway")
	for want, args := range map[string][]string{
		name:             {"list"},
		"Ready":          {"describe", name},
		`"status":"dry_`: {"invoke", name, "--query", "dry_run=true"},
	} {
		cmd := exec.CommandContext(t.Context(), cli, append(args, "-g", gateway)...)
		cmd.Stdin = strings.NewReader("")
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("faas-cli %s: %v, want %s in\n%s", strings.Join(args, " "), err, want, out)
		}
	}
}

// open returns the store that the function writes to.
func (s fixture) open(t *testing.T) *store.Store {
	t.Helper()
	c, err := config.Parse[store.Config](config.Env{Vars: s.vars, Secrets: secret.NewFolder(s.vars["secret_mount_path"])})
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}
