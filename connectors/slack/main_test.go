package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/command/commandtest"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

func TestHelp(t *testing.T) { commandtest.Help(t, program()) }

// The ends of the secrets have what somebody escapes.
const (
	appToken = `xapp-1-A-2-THEAPPTOKEN/+&"x`
	token    = `THEALERTSTOKEN/+&"y`
)

// rig is a connector process between a fake Slack and a function that is a func.
type rig struct {
	*testing.T
	slack   *slacktest.Socket
	gateway *mqtttest.Gateway
	program commandtest.Program
	address string
	cmd     *exec.Cmd
	log     testserver.Output

	mu    sync.Mutex
	calls []call
}

// call is a call of the function.
type call struct {
	ID       string `json:"id"`
	Kind     string
	ActionID string `json:"action_id"`
	Value    string
	Command  string
	Text     string
	Channel  string
	TS       string
	User     string
	At       time.Time
	Reply    string
}

// TestTheConnector runs the tests of the program as it is built.
func TestTheConnector(t *testing.T) {
	p := commandtest.Build(t, ".")
	for name, test := range map[string]func(*rig){"a click is carried out and answered": carriedOut, "a click survives a kill at every step": survivesKills,
		"a function that cannot be reached delays clicks only": delaysOnly} {
		t.Run(name, func(t *testing.T) { test(newRig(t, p)) })
	}
	t.Run("exit codes", func(t *testing.T) { exitCodes(t, p) })
}

