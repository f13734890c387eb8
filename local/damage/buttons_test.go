package damage

import (
	"context"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local/shrinkwrap"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/slack/slacktest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// house is a Slack with a message about an alert and one about two, the connector and the
// function as processes, and their store.
type house struct {
	t                       *testing.T
	slack                   *slacktest.Server
	socket                  *slacktest.Socket
	st                      *store.Store
	connector, function     *process
	connectorEnv, functions map[string]string // environments
	address                 string            // of the function
}

const deadlines = "alert-deadlines"

// newHouse starts all, and waits until Slack has both messages.
func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, slack: slacktest.New(t, time.Now), socket: slacktest.NewSocket(t, "xapp-1"), address: free.Addr(t)} // clock: the processes have the system's
	influx, bucket := testserver.Influx(t)
	secrets := t.TempDir()
	for name, value := range map[string]string{"database-url": testserver.Postgres(t), "slack-app-token": "xapp-1", "alerts-token": "the-token", "slack-token": "xoxb-1"} {
		write(name, value)(t, secrets)
	}
	folder := secret.NewFolder(secrets)
	if err := store.Migrate(t.Context(), folder.Get("database-url")); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.st, err = store.Open(t.Context(), store.Config{Influx: store.Influx{URL: influx, Org: "home", Bucket: bucket}, Database: folder.Get("database-url")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.st.Close() })
	to, _ := url.Parse("http://" + h.address)
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // the function is killed
	gateway := httptest.NewServer(http.StripPrefix("/function/"+deadlines, proxy))
	t.Cleanup(gateway.Close)
	_, port, _ := net.SplitHostPort(h.address)
	h.functions = blockOf(t, deadlines)
	maps.Copy(h.functions, map[string]string{"PORT": port, "INFLUX_URL": influx, "INFLUX_BUCKET": bucket, "secret_mount_path": secrets, "GATEWAY_URL": gateway.URL,
		"SLACK_URL": h.slack.URL + "/api/", "SLACK_BUTTONS": "true"})
	h.connectorEnv = map[string]string{"DATA_DIR": t.TempDir(), "LISTEN": free.Addr(t), "secret_mount_path": secrets, "GATEWAY_URL": gateway.URL, "SLACK_URL": h.socket.API()}
	h.startFunction()
	h.startConnector()
	h.fire("", "air-co2-high/office")
	h.fire("run", "zigbee-contact-open/a", "zigbee-contact-open/b")
	h.function.until("two messages in Slack", func() bool {
		res, err := http.Post("http://"+h.address+"/", "", nil)
		if err == nil {
			res.Body.Close()
		}
		return len(h.slack.Messages()) == 2
	})
	return h
}

// blockOf returns the environment of a function in stack.yml.
func blockOf(t *testing.T, name string) map[string]string {
	t.Helper()
	fs, err := stack.Read(".", nil)
	i := slices.IndexFunc(fs, func(f stack.Function) bool { return f.Name == name })
	if err != nil || i < 0 {
		t.Fatalf("stack.yml has no %s: %v", name, err)
	}
	return maps.Clone(fs[i].Env)
}

