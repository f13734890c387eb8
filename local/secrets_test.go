package local

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver"
)

// kept returns the files in the state folder's folder of secrets, with their contents.
func kept(t *testing.T, root string) map[string]string {
	t.Helper()
	dir, out := filepath.Join(root, ".hearth", "secrets"), map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
		b, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir+"/")] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestThePlatformKeepsOnlyItsOwnSecretsInTheStateFolder(t *testing.T) {
	address, keys := upstream(t)
	root := repository(t)
	dir := filepath.Join(root, ".hearth", "secrets")
	write(t, filepath.Join(root, ".hearth", "lock"), "") // of an earlier start
	write(t, filepath.Join(dir, "weather", "tiny-key"), "of a version that kept it")
	write(t, filepath.Join(dir, ".part123"), "of a killed process")
	r := launch(t, root, "TINY_KEY=real-key-1", "OTHER_KEY=other", "TINY_URL="+address, "MQTT_PASSWORD=of-the-broker")
	token := r.env.Secrets.Get(tokenSecret).Reveal()
	if got, want := kept(t, root), map[string]string{tokenSecret: token, "mqtt-password": "of-the-broker"}; !maps.Equal(got, want) || len(token) < 16 {
		t.Errorf("kept: %v, want %v", got, want)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	if r.invoke(""); next(t, keys) != "real-key-1" {
		t.Error("the function has another key")
	}
	if got := r.redact("real-key-1 of-the-broker other"); got != "[secret] [secret] other" {
		t.Errorf("redacted: %s", got)
	}
	r.stop()
	launch(t, root, "LIVE=weather") // the password is gone
	if got := kept(t, root); !maps.Equal(got, map[string]string{tokenSecret: token}) {
		t.Errorf("kept after a restart: %v, want the token %s alone", got, token)
	}
}

// HEARTH_DIR may be a folder that others use too.
func TestThePlatformRemovesNoStrangersSecrets(t *testing.T) {
	root := repository(t)
	dir := filepath.Join(root, ".hearth", "secrets")
	launch(t, root, "MQTT_PASSWORD=of-the-broker").stop()
	strangers := map[string]string{"other-token": "s", "edge/mqtt-password": "s", ".partner": "s", ".part": "s", "weather/another-key": "s", "absent": "s"}
	for name, v := range strangers {
		write(t, filepath.Join(dir, name), v)
	}
	r := launch(t, root)
	want := maps.Clone(strangers)
	want[tokenSecret] = r.env.Secrets.Get(tokenSecret).Reveal()
	if got := kept(t, root); !maps.Equal(got, want) {
		t.Errorf("kept: %v, want %v", got, want)
	}
}

// /etc/hearth/secrets is the edge agent's folder: its mqtt-password has the name of one of
// the platform's.
func TestThePlatformDoesNotStartOnAStrangersFolderOfSecrets(t *testing.T) {
	h := tinyInstallation(t, "PORT=0", "EDGE=off")
	write(t, filepath.Join(h.secretsDir(), "mqtt-password"), "of the edge agent")
	if err := os.Chmod(h.secretsDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second start is refused, too
		if err := h.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "choose another state folder with HEARTH_DIR") {
			t.Errorf("it started: %v", err)
		}
	}
	if got := kept(t, h.root); !maps.Equal(got, map[string]string{"mqtt-password": "of the edge agent"}) {
		t.Errorf("left: %v", got)
	}
	if info, err := os.Stat(h.secretsDir()); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
}

func TestTheConnectorsTokenIsTheUsersOrMadeOnce(t *testing.T) {
	root := repository(t)
	token := func() string {
		h, err := Open(root, nil, &testserver.Output{})
		if err != nil {
			t.Fatal(err)
		}
		token, _ := h.ConnectorToken()
		return token.Reveal()
	}
	if got := token(); got != "" {
		t.Errorf("a command made the token %q", got)
	}
	r := launch(t, root)
	made := r.env.Secrets.Get(tokenSecret).Reveal()
	if len(made) < 16 || token() != made {
		t.Errorf("made %q, another command has %q", made, token())
	}
	if r.stop(); token() != "" {
		t.Errorf("a command that finds no platform has the token %q", token())
	}
	r = launch(t, root)
	if token() != made {
		t.Errorf("made %q, then %q", made, token())
	}
	r.stop()
	launch(t, root, "CONNECTOR_TOKEN=my-own-token")
	if token() != "my-own-token" {
		t.Errorf("the user's token is not used: %q", token())
	}
}

