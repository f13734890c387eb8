package chaos

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/shrinkwrap"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

const (
	functionName = "sensors"
	token        = "a-token-of-the-tests"
)

// hearth is the whole platform. Every part of it is a process.
type hearth struct {
	t testing.TB
	layout
	broker, postgres, influx, function, gateway, connector *testserver.Server
	influxURL, bucket                                      string
	dir, secrets                                           string
	tap                                                    *tap         // nil: there is none
	influxProxy                                            *influxProxy // nil: there is none
}

// layout is how a test changes the platform: proxies between its parts, and settings.
type layout struct {
	tapped   bool              // put a tap between the connector and the broker
	watch    string            // record the write requests of devices whose names begin with this
	sink     bool              // accept write requests and store nothing
	autosave int               // seconds between the broker's snapshots
	watchdog string            // the of-watchdog that runs the function; "": none
	settings string            // hearth.yml
	env      map[string]string // of the connector
}

// newHearth starts all parts, the databases first and the connector last.
func newHearth(t testing.TB, l layout) *hearth {
	t.Helper()
	h := &hearth{t: t, layout: l, dir: t.TempDir()}
	h.secrets = filepath.Join(h.dir, "secrets")
	var database string
	h.postgres, database = testserver.OwnPostgres(t)
	h.influx, h.influxURL, h.bucket = testserver.OwnInflux(t)
	h.broker = testserver.OwnMosquitto(t, l.autosave)
	if l.tapped {
		h.tap = newTap(t, h.broker.Addr)
	}
	if l.watch != "" {
		h.influxProxy = newInfluxProxy(t, map[bool]string{false: h.influxURL}[l.sink], l.watch)
	}
	h.plant("database-url", database)
	h.plant("connector-token", token)
	if l.settings != "" {
		h.plant("hearth-settings", l.settings)
	}
	if err := store.Migrate(t.Context(), secret.NewFolder(h.secrets).Get("database-url")); err != nil {
		t.Fatal(err)
	}
	h.startFunction()
	h.startGateway("http://" + h.function.Addr)
	h.startConnector()
	h.ready()
	t.Cleanup(h.logOnFailure)
	return h
}

// logOnFailure logs the end of each process's log if the test has failed.
func (h *hearth) logOnFailure() {
	if !h.t.Failed() {
		return
	}
	for name, s := range map[string]*testserver.Server{"connector": h.connector, "function": h.function, "gateway": h.gateway} {
		if s != nil {
			h.t.Logf("the end of the %s's log:\n%s", name, s.Log())
		}
	}
}

func (h *hearth) plant(name, value string) {
	h.t.Helper()
	if err := os.MkdirAll(h.secrets, 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.secrets, name), []byte(value), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// startFunction runs sensors with the environment of its block in stack.yml.
func (h *hearth) startFunction() {
	h.t.Helper()
	env := maps.Clone(block(h.t).Env)
	env["INFLUX_URL"], env["INFLUX_BUCKET"], env["secret_mount_path"] = h.influxURL, h.bucket, h.secrets
	if h.influxProxy != nil {
		env["INFLUX_URL"] = h.influxProxy.URL
	}
	addr := free.Addr(h.t)
	p := testserver.Program{Addr: addr, Dir: filepath.Join(h.dir, "function")}
	p.Path = binaries(h.t).function
	env["PORT"] = port(addr)
	if h.watchdog != "" {
		inner := free.Addr(h.t)
		env["PORT"], env["port"], env["upstream_url"] = port(inner), port(addr), "http://"+inner
		env["fprocess"], env["mode"], env["prefix_logs"], env["suppress_lock"] = p.Path, "http", "false", "true"
		p.Path = h.watchdog
	}
	p.Env = list(env)
	h.function = testserver.Own(h.t, p)
}

// startGateway serves the function at address, with the annotations of stack.yml.
func (h *hearth) startGateway(address string) {
	h.t.Helper()
	dir := filepath.Join(h.dir, "gateway")
	text, err := os.ReadFile("stack.yml")
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "stack.yml"), text, 0o644) // a root of its own, so that no .env is read
	}
	if err != nil {
		h.t.Fatal(err)
	}
	addr := free.Addr(h.t)
	if h.gateway != nil {
		addr = h.gateway.Addr
	}
	h.gateway = testserver.Own(h.t, testserver.Program{Addr: addr, Path: binaries(h.t).hearth, Args: []string{"gateway", functionName + "=" + address},
		Env: []string{"PORT=" + port(addr), "LOG_FORMAT=json", "SENSORS_TOPICS=chaos/#"}, Dir: dir, URL: "http://" + addr + "/healthz"})
}

// startConnector runs the connector on a folder of its own.
func (h *hearth) startConnector() {
	h.t.Helper()
	broker := h.broker.Addr
	if h.tap != nil {
		broker = h.tap.addr
	}
	addr, dir := free.Addr(h.t), filepath.Join(h.dir, "connector")
	env := map[string]string{"MQTT_URL": "tcp://" + broker, "GATEWAY_URL": "http://" + h.gateway.Addr, "DATA_DIR": filepath.Join(dir, "data"),
		"LISTEN": addr, "REBUILD_INTERVAL": "1s", "secret_mount_path": h.secrets,
		"GOGC": "200", "GOMEMLIMIT": "32MiB"} // as in its Dockerfile
	maps.Copy(env, h.env)
	h.connector = testserver.Own(h.t, testserver.Program{Addr: addr, Path: binaries(h.t).connector, Env: list(env), Dir: dir, URL: "http://" + addr + "/healthz"})
}

// ready waits until the connector is connected to the broker and has found the function.
func (h *hearth) ready() {
	h.t.Helper()
	until(h.t, "the connector is ready", func() bool {
		res, err := http.Get("http://" + h.connector.Addr + "/readyz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// block returns the function's block in stack.yml.
func block(t testing.TB) stack.Function {
	t.Helper()
	fs, err := stack.Read(".", nil)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(fs, func(f stack.Function) bool { return f.Name == functionName })
	if i < 0 {
		t.Fatalf("stack.yml has no function %s", functionName)
	}
	return fs[i]
}

type programs struct{ hearth, connector, function string }

func binaries(t testing.TB) programs {
	t.Helper()
	p, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// built compiles the programs once: the function and the connector as their images do.
var built = sync.OnceValues(func() (p programs, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	p = programs{connector: filepath.Join(scratch, "mqtt"), function: filepath.Join(scratch, functionName)}
	if p.hearth, err = builtHearth(); err != nil {
		return p, err
	}
	if err := compile(ctx, p.connector, "./connectors/mqtt"); err != nil {
		return p, err
	}
	s, err := shrinkwrap.Stack("stack.yml")
	if err != nil {
		return p, err
	}
	wrapped, err := shrinkwrap.Context(s.Functions[functionName], s.StackConfiguration.CopyExtraPaths, filepath.Join(scratch, "context"))
	if err != nil {
		return p, err
	}
	return p, shrinkwrap.Compile(ctx, wrapped, runtime.GOARCH, p.function)
})

// builtHearth compiles the program that make up runs, once.
var builtHearth = sync.OnceValues(func() (bin string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	bin = filepath.Join(scratch, "hearth")
	return bin, compile(ctx, bin, "./cmd/hearth")
})

func compile(ctx context.Context, bin, folder string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, folder)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", folder, err, out)
	}
	return nil
}

func port(addr string) string {
	_, p, _ := net.SplitHostPort(addr)
	return p
}

func list(env map[string]string) (out []string) {
	for k, v := range env {
		out = append(out, k+"="+v)
	}
	return out
}
