package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
)

func TestHelp(t *testing.T) { commandtest.Help(t, program()) }

// deadLettersOf reads the dead letters of a connector by its LISTEN and CONNECTOR_TOKEN_SECRET.
func deadLettersOf(t *testing.T, p commandtest.Program) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		io.WriteString(w, "[]")
	}))
	defer srv.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "other-token"), []byte("the-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Env = append(slices.Clone(p.Env), "LISTEN="+strings.TrimPrefix(srv.URL, "http://"), "CONNECTOR_TOKEN_SECRET=other-token", "secret_mount_path="+dir)
	if code, out, errs := p.Run(t, "dead", "list"); code != command.Done || out != "there are no dead letters\n" {
		t.Errorf("%d %s%s", code, out, errs)
	}
}

// The mounted token is not sent to another machine because of a flag.
func TestTheMountedTokenIsSentToLoopbackOnly(t *testing.T) {
	p := commandtest.Build(t, ".")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "connector-token"), []byte("the-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tokens <- r.Header.Get("Authorization")
		io.WriteString(w, "[]")
	}))
	defer srv.Close()
	p.Env = append(p.Env, "secret_mount_path="+dir, "http_proxy="+srv.URL) // every other machine is the proxy
	if code, _, errs := p.Run(t, "dead", "list", "--at", "192.0.2.1:8081"); code != command.Misuse || !strings.Contains(errs, "set CONNECTOR_TOKEN") || len(tokens) > 0 {
		t.Errorf("elsewhere: %d %s", code, errs)
	}
	if code, _, errs := p.Run(t, "dead", "list", "--at", srv.URL); code != command.Done || <-tokens != "Bearer the-token" || <-tokens != "Bearer the-token" { // it asks twice
		t.Errorf("a loopback address: %d %s", code, errs)
	}
	for _, at := range []string{"127.0.0.1:99999", "127.0.0.1:0", "http://127.0.0.1:65536"} {
		if code, _, errs := p.Run(t, "dead", "list", "--at", at); code != command.Misuse || !strings.Contains(errs, "no number from 1 to 65535") {
			t.Errorf("--at %s: %d %s", at, code, errs)
		}
	}
	p.Env = append(p.Env, "CONNECTOR_TOKEN=of-the-user")
	if code, _, errs := p.Run(t, "dead", "list", "--at", "192.0.2.1:8081"); code != command.Done || <-tokens != "Bearer of-the-user" {
		t.Errorf("elsewhere with the user's token: %d %s", code, errs)
	}
}

// Without its secrets, basic_auth is a wrong setting, which ends the connector.
func TestTheLoginNeedsItsSecrets(t *testing.T) {
	p := commandtest.Build(t, ".")
	dir := t.TempDir()
	p.Env = []string{"LISTEN=127.0.0.1:0", "DATA_DIR=" + t.TempDir(), "basic_auth=true", "secret_mount_path=" + dir}
	for _, name := range []string{"basic-auth-user", "basic-auth-password"} {
		if code, out, errs := p.Run(t); code != command.Failed || !strings.Contains(out+errs, "basic_auth=true needs the secrets") || strings.Contains(out+errs, "goroutine") {
			t.Errorf("%d\n%s%s", code, out, errs)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExitCodes(t *testing.T) {
	p := commandtest.Build(t, ".")
	p.Env = []string{"LISTEN=127.0.0.1:1", "secret_mount_path=" + t.TempDir()}
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{command.Done, "mqtt ", []string{"version"}},
		{command.Done, "Usage: mqtt dead COMMAND", []string{"dead", "--help"}},
		{command.Failed, "the connector does not answer, is it running?", []string{"dead", "list"}},
		{command.Failed, "the connector does not answer, is it running?", []string{"dead", "drop", "-reason", "no mapping"}},
		{command.Misuse, `unknown command "daed": did you mean "dead"?`, []string{"daed"}},
		{command.Misuse, `unknown command "lits": did you mean "list"?`, []string{"dead", "lits"}},
		{command.Misuse, "show needs ID", []string{"dead", "show"}},
	} {
		code, out, errs := p.Run(t, c.args...)
		if code != c.code || !strings.Contains(out+errs, c.says) || (code == command.Done) != (errs == "") {
			t.Errorf("%q: %d\n%s%s\nwant %d %s", c.args, code, out, errs, c.code, c.says)
		}
	}
	p.Env = append(p.Env, "REBUILD_INTERVAL=soon")
	if code, _, errs := p.Run(t); code != command.Failed || !strings.HasPrefix(errs, "mqtt: ") {
		t.Errorf("with wrong settings: %d %s", code, errs)
	}
	others := p
	others.Env = append(slices.Clone(p.Env), "MQTT_PASSWORD_SECRET=", "DEAD_MAX=many", "GATEWAY_URL=:")
	for _, args := range [][]string{{"dead", "list"}, {"dead", "drop", "--all", "--at", "127.0.0.1:1"}} {
		if code, _, errs := others.Run(t, args...); code != command.Failed || !strings.Contains(errs, "is it running?") {
			t.Errorf("%q with settings that it does not use: %d %s", args, code, errs)
		}
	}
	deadLettersOf(t, others)
	p.Env = append(p.Env, "REBUILD_INTERVAL=1s", "MQTT_URL=foo://x", "DATA_DIR="+t.TempDir())
	if code, _, errs := p.Run(t); code != command.Failed || !strings.Contains(errs, "MQTT_URL: its scheme is none of tcp, mqtt") {
		t.Errorf("with a broker of an unknown scheme: %d %s", code, errs)
	}
	commandtest.Completion(t, p, "de", "dead")
}

// LISTEN quotes a secret with special characters, and so does the answer of a connector.
func TestNoSecretIsPrinted(t *testing.T) {
	const secret = `pa/ss w&o<r>d"1`
	p := commandtest.Build(t, ".")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mqtt-password"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Env = []string{"secret_mount_path=" + dir, "LISTEN=" + secret, "MQTT_URL=tcp://127.0.0.1:1", "DATA_DIR=" + t.TempDir()}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		json.NewEncoder(w).Encode(map[string]string{"error": "wrong: " + secret})
	}))
	defer srv.Close()
	for _, args := range [][]string{nil, {"dead", "list", "--at", srv.URL}} {
		code, out, errs := p.Run(t, args...)
		if code != command.Failed || !strings.Contains(errs, "[secret]") || strings.Contains(out+errs, "w&o") || strings.Contains(out+errs, `w\u0026o`) {
			t.Errorf("%q: %d %s%s", args, code, out, errs)
		}
	}
}