// Each command is given other secrets than the running platform, which uses its own.
func TestNoCommandChangesTheRunningPlatform(t *testing.T) {
	address, keys := upstream(t)
	root := repository(t)
	r := launch(t, root, "TINY_KEY=real-key-1", "TINY_URL="+address, "MQTT_PASSWORD=of-the-broker", "CONNECTOR_TOKEN=token-of-the-platform")
	r.settled()
	next(t, keys) // of the run at the start
	before, running := kept(t, root), r.runs()
	for _, environ := range [][]string{nil, {"LIVE=all"}, {"MQTT_PASSWORD=of-the-command", "CONNECTOR_TOKEN=of-the-command", "DATABASE_URL=postgres://another", "INFLUX_TOKEN=x"}} {
		h, err := Open(root, append(environ, "PORT=0"), &testserver.Output{})
		if err != nil {
			t.Fatal(err)
		}
		h.build = tinyOnly
		h.Logger()
		if _, err := h.Connector(); err != nil {
			t.Error(err)
		}
		h.ConnectorToken()
		if _, err := h.listenerConfig(); err != nil {
			t.Error(err)
		}
		if err := h.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "another process") {
			t.Errorf("a second platform: %v", err)
		}
		h.ownsState = false
		h.vars["DATABASE_URL"] = ""
		a, err := h.RunOnce(t.Context(), "weather", true)
		if live := len(environ) == 1; (err != nil) != live || live && (a.Status != "not_configured" || !strings.Contains(err.Error(), "it lacks TINY_KEY")) {
			t.Errorf("%v: a dry run: %+v, %v", environ, a, err)
		}
		want := "weather works on live data here, and without TINY_KEY this run would store sample data beside it"
		if len(environ) == 1 {
			want = "not configured: it lacks TINY_KEY"
		}
		if _, err := h.RunOnce(t.Context(), "weather", false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: a run that stores: %v, want %s", environ, err, want)
		}
		fs, err := h.Functions(t.Context())
		if err != nil || len(fs) != 1 || !fs[0].Configured {
			t.Errorf("functions: %+v, %v", fs, err)
		}
		if got := r.runs(); !slices.Equal(got, running) {
			t.Errorf("%v: runs %v, before %v", environ, got, running)
		}
	}
	if got := kept(t, root); !maps.Equal(got, before) {
		t.Errorf("kept: %v, before %v", got, before)
	}
	if a := r.invoke(""); a.Status != "ok" || a.Sample || next(t, keys) != "real-key-1" {
		t.Errorf("the platform then: %+v", a)
	}
	if r.stop(); !r.has("weather") {
		t.Error("it logged nothing")
	}
	http.DefaultClient.CloseIdleConnections()
}

// Runs on sample data at the same time, beside a platform that works on sample data: each
// has its own placeholder for the key.
func TestCommandsAtTheSameTimeDoNotDisturbEachOther(t *testing.T) {
	root := repository(t)
	r := launch(t, root)
	r.settled()
	var all sync.WaitGroup
	errs := make(chan error, 1000)
	for range 8 {
		all.Go(func() {
			for range 12 {
				h, err := Open(root, []string{"PORT=0"}, &testserver.Output{})
				if err == nil {
					h.build = tinyOnly
					_, err = h.RunOnce(t.Context(), "weather", true)
				}
				errs <- err
			}
		})
	}
	for range 100 {
		if a := r.invoke("?dry_run=true"); a.Status != "dry_run" || len(a.Readings) != 1 {
			errs <- fmt.Errorf("the platform answered %+v", a)
		}
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if got := kept(t, root); len(got) != 1 || got[tokenSecret] == "" {
		t.Errorf("kept: %v, want the token alone", got)
	}
	http.DefaultClient.CloseIdleConnections()
}
