package slack

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// outbox returns a store whose outbox has these messages.
func outbox(t *testing.T, ms ...alert.Message) *store.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	if err := st.Commit(t.Context(), "test", nil, func(ctx context.Context, tx *store.Tx) error { return tx.Queue(ctx, ms) }); err != nil {
		t.Fatal(err)
	}
	return st
}

// drain lets a function with these settings send what is due at now. It returns the paths
// or channels to which it sent, and its log.
func drain(t *testing.T, st *store.Store, secrets map[string]string, newsChannel string, now time.Time) (sent []string, log string) {
	t.Helper()
	s := newServer(t)
	for name, v := range secrets {
		secrets[name] = strings.ReplaceAll(v, "http://slack", s.URL)
	}
	x := sender(t, s, secrets)
	x.pace, x.config.NewsChannel = 0, newsChannel
	var b bytes.Buffer
	x.Drain(t.Context(), st, time.Minute, func() time.Time { return now }, slog.New(slog.NewTextHandler(&b, nil)))
	for _, m := range s.got {
		sent = append(sent, m["text"]+" to "+strings.TrimPrefix(m["path"], "/services/")+m["channel"])
	}
	return sent, b.String()
}

// TestAFunctionSendsOnlyWhatItIsConfiguredFor: whichever function drains the outbox first,
// news never reaches the channel for failures, nor the other way round.
func TestAFunctionSendsOnlyWhatItIsConfiguredFor(t *testing.T) {
	hook, newsHook, token := map[string]string{"hook": "http://slack/services/failures"}, map[string]string{"news-hook": "http://slack/services/news"}, map[string]string{"token": "xoxb-1-2-3"}
	both := map[string]string{"hook": hook["hook"], "news-hook": newsHook["news-hook"]}
	all := map[string]string{"hook": hook["hook"], "news-hook": newsHook["news-hook"], "token": token["token"]}
	for name, tt := range map[string]struct {
		secrets        map[string]string
		newsChannel    string
		queuesFailures alert.Channel // the outbox's channel for the function's own messages
		queuesNews     alert.Channel
		sends          string
	}{
		"nothing":                           {nil, "", "", "", "[]"},
		"a webhook for failures":            {hook, "", "pipelines", "pipelines", "[f to failures]"},
		"a webhook for failures, a channel": {hook, "#news", "pipelines", "pipelines", "[f to failures]"}, // the channel is the bot's
		"a webhook for news":                {newsHook, "", "", "products", "[n to news]"},
		"both webhooks":                     {both, "", "pipelines", "products", "[f to failures n to news]"},
		"a bot with one channel":            {token, "", "pipelines", "pipelines", "[f to /api/chat.postMessage#failures]"},
		"a bot with two channels":           {token, "#news", "pipelines", "products", "[f to /api/chat.postMessage#failures n to /api/chat.postMessage#news]"},
		"a bot with one channel, webhooks":  {all, "", "pipelines", "pipelines", "[f to /api/chat.postMessage#failures]"},
	} {
		t.Run(name, func(t *testing.T) {
			st := outbox(t, alert.Message{Key: "1", Channel: alert.Pipelines, Text: "f", Created: noon}, alert.Message{Key: "2", Channel: alert.Products, Text: "n", Created: noon})
			secrets := map[string]string{}
			for k, v := range tt.secrets {
				secrets[k] = v
			}
			sent, log := drain(t, st, secrets, tt.newsChannel, noon)
			if fmt.Sprint(sent) != tt.sends || log != "" {
				t.Errorf("sent %v, want %s; log %s", sent, tt.sends, log)
			}
			x := sender(t, newServer(t), secrets)
			x.config.NewsChannel = tt.newsChannel
			if x.Failures() != tt.queuesFailures || x.News() != tt.queuesNews {
				t.Errorf("queues for %q and %q, want %q and %q", x.Failures(), x.News(), tt.queuesFailures, tt.queuesNews)
			}
			left, err := st.Due(t.Context(), noon, 10)
			if err != nil || len(left) != 2-len(sent) {
				t.Errorf("%d messages left, %v; want %d", len(left), err, 2-len(sent))
			}
		})
	}
}

// TestMessagesThatNobodySendsAreGivenUp: they do not stay for ever, and the log says so.
func TestMessagesThatNobodySendsAreGivenUp(t *testing.T) {
	st := outbox(t, alert.Message{Key: "old", Channel: alert.Products, Created: noon.AddDate(0, 0, -31)}, alert.Message{Key: "young", Channel: alert.Products, Created: noon})
	for i, secrets := range []map[string]string{{"hook": "http://slack/services/failures"}, {}} {
		sent, log := drain(t, st, secrets, "", noon)
		if len(sent) > 0 || strings.Contains(log, "given up") != (i == 0) || i == 0 && !strings.Contains(log, "messages=1") {
			t.Errorf("sent %v; log %q", sent, log)
		}
	}
	if left, err := st.Due(t.Context(), noon, 10); err != nil || len(left) != 1 || left[0].Key != "young" {
		t.Errorf("left: %v, %v", left, err)
	}
}
