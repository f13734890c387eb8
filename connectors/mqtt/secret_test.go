package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/command/commandtest"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

const planted = `/+=&?"x\y'<>%ü$#;` // the end of each secret: what somebody escapes

// echoes returns the secrets in the ways in which a program repeats one.
func echoes(secrets map[string]string) string {
	var out []string
	for _, v := range secrets {
		out = append(out, v, url.QueryEscape(v), url.PathEscape(v), html.EscapeString(v), url.QueryEscape(url.QueryEscape(v)), strconv.QuoteToASCII(v),
			strings.ReplaceAll(v, "/", `\/`), strings.ReplaceAll(v, "/", `\u002f`), base64.StdEncoding.EncodeToString([]byte("admin:"+v)))
	}
	return strings.Join(out, " ")
}

// The gateway repeats the login, and a function its message, which has the secrets.
func TestTheConnectorShowsNoSecret(t *testing.T) {
	secrets := map[string]string{}
	dir := t.TempDir()
	for _, name := range []string{"mqtt-password", "connector-token", "basic-auth-password"} {
		secrets[name] = strings.ToUpper(strings.ReplaceAll(name, "-", "")) + planted
		if err := os.WriteFile(filepath.Join(dir, name), []byte(secrets[name]+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "basic-auth-user"), []byte("admin"), 0o600); err != nil {
		t.Fatal(err)
	}
	var lists atomic.Int64
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all := fmt.Sprint(r.Header) + " " + echoes(secrets)
		switch {
		case !strings.HasPrefix(r.URL.Path, "/system/"):
			http.Error(w, all, http.StatusBadRequest)
		case lists.Add(1) == 1:
			http.Error(w, all, http.StatusUnauthorized)
		default:
			io.WriteString(w, `[{"name":"camera","namespace":"openfaas-fn","annotations":{"topic":"camera/#"}}]`)
		}
	}))
	defer gateway.Close()
	broker := testserver.OwnMosquitto(t, 0)
	p := commandtest.Build(t, ".")
	address := free.Addr(t)
	p.Env = []string{"secret_mount_path=" + dir, "basic_auth=true", "LISTEN=" + address, "MQTT_URL=" + broker.Addr, "MQTT_USER=home", "DATA_DIR=" + t.TempDir(),
		"GATEWAY_URL=" + gateway.URL, "REBUILD_INTERVAL=100ms", "CANARY_INTERVAL=0"}
	cmd := p.Command(t.Context())
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	get := func(path string) (code int, body string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+secrets["connector-token"])
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, ""
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	mqtttest.Until(t, "ready", func() bool { code, _ := get("/readyz"); return code == http.StatusOK })
	house := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker.Addr).SetClientID("house"))
	for _, do := range []func() mqtt.Token{house.Connect, func() mqtt.Token { return house.Publish("camera/1", 1, false, echoes(secrets)) }} {
		if token := do(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	defer house.Disconnect(50)
	mqtttest.Until(t, "a dead letter", func() bool { _, body := get("/dead"); return strings.Contains(body, "camera/1") })
	var said string
	for _, path := range []string{"/dead", "/metrics", "/readyz", "/healthz"} {
		_, body := get(path)
		said += body
	}
	for _, args := range [][]string{{"dead", "list"}, {"dead", "list", "--json"}, {"dead", "replay", "--function", "camera"}} {
		_, out, errs := p.Run(t, args...)
		said += out + errs
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	said += log.String()
	for name := range secrets {
		core := strings.ToUpper(strings.ReplaceAll(name, "-", ""))
		for _, trace := range []string{core, base64.StdEncoding.EncodeToString([]byte("admin:" + core))[:16]} {
			if i := strings.Index(said, trace); i >= 0 {
				t.Errorf("%s: …%s…", name, said[max(0, i-200):min(len(said), i+100)])
			}
		}
	}
	if !strings.Contains(said, "[secret]") {
		t.Errorf("nothing was redacted:\n%s", said)
	}
	http.DefaultClient.CloseIdleConnections()
}

// The address of a broker may have a login, in its place or in a wrong one.
func TestNoPasswordOfTheBrokersAddressIsShown(t *testing.T) {
	p := commandtest.Build(t, ".")
	for _, address := range []string{
		"tcp://home:hunter-22@127.0.0.1:1", "home:hunter-22@127.0.0.1:1", "tcp://hunter-22@127.0.0.1:1", "ws://home:hunter-22@127.0.0.1:1/mqtt", "tcp://home:a/hunter-22@127.0.0.1:1",
		"tcp://home:hunter-22%zz@127.0.0.1:1", "tcp://127.0.0.1:1/hunter-22", "tcp://127.0.0.1:1?password=hunter-22", "tcp://127.0.0.1:hunter-22", "hunter-22://127.0.0.1:1", "ssl://home:hunter-22@",
	} {
		p.Env = []string{"MQTT_URL=" + address, "LISTEN=127.0.0.1:0", "DATA_DIR=" + t.TempDir()}
		if code, out, errs := p.Run(t); code == 0 || strings.Contains(out+errs, "hunter-22") || !strings.Contains(errs, "MQTT_URL") {
			t.Errorf("%s: %d %s%s", address, code, out, errs)
		}
	}
}
