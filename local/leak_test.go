package local

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/local/host"
	"github.com/hearth-home/hearth/local/stack"
	"github.com/hearth-home/hearth/shared/source"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// plant returns a value for the secret called name. Its first 20 letters are found however
// the value is escaped; the rest needs escaping.
func plant(name string) string {
	return strings.ToUpper((strings.NewReplacer("-", "", "_", "").Replace(name)[:min(13, len(name)-1)] + "plantedplantedplanted")[:20]) + tail
}

const tail = `/+=&?"x\y'<>%ü$#;`

// traces returns the forms in which a planted secret is looked for: as it is, and in
// base64 at each of the three alignments.
func traces(value string) []string {
	core := value[:20]
	out := []string{core}
	for shift := range 3 {
		b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + core))
		out = append(out, b[4*((shift+2)/3):len(b)-4])
	}
	return out
}

// leaked returns the place of a text that has a planted secret, however it is escaped, "" if
// there is none.
func leaked(text, value string) string {
	for _, text := range decoded(text) {
		for _, trace := range traces(value) {
			if i := strings.Index(text, trace); i >= 0 {
				return text[max(0, i-200):min(len(text), i+100)]
			}
		}
	}
	return ""
}

// failing are the ways in which an upstream fails. All but "dead" and "hang" echo the request
// in their answer, or its keys in many encodings.
var failing = []struct {
	name   string
	answer func(w http.ResponseWriter, sent string)
}{
	{"500", func(w http.ResponseWriter, sent string) { http.Error(w, sent, 500) }},
	{"401", func(w http.ResponseWriter, sent string) { http.Error(w, sent, 401) }},
	// Wherever the function cuts an excerpt of the answer, one of these three leaves most of
	// a key at the end of the excerpt.
	{"403 cut", func(w http.ResponseWriter, sent string) { http.Error(w, again(sent, 0), 403) }},
	{"403 cut later", func(w http.ResponseWriter, sent string) { http.Error(w, again(sent, 10), 403) }},
	{"403 cut last", func(w http.ResponseWriter, sent string) { http.Error(w, again(sent, 20), 403) }},
	{"429", func(w http.ResponseWriter, sent string) {
		w.Header().Set("Retry-After", "3600")
		http.Error(w, sent, 429)
	}},
	{"html", func(w http.ResponseWriter, sent string) { fmt.Fprintf(w, "<html><body>%s</body></html>", sent) }},
	{"error in the body", func(w http.ResponseWriter, sent string) {
		fmt.Fprintf(w, `{"error":%[1]q,"message":%[1]q,"Information":%[1]q,"Note":%[1]q,"errors":[{"message":%[1]q}],"cod":401}`, sent)
	}},
	{"401 in every encoding", func(w http.ResponseWriter, sent string) { http.Error(w, everyEncoding(sent), 401) }},
	{"500 in each encoding", func(w http.ResponseWriter, sent string) { http.Error(w, everyEncoding(sent), 500) }},
	{"200 in every encoding", func(w http.ResponseWriter, sent string) {
		fmt.Fprintf(w, `{"error":%[1]q,"message":%[1]q,"Information":%[1]q,"errors":[{"message":%[1]q}],"cod":401}`, everyEncoding(sent))
	}},
	{"page in each encoding", func(w http.ResponseWriter, sent string) {
		fmt.Fprintf(w, "<html><body>%s</body></html>", everyEncoding(sent))
	}},
	{"redirect", nil},
	{"redirect to the key", nil},
	{"dead", nil},
	{"hang", nil},
}

// again returns 5,000 bytes that repeat the key that was sent, shifted by phase.
func again(sent string, phase int) string {
	i := strings.Index(sent, "PLANTED")
	if i < 0 {
		return sent
	}
	for i > 0 && 'A' <= sent[i-1] && sent[i-1] <= 'Z' {
		i--
	}
	return strings.Repeat(".", phase) + strings.Repeat(sent[i:i+20]+tail+" ", 5000/(21+len(tail)))
}

