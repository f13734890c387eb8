// Package slacktest answers as Slack's Web API and its incoming webhooks do, for tests. It
// keeps Slack's limits and records every message that breaks one.
package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is the fake. A test may set its fields before the first request.
type Server struct {
	URL    string             // of the server; of the API it is URL + "/api/"
	Now    func() time.Time   // its clock
	Answer func(Call) *Answer // how it answers a call; nil: as Slack does
	Closed map[string]bool    // methods for which the bot lacks the scope

	mu       sync.Mutex
	messages []*Message
	last     map[string]time.Time // when something was posted in a channel
	broken   []string
	serial   int
	ids      map[string]string // of channels, by name
}

// Call is a request: the method, chat.postMessage, or webhook, and its arguments.
type Call struct {
	Method  string
	Channel string // name, id or path of a webhook
	Text    string
}

// Answer is an answer that differs from Slack's usual one.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
	Accept bool // the message is posted or edited all the same
	Drop   bool // the connection is closed without an answer
}

// Message is a message in a channel.
type Message struct {
	Channel   string // id; of a webhook its path
	TS        string
	Thread    string // TS of the message that it replies to
	Broadcast bool
	Text      string
	Blocks    string // JSON
	Keys      []string
	Edits     int
	At        time.Time
}

// New starts a server that ends with the test.
func New(t testing.TB, now func() time.Time) *Server {
	s := &Server{Now: now, last: map[string]time.Time{}, ids: map[string]string{}, Closed: map[string]bool{}}
	srv := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(srv.Close)
	s.URL = srv.URL
	return s
}

// Messages returns all messages, the oldest first, as they are now.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Message, len(s.messages))
	for i, m := range s.messages {
		out[i] = *m
	}
	return out
}

// Broken returns the limits of Slack that were broken.
func (s *Server) Broken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.broken)
}

// Delete deletes a message, as a person does in Slack.
func (s *Server) Delete(ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = slices.DeleteFunc(s.messages, func(m *Message) bool { return m.TS == ts })
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	method, isAPI := strings.CutPrefix(r.URL.Path, "/api/")
	form := url.Values{}
	if isAPI {
		r.ParseForm()
		form = r.Form
	} else {
		b, _ := io.ReadAll(r.Body)
		var hook struct {
			Text   string
			Blocks json.RawMessage
		}
		if json.Unmarshal(b, &hook) != nil {
			http.Error(w, "invalid_payload", http.StatusBadRequest)
			return
		}
		method = "webhook"
		form.Set("channel", r.URL.Path)
		form.Set("text", hook.Text)
		if len(hook.Blocks) > 0 {
			form.Set("blocks", string(hook.Blocks))
		}
	}
	s.mu.Lock()
	s.serial++
	call := Call{method, form.Get("channel"), form.Get("text")}
	answer := s.Answer
	s.mu.Unlock()
	var other *Answer
	if answer != nil {
		other = answer(call)
	}
	if other != nil && !other.Accept {
		s.reply(w, other)
		return
	}
	own := s.handle(method, form)
	if other != nil {
		own = other
	}
	s.reply(w, own)
}

func (s *Server) reply(w http.ResponseWriter, a *Answer) {
	if a.Drop {
		panic(http.ErrAbortHandler)
	}
	for k, v := range a.Header {
		w.Header().Set(k, v)
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	io.WriteString(w, a.Body)
}

func refuse(code string) *Answer { return &Answer{Body: fmt.Sprintf(`{"ok":false,"error":%q}`, code)} }

func succeed(v map[string]any) *Answer {
	v["ok"] = true
	b, _ := json.Marshal(v) // never fails: maps and texts
	return &Answer{Body: string(b)}
}

func (s *Server) handle(method string, form url.Values) *Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Closed[method] {
		return refuse("missing_scope")
	}
	switch method {
	case "webhook":
		return s.webhook(form)
	case "chat.postMessage":
		return s.post(form)
	case "chat.update":
		return s.update(form)
	case "conversations.history", "conversations.replies":
		return s.history(method, form)
	case "conversations.list":
		var list []map[string]any
		for name, id := range s.ids {
			list = append(list, map[string]any{"id": id, "name": name})
		}
		return succeed(map[string]any{"channels": list})
	case "auth.test":
		return succeed(map[string]any{"user_id": "U1"})
	}
	return refuse("unknown_method")
}

