package slack

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/secret"
)

// server answers as Slack's Web API and webhooks do, and records what it receives.
type server struct {
	*httptest.Server
	got    []map[string]string
	answer func(w http.ResponseWriter) // nil: accept the message
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := map[string]string{"path": r.URL.Path, "auth": r.Header.Get("Authorization")}
		if strings.HasPrefix(r.URL.Path, "/services/") {
			var hook struct{ Text string }
			json.NewDecoder(r.Body).Decode(&hook)
			m["text"] = hook.Text
		} else {
			for _, k := range []string{"channel", "text", "metadata", "token"} {
				m[k] = r.FormValue(k)
			}
		}
		s.got = append(s.got, m)
		switch {
		case s.answer != nil:
			s.answer(w)
		case strings.HasPrefix(r.URL.Path, "/services/"):
			io.WriteString(w, "ok")
		default:
			io.WriteString(w, `{"ok":true,"channel":"C1","ts":"1.2"}`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func sender(t *testing.T, s *server, secrets map[string]string) *Sender {
	t.Helper()
	dir := t.TempDir()
	for name, v := range secrets {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(v), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := secret.NewFolder(dir)
	return New(Config{Webhooks: f.Get("hook"), Token: f.Get("token"), Channel: "#failures", Channels: Rooms{alert.Products: "#news"}, URL: s.URL + "/api/"}, f.Redact)
}

func TestWithoutASecretItIsNotConfigured(t *testing.T) {
	if x := sender(t, newServer(t), nil); x.Configured() {
		t.Error("configured without a token and a webhook")
	}
}

func TestFailuresAndNewsGoToTheirWebhooks(t *testing.T) {
	s := newServer(t)
	x := sender(t, s, map[string]string{"hook": "default=" + s.URL + "/services/T/B/failures\nproducts=" + s.URL + "/services/T/B/news\n"})
	for _, channel := range []alert.Channel{alert.Pipelines, alert.Products} {
		if err := x.send(t.Context(), alert.Message{Key: "k", Channel: channel, Text: "a < b & <!channel>"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.got) != 2 || s.got[0]["path"] != "/services/T/B/failures" || s.got[1]["path"] != "/services/T/B/news" {
		t.Errorf("got %v", s.got)
	}
	if want := "a &lt; b &amp; &lt;!channel&gt;"; s.got[0]["text"] != want {
		t.Errorf("text %q, want %q: text of an upstream must not mention a channel", s.got[0]["text"], want)
	}
}

func TestABotPostsWithTheKeyInTheMetadata(t *testing.T) {
	s := newServer(t)
	x := sender(t, s, map[string]string{"token": "xoxb-1-2-3", "hook": s.URL + "/services/unused"})
	if err := x.send(t.Context(), alert.Message{Key: "source/weather/r1/failing", Channel: alert.Products, Text: "hello"}); err != nil {
		t.Fatal(err)
	}
	m := s.got[0]
	if m["path"] != "/api/chat.postMessage" || m["channel"] != "#news" || m["text"] != "hello" || !strings.Contains(m["metadata"], "source/weather/r1/failing") {
		t.Errorf("got %v", m)
	}
	if m["auth"] != "Bearer xoxb-1-2-3" && m["token"] != "xoxb-1-2-3" {
		t.Errorf("the token was not sent: %v", m)
	}
}

func TestARefusalIsAnErrorEvenInA200(t *testing.T) {
	s := newServer(t)
	x := sender(t, s, map[string]string{"token": "xoxb-1-2-3"})
	s.answer = func(w http.ResponseWriter) { io.WriteString(w, `{"ok":false,"error":"channel_not_found"}`) }
	if err := x.send(t.Context(), alert.Message{Text: "x"}); err == nil || !strings.Contains(err.Error(), "channel_not_found") {
		t.Errorf("err = %v, want channel_not_found", err)
	}
}

func TestSlacksRetryAfterIsHonoured(t *testing.T) {
	for name, secrets := range map[string]map[string]string{"bot": {"token": "xoxb-1-2-3"}, "webhook": {}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			if name == "webhook" {
				secrets["hook"] = s.URL + "/services/T/B/x"
			}
			s.answer = func(w http.ResponseWriter) {
				w.Header().Set("Retry-After", "37")
				w.WriteHeader(http.StatusTooManyRequests)
			}
			err := sender(t, s, secrets).send(t.Context(), alert.Message{Text: "x"})
			if err == nil || wait(err, 0) != 37*time.Second {
				t.Errorf("err = %v, wait %v; want 37 s", err, wait(err, 0))
			}
		})
	}
}