func TestNoSecretLeavesAFunctionWhateverItsUpstreamDoes(t *testing.T) {
	if len(functions) == 0 {
		tool.Missing(t, "no function is built in: run go generate ./local")
	}
	blocks, err := stack.Read("..", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range blocks {
		build, ok := functions[f.Name]
		if !ok {
			continue
		}
		for _, way := range failing {
			t.Run(f.Name+"/"+way.name, func(t *testing.T) {
				if way.name == "hang" && testing.Short() {
					t.Skip("takes 20 s")
				}
				t.Parallel()
				leak(t, f, build, way.name)
			})
		}
	}
}

func leak(t *testing.T, f stack.Function, build host.Builder, mode string) {
	x := &observer{t: t, mode: mode, release: make(chan struct{})}
	file := filepath.Join(t.TempDir(), "hearth.db")
	st, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	elsewhere := x.listen(func(_ http.ResponseWriter, r *http.Request) { x.note(&x.sentElsewhere, dump(r)) })
	slack := x.listen(x.slack)
	upstream := "http://127.0.0.1:1"
	if mode != "dead" {
		upstream = x.listen(x.upstream(elsewhere))
	}
	env, values := x.env(f, upstream, slack, st)
	h, err := build(env)
	if err != nil {
		t.Fatal(err)
	}
	answer := runNow(t, h)
	close(x.release)

	rows := tables(t, file)
	x.mu.Lock()
	defer x.mu.Unlock()
	for name, value := range values {
		if name == "slack-webhooks" || name == "alert-webhook" {
			value = plant(name)
		}
		for where, text := range map[string]string{
			"the log": x.logs.String(), "the answer": answer, "Slack or another host": x.sentElsewhere.String(), "the database": rows,
		} {
			if found := leaked(text, value); found != "" {
				t.Errorf("%s has the secret %s: …%s…", where, name, found)
			}
		}
	}
	x.positive(f, answer)
}

// positive checks that a leak was possible: the upstream received a key, the run failed,
// and a message was sent to Slack.
func (x *observer) positive(f stack.Function, answer string) {
	if host.SampleFolders("..", []stack.Function{f})[f.Name] == nil {
		return // no source: it has no upstream
	}
	var a source.Answer
	if _, body, _ := strings.Cut(answer, "\n"); json.Unmarshal([]byte(body), &a) != nil || a.Status != "failed" && a.Status != "partial" {
		x.t.Errorf("answer = %s, want a failure", answer)
	}
	if x.sentElsewhere.Len() == 0 {
		x.t.Error("no message about the failure was sent to Slack")
	}
	keyed := slices.ContainsFunc(f.Secrets, func(s string) bool {
		return s != "database-url" && s != "influx-token" && !strings.HasPrefix(s, "slack-") && s != "ntfy-token" && s != "alert-webhook" && strings.Contains(x.sentUpstream, plant(s)[:20])
	})
	if needs := strings.Contains(strings.Join(f.Secrets, " "), "-key") || strings.Contains(strings.Join(f.Secrets, " "), f.Name+"-token"); needs && !keyed && x.mode != "dead" {
		x.t.Errorf("no key reached the upstream, so none could leak: %.500s", x.sentUpstream)
	}
}

func runNow(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Topic", "cron-function")
	res, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %v\n%s", res.StatusCode, res.Header, b)
}

func TestTracesFindASecretInEveryForm(t *testing.T) {
	v := plant("openweather-key")
	for _, text := range []string{
		v, url.QueryEscape(v), url.PathEscape(v), fmt.Sprintf("%q", v), v[:25],
		base64.StdEncoding.EncodeToString([]byte(v)), base64.StdEncoding.EncodeToString([]byte("user:" + v)),
		base64.StdEncoding.EncodeToString([]byte("u:" + v)), base64.RawURLEncoding.EncodeToString([]byte("me:" + v)),
	} {
		if !slices.ContainsFunc(traces(v), func(trace string) bool { return strings.Contains(text, trace) }) {
			t.Errorf("%q is not found by %q", text, traces(v))
		}
	}
	for _, trace := range traces(v) {
		if len(trace) < 16 {
			t.Errorf("%q is too short to mean anything", trace)
		}
	}
}