func newRig(t *testing.T, p commandtest.Program) *rig {
	t.Helper()
	r := &rig{T: t, slack: slacktest.NewSocket(t, appToken), gateway: mqtttest.NewGateway(t), program: p, address: free.Addr(t)}
	secrets := t.TempDir()
	for name, value := range map[string]string{"slack-app-token": appToken, "alerts-token": token} {
		if err := os.WriteFile(filepath.Join(secrets, name), []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.program.Env = []string{"secret_mount_path=" + secrets, "LISTEN=" + r.address, "DATA_DIR=" + t.TempDir(), "GATEWAY_URL=" + r.gateway.URL, "SLACK_URL=" + r.slack.API()}
	return r
}

// function makes the function answer in this way.
func (r *rig) function(serve func(call) (int, string)) {
	r.gateway.Deploy("alert-deadlines/action", nil, func(c mqtttest.Call) (int, string) {
		if c.Header.Get("Authorization") != "Bearer "+token {
			return http.StatusUnauthorized, ""
		}
		var k call
		if err := json.Unmarshal([]byte(c.Body), &k); err != nil {
			return http.StatusBadRequest, err.Error()
		}
		r.mu.Lock()
		r.calls = append(r.calls, k)
		r.mu.Unlock()
		return serve(k)
	})
}

func works(k call) (int, string) {
	return 200, `{"text":"done ` + k.ID + `","blocks":[{"type":"divider"}],"replace":` + map[bool]string{true: "true", false: "false"}[k.Kind == "button"] + `}`
}

// of returns the calls of the function with a click.
func (r *rig) of(sent slacktest.Sent) (out []call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.ID == sent.Trigger {
			out = append(out, c)
		}
	}
	return out
}

func (r *rig) start() {
	r.Helper()
	r.cmd = r.program.Command(r.Context())
	r.cmd.Stdout, r.cmd.Stderr = &r.log, &r.log
	if err := r.cmd.Start(); err != nil {
		r.Fatal(err)
	}
	cmd := r.cmd
	r.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	r.until("the connection to Slack", r.slack.Connected)
}

// kill ends the connector as kill -9 does.
func (r *rig) kill() {
	r.cmd.Process.Kill()
	r.cmd.Wait()
	r.until("the end of the connection", func() bool { return !r.slack.Connected() })
}

func (r *rig) until(what string, ok func() bool) {
	r.Helper()
	defer func() {
		if r.Failed() {
			r.Log(r.log.Tail())
		}
	}()
	mqtttest.Until(r, what, ok)
}

func (r *rig) get(path string) string {
	res, err := http.Get("http://" + r.address + path)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return string(b)
}

func (r *rig) send(k slacktest.Click) slacktest.Sent {
	r.Helper()
	sent, err := r.slack.Send(k)
	if err != nil {
		r.Fatal(err)
	}
	r.until("the acknowledgement", func() bool { return r.slack.Acked(sent) })
	return sent
}

func (r *rig) answered(sent slacktest.Sent) func() bool {
	return func() bool { return len(r.slack.Replies(sent)) > 0 }
}

// idle reports whether every click is done, and written as done.
func (r *rig) idle() bool {
	return strings.Contains(r.get("/metrics"), "hearth_slack_clicks_waiting 0")
}

var ack = slacktest.Click{ActionID: "hearth_ack", Value: "air-co2-high/office-air", Channel: "C1", TS: "17.1", User: "anna"}

// carriedOut: buttons, menus and commands reach the function, and its answer the user.
func carriedOut(r *rig) {
	r.function(works)
	r.start()
	r.until("readiness", func() bool { return strings.Contains(r.get("/readyz"), `"ready"`) })
	began := time.Now()
	sent := r.send(ack)
	r.until("the answer", r.answered(sent))
	r.Logf("from the click to the edited message: %s", time.Since(began))
	c := r.of(sent)[0]
	if c.At.Before(began.Add(-time.Second)) || c.Kind != "button" || c.ActionID != ack.ActionID || c.Value != ack.Value || c.Channel != "C1" || c.TS != "17.1" || c.User != "anna" || c.Reply != "" {
		r.Errorf("the function got %+v", c)
	}
	if reply := r.slack.Replies(sent)[0]; !reply.Replace || reply.Text != "done "+sent.Trigger || string(reply.Blocks) != `[{"type":"divider"}]` || reply.Type != "" {
		r.Errorf("Slack got %+v", reply)
	}
	menu := ack
	menu.ActionID, menu.Value, menu.Option = "hearth_one", "", "silence|power/ups"
	if sent = r.send(menu); sent.Trigger == "" {
		r.Fatal("not sent")
	}
	r.until("the answer of the menu", r.answered(sent))
	if c := r.of(sent)[0]; c.ActionID != "hearth_one" || c.Value != "silence|power/ups" {
		r.Errorf("the menu: %+v", c)
	}
	sent = r.send(slacktest.Click{Text: "why office-air", Channel: "C1", User: "anna"})
	r.until("the answer of the command", r.answered(sent))
	if c := r.of(sent)[0]; c.Kind != "command" || c.Command != "/hearth" || c.Text != "why office-air" {
		r.Errorf("the command: %+v", c)
	}
	if reply := r.slack.Replies(sent)[0]; reply.Replace || reply.Type != "ephemeral" {
		r.Errorf("Slack got %+v", reply)
	}
	link := r.send(slacktest.Click{ActionID: "open_page", User: "anna"}) // Slack sends a click on a link too
	again := r.send(slacktest.Click{ActionID: ack.ActionID, Trigger: sent.Trigger})
	r.until("nothing to do", r.idle)
	if len(r.of(link)) != 0 || len(r.of(again)) != 1 {
		r.Errorf("a link: %d calls; a repeated click: %d", len(r.of(link)), len(r.of(again)))
	}
}

// survivesKills: what Slack was told that hearth has is carried out.
func survivesKills(r *rig) {
	r.start()
	kept := r.send(ack) // there is no function yet
	r.kill()
	r.start()
	repeated := ack
	repeated.Trigger = kept.Trigger
	r.send(repeated) // Slack sends it again, in another envelope
	block, called := make(chan bool), make(chan bool, 10)
	r.function(func(k call) (int, string) {
		called <- true
		<-block
		return works(k)
	})
	mqtttest.Next(r, "the call", called)
	r.kill() // during the call
	r.slack.SetReplyCode(http.StatusInternalServerError)
	close(block)
	r.function(works)
	r.start()
	r.until("the call after the kill", func() bool { return len(r.of(kept)) >= 2 })
	r.until("the answer that Slack does not take", func() bool { return strings.Contains(r.log.String(), "it answered 500") })
	r.kill() // before the answer
	r.slack.SetReplyCode(0)
	began := time.Now()
	r.start()
	r.until("the answer", r.answered(kept))
	r.Logf("from the start after a kill to the edited message: %s", time.Since(began))
	r.until("nothing to do", r.idle)
	calls := len(r.of(kept))
	r.kill() // after all
	r.start()
	last := r.send(ack)
	r.until("the next answer", r.answered(last))
	if n := len(r.of(kept)); n != calls || len(r.slack.Replies(kept)) != 1 {
		r.Errorf("%d calls then %d, %d answers: a click that is done is done again", calls, n, len(r.slack.Replies(kept)))
	}
	for _, c := range r.of(kept) {
		if !c.At.Equal(r.of(kept)[0].At) {
			r.Errorf("the time of the click changed to %s", c.At)
		}
	}
}

// delaysOnly: the user is told, and all are carried out later.
func delaysOnly(r *rig) {
	r.start()
	var sent []slacktest.Sent
	for range 3 {
		sent = append(sent, r.send(ack))
	}
	r.until("the word that it waits", r.answered(sent[0]))
	if reply := r.slack.Replies(sent[0])[0]; reply.Replace || !strings.Contains(reply.Text, "does not answer at the moment") {
		r.Errorf("%+v", reply)
	}
	r.function(func(k call) (int, string) {
		if k.ID == sent[1].Trigger {
			return http.StatusBadRequest, "there is no such alert"
		}
		return works(k)
	})
	r.slack.Disconnect() // meanwhile
	for i, s := range sent {
		r.until("the answer", func() bool {
			replies := r.slack.Replies(s)
			return len(replies) > 0 && strings.Contains(replies[len(replies)-1].Text, []string{"done", "no such alert", "done"}[i])
		})
	}
	r.until("the next connection", r.slack.Connected)
	s := r.send(ack)
	r.until("an answer by the next connection", r.answered(s))
	text := r.log.String() + r.get("/metrics") + r.get("/readyz")
	for _, secret := range []string{"THEAPPTOKEN", "THEALERTSTOKEN", "/response/"} {
		if strings.Contains(text, secret) {
			r.Errorf("it shows %s:\n%s", secret, text)
		}
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	if err := r.cmd.Wait(); err != nil {
		r.Errorf("it ended with %v", err)
	}
}

// exitCodes: a wrong setting ends it, and is named.
func exitCodes(t *testing.T, p commandtest.Program) {
	base := []string{"secret_mount_path=" + t.TempDir(), "LISTEN=127.0.0.1:0", "DATA_DIR=" + t.TempDir()}
	for _, tc := range []struct {
		says string
		env  []string
		args []string
	}{
		{`unknown command "x"`, nil, []string{"x"}},
		{"GATEWAY_URL is not an address", []string{"GATEWAY_URL=gateway"}, nil},
		{"must not contain user and password", []string{"GATEWAY_URL=http://a:hunter-22@b"}, nil},
		{"SPOOL_MAX_MIB is 1: write 8", []string{"SPOOL_MAX_MIB=1"}, nil},
		{"UPSTREAM_TIMEOUT is 0s", []string{"UPSTREAM_TIMEOUT=0s"}, nil},
		{"LISTEN", []string{"LISTEN=127.0.0.1:99999"}, nil},
		{"DATA_DIR", []string{"DATA_DIR=/dev/null/x"}, nil},
	} {
		p.Env = append(append([]string{}, base...), tc.env...)
		code, out, errs := p.Run(t, tc.args...)
		if code == command.Done || !strings.Contains(out+errs, tc.says) || strings.Contains(out+errs, "hunter-22") {
			t.Errorf("%q %q: %d\n%s%s\nwant %s", tc.env, tc.args, code, out, errs, tc.says)
		}
	}
}