func (s *Server) webhook(form url.Values) *Answer {
	if code := s.check(form); code != "" {
		return &Answer{Status: http.StatusBadRequest, Body: code}
	}
	if wait := s.tooFast(form.Get("channel")); wait != nil {
		return wait
	}
	s.add(form.Get("channel"), form)
	return &Answer{Body: "ok"}
}

func (s *Server) post(form url.Values) *Answer {
	if code := s.check(form); code != "" {
		return refuse(code)
	}
	id := s.id(form.Get("channel"))
	if thread := form.Get("thread_ts"); thread != "" && s.find(id, thread) == nil {
		return refuse("thread_not_found")
	}
	if wait := s.tooFast(id); wait != nil {
		return wait
	}
	m := s.add(id, form)
	return succeed(map[string]any{"channel": id, "ts": m.TS, "message": map[string]any{"text": m.Text}})
}

func (s *Server) update(form url.Values) *Answer {
	if code := s.check(form); code != "" {
		return refuse(code)
	}
	if len(form.Get("text")) > 4000 { // the limit of chat.update alone
		s.broken = append(s.broken, "msg_too_long")
		return refuse("msg_too_long")
	}
	m := s.find(form.Get("channel"), form.Get("ts"))
	if m == nil {
		return refuse("message_not_found")
	}
	m.Text, m.Blocks = form.Get("text"), form.Get("blocks")
	m.Edits++
	return succeed(map[string]any{"channel": m.Channel, "ts": m.TS})
}

func (s *Server) history(method string, form url.Values) *Answer {
	var list []map[string]any
	for _, m := range slices.Backward(s.messages) {
		thread := form.Get("ts")
		in := m.Thread == "" || m.Broadcast
		if method == "conversations.replies" {
			in = m.Thread == thread || m.TS == thread
		}
		if m.Channel != form.Get("channel") || !in || m.TS < form.Get("oldest") {
			continue
		}
		item := map[string]any{"type": "message", "ts": m.TS, "text": m.Text}
		if m.Thread != "" {
			item["thread_ts"] = m.Thread
		}
		if form.Get("include_all_metadata") != "" && form.Get("include_all_metadata") != "0" && len(m.Keys) > 0 {
			item["metadata"] = map[string]any{"event_type": "hearth", "event_payload": map[string]any{"keys": m.Keys}}
		}
		list = append(list, item)
	}
	return succeed(map[string]any{"messages": list})
}

func (s *Server) id(channel string) string {
	name, ok := strings.CutPrefix(channel, "#")
	if !ok {
		return channel
	}
	if s.ids[name] == "" {
		s.ids[name] = fmt.Sprintf("C%08d", len(s.ids)+1)
	}
	return s.ids[name]
}

func (s *Server) find(channel, ts string) *Message {
	for _, m := range s.messages {
		if m.Channel == channel && m.TS == ts {
			return m
		}
	}
	return nil
}

func (s *Server) add(channel string, form url.Values) *Message {
	now := s.Now()
	m := &Message{Channel: channel, TS: fmt.Sprintf("%d.%06d", now.Unix(), s.serial), Thread: form.Get("thread_ts"), Broadcast: form.Get("reply_broadcast") == "true",
		Text: form.Get("text"), Blocks: form.Get("blocks"), At: now}
	var meta struct {
		Payload struct{ Keys []string } `json:"event_payload"`
	}
	json.Unmarshal([]byte(form.Get("metadata")), &meta) // without metadata there are no keys
	m.Keys = meta.Payload.Keys
	s.messages = append(s.messages, m)
	return m
}
