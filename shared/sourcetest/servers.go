package sourcetest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// listen starts a server that ends with the test.
func (h *Fixture) listen(f http.HandlerFunc) *httptest.Server {
	srv := httptest.NewServer(f)
	h.t.Cleanup(srv.Close)
	return srv
}

// serveUpstream records a request to the upstream and answers it.
func (h *Fixture) serveUpstream(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.Requests = append(h.Requests, r.URL.String())
	h.mu.Unlock()
	h.Answer(w, r)
}

// serveSlack records a message to Slack, unless SlackStatus refuses it.
func (h *Fixture) serveSlack(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.SlackStatus != 0 {
		w.WriteHeader(h.SlackStatus)
		return
	}
	var m struct{ Text string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		h.t.Errorf("a message to Slack: %v", err)
	}
	h.Messages = append(h.Messages, m.Text)
	h.output.WriteString(m.Text + "\n")
}

// Respond returns a handler that always sends this answer. header holds pairs of a
// name and a value.
func Respond(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

// File returns the content of a file in testdata.
func File(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkSecrets fails the test if the first half of a secret appears in an answer, a
// message, the log or the database.
func (h *Fixture) checkSecrets(database string) {
	h.Store.Close() // the test may have closed it already
	texts := map[string]string{"an answer or a message": h.output.String(), "the log": h.Log.String()}
	files, err := filepath.Glob(database + "*") // with its write-ahead log
	if err != nil || len(files) == 0 {
		h.t.Errorf("no database file to search: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			h.t.Error(err)
		}
		texts["the database"] += string(b)
	}
	for name, v := range h.secrets {
		for where, text := range texts {
			for _, form := range []string{v, url.QueryEscape(v)} {
				if i := strings.Index(text, form[:len(form)/2]); v != "" && i >= 0 {
					h.t.Errorf("the secret %s appears in %s: …%q…", name, where, text[max(0, i-100):min(len(text), i+100)])
				}
			}
		}
	}
}
