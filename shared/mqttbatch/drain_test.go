package mqttbatch_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/mqttbatch"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// alarming is a function of which each message raises an alert.
func alarming(env serve.Env) (batchtest.Func, error) {
	return mqttbatch.Func(env, "sensors", func(ctx context.Context, st *store.Store, b mqttbatch.Batch) (wire.Answer, error) {
		var seen []alert.Observation
		for _, m := range b.Messages {
			seen = append(seen, alert.Observation{Key: "smoke/" + m.ID, Spec: alert.Spec{Rule: "smoke", Channel: alert.Security, Severity: alert.Critical, Title: "Smoke"}, Verdict: alert.Bad, At: b.Now})
		}
		moved := store.Observed(b.House, seen, b.Now)
		return wire.Answer{}, st.MoveAlerts(ctx, moved.Keys, moved.Move)
	})
}

// TestMessagesAreSentBesideTheAnswer: the connector does not wait for Slack, one sender at a
// time speaks to it, and the function does not end before that one has.
func TestMessagesAreSentBesideTheAnswer(t *testing.T) {
	var sending, most, sent atomic.Int64
	release := make(chan struct{})
	slack := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if n := sending.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-release
		sent.Add(1)
		sending.Add(-1)
	}))
	defer slack.Close()
	f := batchtest.Serve(t, alarming, batchtest.SQLite(t))
	if err := os.WriteFile(filepath.Join(f.Secrets, "slack-webhooks"), []byte(slack.URL+"/services/T000/B000/s3cr3t"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // each is answered while the first message waits for Slack
		f.Post(t, wire.Message{Topic: "x", Time: noon.Add(time.Duration(i) * time.Second), Payload: []byte("{}")})
	}
	if sent.Load() != 0 {
		t.Error("an answer waited for Slack")
	}
	close(release)
	f.Finish(t)
	if sent.Load() == 0 || most.Load() != 1 {
		t.Errorf("%d messages sent, %d at a time; want one at a time", sent.Load(), most.Load())
	}
	due, err := f.Store.Due(t.Context(), noon.Add(time.Hour), 10)
	if err != nil || len(due) > 2 {
		t.Errorf("%d messages are left, %v; want 2 at most", len(due), err)
	}
}

// TestMessagesThatTakeLongAreSentWithoutNewOnes: one time to send is not enough for three
// messages, and nothing new arrives that would begin the next.
func TestMessagesThatTakeLongAreSentWithoutNewOnes(t *testing.T) {
	answered, sent := make(chan bool), make(chan bool, 3)
	var f *batchtest.Served
	slack := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		<-answered // nobody else reads the clock then
		f.Late += 3 * time.Second
		sent <- true
	}))
	defer slack.Close()
	f = batchtest.Serve(t, alarming, batchtest.SQLite(t))
	if err := os.WriteFile(filepath.Join(f.Secrets, "slack-webhooks"), []byte(slack.URL+"/services/T000/B000/s3cr3t"), 0o600); err != nil {
		t.Fatal(err)
	}
	message := wire.Message{Topic: "x", Time: noon, Payload: []byte("{}")}
	f.Post(t, message, message, message)
	close(answered)
	for i := range 3 {
		select {
		case <-sent:
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of 3 messages are sent", i)
		}
	}
}
