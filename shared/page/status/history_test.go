package status

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

// rollUp stores that the hours of air from one time to another are rolled up.
func (h fixture) rollUp(from, to time.Time) {
	h.t.Helper()
	ctx := h.t.Context()
	if ok, err := h.st.AdvanceRollups(ctx, "air", from, to); !ok || err != nil {
		h.t.Fatal(ok, err)
	}
	hours, err := h.st.ClaimDirty(ctx, "air", "claim", from, to)
	h.ok(err)
	h.ok(h.st.RolledUp(ctx, "air", "claim", hours))
}

// said returns the line about the history in the markup, "" if there is none.
func said(t *testing.T, p *Page) string {
	t.Helper()
	_, line, ok := strings.Cut(p.snapshot(t.Context()).changed(nil)["functions"], `id="history">`)
	if !ok {
		return ""
	}
	line, _, _ = strings.Cut(line, "</p>")
	return line
}

func TestThePageTellsHowFarTheHistoryIsRolledUpUntilItIs(t *testing.T) {
	h := newFixture(t)
	p, due := h.page(), h.now.Add(-time.Hour)
	since := due.AddDate(0, 0, -100)
	at := h.now
	p.Now = func() time.Time { return at }
	if line := said(t, p); line != "" {
		t.Errorf("without readings it says %q", line)
	}

	h.ok(h.st.BeginRollups(t.Context(), "air", since, h.now))
	h.rollUp(since, since.AddDate(0, 0, 43))
	at = at.Add(time.Minute)
	if line := said(t, p); line != "Rolling up the history: 43 %, 43 of 100 days" {
		t.Errorf("it says %q", line)
	}
	b, err := json.Marshal(p.snapshot(t.Context()).data)
	if want := `"history":{"percent":43,"days_done":43,"days":100}`; err != nil || !strings.Contains(string(b), want) {
		t.Errorf("its JSON lacks %s: %v\n%s", want, err, b)
	}

	h.rollUp(since.AddDate(0, 0, 43), due)
	at = at.Add(time.Minute)
	if line := said(t, p); line != "" || p.snapshot(t.Context()).data.History != nil {
		t.Errorf("when all is done it says %q", line)
	}
}

func TestThePageSaysWhatToDoIfRollupsCannotBeStored(t *testing.T) {
	secrets := secret.InMemory(map[string]string{"database-url": testserver.Postgres(t), "influx-token": "any:geheim"}, nil)
	if err := store.Migrate(t.Context(), secrets.Get("database-url")); err != nil {
		t.Fatal(err)
	}
	h := newFixture(t)
	for answer, want := range map[string]string{
		`404 {"code":"not found","message":"bucket \"home_5m\" not found"}`:                 "Nothing is rolled up and no reading expires: the bucket home_5m is missing: run hearth migrate with INFLUX_ADMIN_TOKEN",
		`403 {"code":"forbidden","message":"insufficient permissions for write by geheim"}`: "Nothing is rolled up and no reading expires: the token may not write to the bucket home_5m: give it the rights that hearth migrate prints",
		`503 {"code":"unavailable","message":"later"}`:                                      "", // this passes: nothing is to be done
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Influxdb-Version", "v2.7.1")
			code, _ := strconv.Atoi(answer[:3])
			w.WriteHeader(code)
			io.WriteString(w, answer[4:])
		}))
		t.Cleanup(server.Close)
		st, err := store.Open(t.Context(), store.Config{Influx: store.Influx{URL: server.URL, Org: "home", Bucket: "home", Token: secrets.Get("influx-token")}, Database: secrets.Get("database-url")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		p := h.page()
		p.Open = func(context.Context) (*store.Store, error) { return st, nil }
		if line := said(t, p); !strings.HasPrefix(line, want) || want == "" && line != "" || strings.Contains(line, "geheim") {
			t.Errorf("%s: it says %q, want %q", answer, line, want)
		}
	}
}
