package deadletter

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/spool"
)

// TestARepeatedRequestSkipsLettersRejectedSince: a request may come twice. The second
// time it must not affect a letter that was rejected again after Before.
func TestARepeatedRequestSkipsLettersRejectedSince(t *testing.T) {
	l, o := opened(t, t.TempDir(), func(int) bool { return false })
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var later atomic.Int64
	l.o.Now = func() time.Time { return start.Add(time.Duration(later.Load())) }
	l.o.Pending = func(string, spool.Seq) bool { return false } // delivered at once
	m := message.Message{Arrival: 1, Topic: "house/x"}
	refuse := func() {
		t.Helper()
		if err := l.Add("f", &m, "no"); err != nil {
			t.Fatal(err)
		}
	}
	refuse()
	go l.Run(t.Context())
	asked := start.Add(time.Second)
	for _, drop := range []bool{false, true} {
		r := Request{Drop: drop, Query: Query{ID: m.ID(), Before: asked}}
		for range 3 {
			if err := l.Request(r); err != nil {
				t.Fatal(err)
			}
			if !drop {
				mqtttest.Until(t, "the replay", func() bool { return o.n() == 1 && len(l.requested()) == 0 })
				later.Store(int64(2 * time.Second))
				refuse()
			}
		}
	}
	mqtttest.Until(t, "no pending request", func() bool { return len(l.requested()) == 0 })
	if n := l.Stats().Letters; n != 1 || o.ids[m.ID()] != 1 {
		t.Errorf("%d letters, replayed %d times; want 1 and 1", n, o.ids[m.ID()])
	}
}

func TestParametersSelectLetters(t *testing.T) {
	for query, want := range map[string]Query{
		"":                      {},
		"id=a&function=f":       {ID: "a", Function: "f"},
		"topic=a/%23&reason=no": {Topic: "a/#", Reason: "no"},
		"cause=a+b":             {Cause: "a b"},
		"all=true":              {All: true},
	} {
		if q, _, err := parseQuery(query); err != nil || q != want {
			t.Errorf("%q: %+v, %v; want %+v", query, q, err, want)
		}
	}
}

// TestAMistakeInACallChangesNoLetter: ignoring a part of a call would replay or drop
// more letters than the caller meant. The error says what is wrong.
func TestAMistakeInACallChangesNoLetter(t *testing.T) {
	l, o := opened(t, t.TempDir(), func(int) bool { return false })
	for i := range 3 {
		if err := l.Add("f", &message.Message{Arrival: int64(i + 1), Topic: "house/x"}, "no"); err != nil {
			t.Fatal(err)
		}
	}
	token := secret.InMemory(map[string]string{"token": "ours"}, nil).Get("token")
	for _, c := range []struct{ query, body, want string }{
		{"", "", "which dead letters?"},
		{"fucntion=f", "", `unknown parameter "fucntion": did you mean function?`},
		{"all=true&fucntion=f", "", `unknown parameter "fucntion": did you mean function?`},
		{"function=f&Topic=a", "", `unknown parameter "Topic": did you mean topic?`},
		{"ALL=true", "", `unknown parameter "ALL": did you mean all?`},
		{"functions=f", "", "did you mean function?"},
		{"before=2026-11-23", "", `unknown parameter "before": there are id, function, topic, reason, cause, all, wait`},
		{"function[]=f", "", "did you mean function?"},
		{"=f", "", `unknown parameter ""`},
		{"id=", "", "id is empty"},
		{"all=true&id=", "", "id is empty"},
		{"function=%20", "", "function is empty"},
		{"function", "", "function is empty"},
		{"function=f&function=f", "", "function is given 2 times"},
		{"all=true&all=true", "", "all is given 2 times"},
		{"all=1", "", `all is "1"`},
		{"all=false", "", `all is "false"`},
		{"all=TRUE", "", `all is "TRUE"`},
		{"all", "", "all is empty"},
		{"all=true&id=a", "", "either a filter or all"},
		{"all=true&function=f", "", "either a filter or all"},
		{"topic=a/%23/b", "", "a/#/b"},
		{"all=true&id=%zz", "", `invalid URL escape "%zz"`},
		{"all=true;id=a", "", "semicolon"},
		{"all=true&wait=1m", "", `wait is "1m"`},
		{"all=true&wait=5", "", `wait is "5"`},
		{"all=true&wait=-5s", "", `wait is "-5s"`},
		{"", "fucntion=f", `unknown parameter "fucntion": did you mean function?`},
		{"", "function=f", "write function into the URL"},
		{"", "all=true", "write all into the URL"},
		{"all=true", "function=f", "write function into the URL"},
		{"all=true", `{"function":"f"}`, "write function into the URL"},
		{"all=true", "{\n  \"fucntion\": \"f\"\n}", `unknown parameter "fucntion"`},
		{"function=f", "all=true", "write all into the URL"},
		{"all=true", "\x00", "the body is not read"},
	} {
		for _, path := range []string{"/dead/drop", "/dead/replay"} {
			r := httptest.NewRequestWithContext(t.Context(), "POST", path+"?"+c.query, strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer ours")
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			l.Handler(token).ServeHTTP(w, r)
			var answer struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 400 || !strings.Contains(answer.Error, c.want) {
				t.Errorf("%s?%s with the body %q: %d %s, want 400 and %s", path, c.query, c.body, w.Code, w.Body, c.want)
			}
		}
	}
	if n := l.Stats().Letters; n != 3 || o.n() != 0 {
		t.Errorf("%d letters are left and %d are replayed, want 3 and none", n, o.n())
	}
}

// TestNoLettersAreAnEmptyList: not null, over which a script stumbles.
func TestNoLettersAreAnEmptyList(t *testing.T) {
	l, _ := opened(t, t.TempDir(), func(int) bool { return false })
	token := secret.InMemory(map[string]string{"token": "ours"}, nil).Get("token")
	for _, query := range []string{"", "?function=f"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/dead"+query, nil)
		r.Header.Set("Authorization", "Bearer ours")
		w := httptest.NewRecorder()
		l.Handler(token).ServeHTTP(w, r)
		if got := w.Body.String(); w.Code != 200 || got != "[]\n" {
			t.Errorf("GET /dead%s: %d %q, want []", query, w.Code, got)
		}
	}
}

func TestARequestWithoutAFilterChangesNothing(t *testing.T) {
	l, _ := opened(t, t.TempDir(), func(int) bool { return false })
	if err := l.Add("f", &message.Message{Arrival: 1, Topic: "house/x"}, "no"); err != nil {
		t.Fatal(err)
	}
	for _, q := range []Query{{}, {Before: time.Now().Add(time.Hour)}, {All: true, Topic: "house/#"}, {Topic: "a/#/b"}} { // clock: the letter was added now
		if n, err := l.drop(q); n != 0 || err == nil {
			t.Errorf("%+v dropped %d, %v", q, n, err)
		}
		if done, err := l.Replay(t.Context(), q); done != (Replay{}) || err == nil {
			t.Errorf("%+v replayed %+v, %v", q, done, err)
		}
		for _, drop := range []bool{true, false} {
			if err := l.Request(Request{Drop: drop, Query: q}); err == nil {
				t.Errorf("a request (drop: %v) for %+v is accepted", drop, q)
			}
		}
	}
	if n, err := l.drop(Query{All: true}); n != 1 || err != nil {
		t.Errorf("all: dropped %d, %v", n, err)
	}
}
