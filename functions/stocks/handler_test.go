package function

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/golden"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

const (
	key    = "k3y-of-f1nnhub"
	good   = `{"c":518.43,"d":5.36,"dp":1.0447,"h":520.44,"l":514.01,"o":514.46,"pc":513.07,"t":1712347200}`
	zeros  = `{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}`
	denied = `{"error":"You don't have access to this resource."}`
	spent  = `{"error":"API limit reached. Please try again later. Remaining Limit: 0"}`
)

func TestDecode(t *testing.T) {
	rs, err := decode([]byte(good), "SPY")
	if err != nil {
		t.Fatal(err)
	}
	golden.Readings(t, "testdata/quote.lp", rs)
}

func TestDecodeRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"html": `<html>`, "nothing": ``, "truncated": good[:30], "unknown symbol": zeros, "error in a 200": denied,
		"no price": `{"t":1712347200}`, "no time": `{"c":518.43}`, "price a text": strings.Replace(good, "518.43", `"518.43"`, 1),
	} {
		if rs, err := decode([]byte(body), "SPY"); err == nil {
			t.Errorf("%s: decode(%s) = %v, want an error", name, body, rs)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(zeros))
	f.Fuzz(func(t *testing.T, body []byte) {
		if rs, err := decode(body, "SPY"); err == nil && (len(rs) != 1 || rs[0].Time.Unix() <= 0 || rs[0].Fields["price_usd"] <= 0) {
			t.Errorf("decode(%q) = %v", body, rs)
		}
	})
}

// A symbol that fails fails alone, a rerun stores nothing, and no answer holds
// the key.
func TestRun(t *testing.T) {
	var code int // what NOPE is answered
	var body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "30")
		switch {
		case r.Header.Get("X-Finnhub-Token") != key:
			http.Error(w, `{"error":"Invalid API key"}`, http.StatusUnauthorized)
		case r.URL.Query().Get("symbol") == "NOPE":
			http.Error(w, body, code)
		default:
			io.WriteString(w, good)
		}
	}))
	defer srv.Close()
	post := start(t, srv.URL)
	for _, c := range []struct {
		name   string
		code   int
		body   string
		status string
		stored int
		strict int
	}{
		{"good", 200, good, "ok", 2, 200},
		{"again", 200, good, "ok", 0, 200},
		{"unknown symbol", 200, zeros, "partial", 0, 502},
		{"denied", 403, denied, "partial", 0, 502},
		{"gone", 404, "", "partial", 0, 502},
		{"down", 500, key, "partial", 0, 502},
		{"spent", 429, spent, "partial", 0, 429},
		{"spent in a 200", 200, spent, "partial", 0, 429},
	} {
		code, body = c.code, c.body
		if a, status := post(""); status != 200 || a.Status != c.status || a.Stored != c.stored {
			t.Errorf("%s: %d %+v", c.name, status, a)
		}
		if a, status := post("?strict=true"); status != c.strict {
			t.Errorf("%s, strict: %d %+v, want %d", c.name, status, a, c.strict)
		}
	}
	srv.Close()
	if a, status := post(""); status != 502 {
		t.Errorf("host down: %d %+v", status, a)
	}
}

func start(t *testing.T, url string) func(query string) (source.Answer, int) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "finnhub-key"), []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := New(config.Env{
		Vars:    map[string]string{"STOCKS_SYMBOLS": "SPY, NOPE", "FINNHUB_URL": url},
		Secrets: secret.NewFolder(dir),
		Open:    func(context.Context) (*store.Store, error) { return st, nil },
		Now:     time.Now,
		Log:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(query string) (a source.Answer, code int) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/"+query, nil))
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || strings.Contains(w.Body.String(), key) {
			t.Errorf("answer %s: %v", w.Body, err)
		}
		return a, w.Code
	}
}
