package deadletter

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/secret"
)

// TestAReplaySaysWhatBecameOfItsLetters: which are stored, which are rejected again and
// why, and how many have no answer yet.
func TestAReplaySaysWhatBecameOfItsLetters(t *testing.T) {
	l, o := opened(t, t.TempDir(), func(int) bool { return false })
	ms := make([]message.Message, 5)
	for i := range ms {
		ms[i] = message.Message{Arrival: int64(i + 1), Topic: fmt.Sprint("house/", i), Payload: []byte("x")}
		if err := l.Add("f", &ms[i], "no mapping"); err != nil {
			t.Fatal(err)
		}
	}
	token := secret.InMemory(map[string]string{"token": "ours"}, nil).Get("token")
	replay := func(query string) (out Outcome) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/dead/replay?"+query, nil)
		r.Header.Set("Authorization", "Bearer ours")
		w := httptest.NewRecorder()
		if l.Handler(token).ServeHTTP(w, r); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	go func() { // the function answers, in the end for all but the last
		mqtttest.Until(t, "the replay", func() bool { return o.n() == 5 })
		for i := range ms {
			ms[i].Replayed = true
		}
		l.Stored("f", &ms[0])
		for i, reason := range []string{"still no mapping\nfor house/1", "too old", "too old"} {
			if err := l.Add("f", &ms[i+1], reason); err != nil {
				t.Error(err)
			}
		}
	}()
	got := replay("all=true&wait=2s")
	want := Outcome{Replay: Replay{Replayed: 5}, Stored: 1, Waiting: 1, Refused: []Refused{{"f", "too old", 2}, {"f", "still no mapping\nfor house/1", 1}}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	l.mu.Lock()
	watches := len(l.watches)
	l.mu.Unlock()
	if watches != 0 {
		t.Errorf("%d replays are still watched", watches)
	}
	// It waits no longer than for the last answer, also of a letter that was on the way.
	answered := make(chan bool)
	go func() { defer close(answered); replay("id=" + ms[4].ID() + "&wait=30s") }()
	for sent := false; !sent; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		sent = len(l.watches) == 1 && l.watches[0].sent
		l.mu.Unlock()
	}
	l.Stored("f", &ms[4])
	<-answered
	if got := replay("function=f"); fmt.Sprint(got) != fmt.Sprint(Outcome{Replay: Replay{Replayed: 3}}) {
		t.Errorf("without a wait: %+v", got)
	}
}