// builtFunction compiles a function as its image does, once.
func builtFunction(t *testing.T, name string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	path := filepath.Join(scratch, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	s, err := shrinkwrap.Stack("stack.yml")
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := shrinkwrap.Context(s.Functions[name], s.StackConfiguration.CopyExtraPaths, filepath.Join(scratch, "context"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := shrinkwrap.Compile(ctx, wrapped, runtime.GOARCH, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func (h *house) startFunction() {
	h.t.Helper()
	h.function = start(h.t, builtFunction(h.t, deadlines), h.functions)
	h.function.until("the function listens", func() bool {
		c, err := net.Dial("tcp", h.address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (h *house) startConnector() {
	h.t.Helper()
	h.connector = start(h.t, built(h.t, "./connectors/slack"), h.connectorEnv)
	h.connector.until("the connection to Slack", h.socket.Connected)
}

// killConnector ends it as kill -9 does, and waits until Slack knows.
func (h *house) killConnector() {
	h.t.Helper()
	h.connector.kill()
	for end := time.Now().Add(patience); h.socket.Connected(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatal("the connection of a killed process stays")
		}
	}
}

// fire lets alerts fire, whose messages are of a group.
func (h *house) fire(group string, keys ...string) {
	h.t.Helper()
	told := &alert.House{Destinations: []string{alert.ToSlack}, Mode: alert.Send}
	for _, key := range keys {
		o := alert.Observation{Key: key, Spec: alert.Spec{Rule: "r", Title: "Alert " + key, Severity: alert.Critical, Channel: alert.Climate}, Verdict: alert.Bad, At: time.Now().Add(-time.Minute), Group: group} // clock: that of the processes
		if err := h.st.MoveAlerts(h.t.Context(), []string{key}, func(before map[string]alert.State) ([]alert.State, []alert.Message) {
			return told.Move(before, []alert.Observation{o}, o.At)
		}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// post returns the message whose text has a word.
func (h *house) post(word string) slacktest.Message {
	h.t.Helper()
	for _, m := range h.slack.Messages() {
		if strings.Contains(m.Text, word) {
			return m
		}
	}
	h.t.Fatalf("no message has %s: %+v", word, h.slack.Messages())
	panic("unreachable")
}

// click presses a button of a message, and waits until Slack is told that it has arrived.
func (h *house) click(k slacktest.Click, m slacktest.Message) slacktest.Sent {
	h.t.Helper()
	k.Channel, k.TS, k.User = m.Channel, m.TS, "anna"
	sent, err := h.socket.Send(k)
	if err != nil {
		h.t.Fatal(err)
	}
	h.connector.until("the acknowledgement", func() bool { return h.socket.Acked(sent) })
	return sent
}

// edited waits until the message with the button is replaced, and returns what it becomes.
func (h *house) edited(sent slacktest.Sent) slacktest.Reply {
	h.t.Helper()
	var last slacktest.Reply
	h.connector.until("the edited message", func() bool {
		for _, r := range h.socket.Replies(sent) {
			if r.Replace {
				last = r
				return true
			}
		}
		return false
	})
	return last
}

func (h *house) silenced(key string) (found []store.UntilDate) {
	h.t.Helper()
	dates, err := h.st.UntilDates(h.t.Context(), time.Now()) // clock: that of the processes
	if err != nil {
		h.t.Fatal(err)
	}
	return slices.DeleteFunc(dates, func(u store.UntilDate) bool { return u.Subject != key })
}

// TestAClickIsCarriedOutOnceWhateverIsKilled: buttons of messages in Slack, with connector and
// function as processes that are killed at every step between the click and its answer.
func TestAClickIsCarriedOutOnceWhateverIsKilled(t *testing.T) {
	h := newHouse(t)
	one, several := h.post("air-co2-high"), h.post("zigbee-contact-open/a")

	began := time.Now()
	sent := h.click(slacktest.Click{ActionID: "hearth_ack", Value: "air-co2-high/office"}, one)
	reply := h.edited(sent)
	t.Logf("from the click to the edited message: %s", time.Since(began))
	if blocks := string(reply.Blocks); !strings.Contains(blocks, "cknowledged") || strings.Contains(blocks, "hearth_ack") {
		t.Errorf("the message becomes %s", blocks)
	}
	h.connector.until("the edit by the outbox", func() bool { return h.post("air-co2-high").Edits > 0 })

	h.edited(h.click(slacktest.Click{ActionID: "hearth_ack", Value: "*"}, several))
	states, err := h.st.AlertsOf(t.Context(), []string{"zigbee-contact-open/a", "zigbee-contact-open/b"})
	for key, s := range states {
		if s.AckedBy != "anna" {
			t.Errorf("%s is not acknowledged", key)
		}
	}
	if err != nil || len(states) != 2 {
		t.Errorf("%v, %v", states, err)
	}
	h.edited(h.click(slacktest.Click{ActionID: "hearth_one", Option: "silence|zigbee-contact-open/b"}, several))
	if len(h.silenced("zigbee-contact-open/a")) != 0 || len(h.silenced("zigbee-contact-open/b")) != 1 {
		t.Error("the menu is about one alert")
	}

	for round, after := range []time.Duration{0, time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond} {
		sent := h.click(slacktest.Click{ActionID: "hearth_silence", Value: "air-co2-high/office"}, one)
		time.Sleep(after)
		h.function.kill()
		h.killConnector()
		h.startConnector()
		again, err := h.socket.Send(slacktest.Click{ActionID: "hearth_silence", Value: "air-co2-high/office", Trigger: sent.Trigger, Channel: one.Channel, TS: one.TS, User: "anna"})
		if err != nil {
			t.Fatal(err)
		}
		h.connector.until("the acknowledgement of the repetition", func() bool { return h.socket.Acked(again) })
		began := time.Now()
		h.startFunction()
		h.edited(sent)
		t.Logf("round %d: from the function's start to the edited message: %s", round, time.Since(began))
		if dates := h.silenced("air-co2-high/office"); len(dates) != 1 || dates[0].Until.Sub(dates[0].Set) != time.Hour {
			t.Errorf("round %d: %+v", round, dates)
		}
	}
	if n := len(h.slack.Messages()); n != 2 {
		t.Errorf("%d messages in Slack, want the two of before", n)
	}
	if broken := h.slack.Broken(); len(broken) > 0 {
		t.Errorf("limits of Slack were broken: %q", broken)
	}
	h.connector.stopsCleanly()
}
