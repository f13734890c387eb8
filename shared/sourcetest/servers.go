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

func (h *House) listen(f http.HandlerFunc) *httptest.Server {
	srv := httptest.NewServer(f)
	h.t.Cleanup(srv.Close)
	return srv
}

// ask is the upstream.
func (h *House) ask(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.Asked = append(h.Asked, r.URL.String())
	h.mu.Unlock()
	h.Answer(w, r)
}

// hear is Slack.
func (h *House) hear(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Refusal != 0 {
		w.WriteHeader(h.Refusal)
		return
	}
	var m struct{ Text string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		h.t.Errorf("a message to Slack: %v", err)
	}
	h.Told = append(h.Told, m.Text)
	h.said.WriteString(m.Text + "\n")
}

// Says is an upstream's answer.
func Says(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

// File returns the file of testdata.
func File(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// leaks fails the test if a secret, or the half of one, shows where others look.
func (h *House) leaks(database string) {
	h.Store.Close() // a test may have closed it before
	texts := map[string]string{"an answer or a message": h.said.String(), "the log": h.Log.String()}
	files, err := filepath.Glob(database + "*") // with its write-ahead log
	if err != nil || len(files) == 0 {
		h.t.Errorf("no database to look into: %v", err)
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
					h.t.Errorf("the secret %s shows in %s: …%q…", name, where, text[max(0, i-100):min(len(text), i+100)])
				}
			}
		}
	}
}
