package slacktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// Socket is the half of Slack for buttons and commands: Socket Mode's websocket and the
// response_urls (https://docs.slack.dev/apis/events-api/using-socket-mode). Its methods are
// safe for concurrent use.
type Socket struct {
	*httptest.Server
	token string

	mu      sync.Mutex
	conns   []*conn
	down    bool
	code    int // with which a response_url answers; 0: 200
	clicks  int
	acked   map[string]time.Time // by envelope
	replies []Reply
}

// conn is a websocket. Writes to it are serialized.
type conn struct {
	mu sync.Mutex
	ws *websocket.Conn
}

// Reply is what was posted to a response_url.
type Reply struct {
	Trigger string // of the click
	At      time.Time
	Text    string          `json:"text"`
	Blocks  json.RawMessage `json:"blocks"`
	Replace bool            `json:"replace_original"`
	Type    string          `json:"response_type"`
}

// Click is a button or a command of a user.
type Click struct {
	Trigger  string // id; "": a new one
	ActionID string // of a button; "": it is a command
	Value    string
	Option   string // the value of the chosen option of a menu
	Text     string // of the command /hearth
	Channel  string
	TS       string
	User     string
}

// Sent is a click that was sent.
type Sent struct{ Trigger, envelope string }

// NewSocket starts a server that takes connections with this app-level token.
func NewSocket(t testing.TB, token string) *Socket {
	t.Helper()
	s := &Socket{token: token, acked: map[string]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/apps.connections.open", s.open)
	mux.HandleFunc("GET /socket", s.connect)
	mux.HandleFunc("POST /response/{trigger}", s.respond)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() { s.Disconnect(); s.Close() })
	return s
}

// API returns the address of the API, for the setting SLACK_URL.
func (s *Socket) API() string { return s.URL + "/api/" }

func (s *Socket) open(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	s.mu.Lock()
	down, token := s.down, s.token
	s.mu.Unlock()
	switch {
	case down:
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.Header.Get("Authorization") != "Bearer "+token:
		io.WriteString(w, `{"ok":false,"error":"invalid_auth"}`)
	default:
		fmt.Fprintf(w, `{"ok":true,"url":"ws%s/socket?ticket=t"}`, strings.TrimPrefix(s.URL, "http"))
	}
}

func (s *Socket) connect(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // it has answered
	}
	c := &conn{ws: ws}
	if c.send(map[string]any{"type": "hello", "num_connections": 1, "connection_info": map[string]string{"app_id": "A1"}}) != nil {
		return
	}
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	done := make(chan bool)
	go c.ping(done)
	defer close(done)
	for {
		var ack struct {
			EnvelopeID string `json:"envelope_id"`
		}
		_, b, err := ws.ReadMessage()
		if err != nil {
			s.remove(c)
			return
		}
		if json.Unmarshal(b, &ack) == nil && len(b) < 20<<10 {
			s.mu.Lock()
			s.acked[ack.EnvelopeID] = time.Now() // clock: a stopwatch of the test
			s.mu.Unlock()
		}
	}
}

// ping pings as Slack does, whose client else thinks that the connection is dead.
func (c *conn) ping(done chan bool) {
	for {
		select {
		case <-done:
			return
		case <-time.After(5 * time.Second):
			_ = c.ws.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second)) // clock: a deadline
		}
	}
}

func (c *conn) send(v any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ws.WriteJSON(v)
}

func (s *Socket) remove(c *conn) {
	c.ws.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, of := range s.conns {
		if of == c {
			s.conns = append(s.conns[:i], s.conns[i+1:]...)
			return
		}
	}
}

// Disconnect closes all connections, as Slack does every few hours.
func (s *Socket) Disconnect() {
	s.mu.Lock()
	conns := append([]*conn{}, s.conns...)
	s.mu.Unlock()
	for _, c := range conns {
		c.ws.Close()
	}
}

// SetDown makes the server refuse new connections, or ends that.
func (s *Socket) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// SetToken sets the app-level token that new connections need.
func (s *Socket) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// SetReplyCode sets the status with which response_urls answer; 0: they work.
func (s *Socket) SetReplyCode(code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = code
}

// Connected reports whether a program is connected.
func (s *Socket) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns) > 0
}

// errNobody is the error of a click while no program is connected: the user sees that the
// button does not work.
var errNobody = errors.New("no program is connected")

// Send sends a click to the program that is connected.
func (s *Socket) Send(k Click) (Sent, error) {
	s.mu.Lock()
	s.clicks++
	sent := Sent{Trigger: k.Trigger, envelope: fmt.Sprintf("envelope-%d", s.clicks)}
	if sent.Trigger == "" {
		sent.Trigger = fmt.Sprintf("trigger-%d", s.clicks)
	}
	var to *conn
	if n := len(s.conns); n > 0 {
		to = s.conns[n-1]
	}
	s.mu.Unlock()
	if to == nil {
		return sent, errNobody
	}
	kind, payload := "slash_commands", command(k, sent, s.URL)
	if k.ActionID != "" {
		kind, payload = "interactive", interactive(k, sent, s.URL)
	}
	return sent, to.send(map[string]any{"envelope_id": sent.envelope, "type": kind, "accepts_response_payload": true, "payload": payload})
}

func command(k Click, sent Sent, url string) map[string]any {
	return map[string]any{"token": "x", "command": "/hearth", "text": k.Text, "user_id": "U1", "user_name": k.User, "channel_id": k.Channel, "channel_name": "hearth",
		"trigger_id": sent.Trigger, "response_url": url + "/response/" + sent.Trigger}
}

func interactive(k Click, sent Sent, url string) map[string]any {
	a := map[string]any{"type": "button", "action_id": k.ActionID, "block_id": "b", "value": k.Value, "action_ts": "1.0"}
	if k.Option != "" {
		a = map[string]any{"type": "static_select", "action_id": k.ActionID, "block_id": "b", "action_ts": "1.0",
			"selected_option": map[string]any{"value": k.Option, "text": map[string]string{"type": "plain_text", "text": "x"}}}
	}
	return map[string]any{"type": "block_actions", "trigger_id": sent.Trigger, "response_url": url + "/response/" + sent.Trigger,
		"user": map[string]string{"id": "U1", "username": k.User, "name": k.User}, "channel": map[string]string{"id": k.Channel, "name": "hearth"},
		"container": map[string]string{"type": "message", "message_ts": k.TS, "channel_id": k.Channel}, "message": map[string]string{"type": "message", "ts": k.TS, "text": "x"},
		"actions": []any{a}}
}

func (s *Socket) respond(w http.ResponseWriter, r *http.Request) {
	reply := Reply{Trigger: r.PathValue("trigger"), At: time.Now()} // clock: a stopwatch of the test
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.code != 0 {
		w.WriteHeader(s.code)
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&reply); err != nil {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	s.replies = append(s.replies, reply)
	io.WriteString(w, "ok")
}

// Acked reports whether a click was acknowledged. Slack tells the user that it failed if that
// takes more than three seconds.
func (s *Socket) Acked(sent Sent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.acked[sent.envelope].IsZero()
}

// Replies returns what was posted to the response_url of a click.
func (s *Socket) Replies(sent Sent) (out []Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replies {
		if r.Trigger == sent.Trigger {
			out = append(out, r)
		}
	}
	return out
}
