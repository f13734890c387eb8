package deadcmd

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/secret"
)

func TestWhatOthersSentCannotSteerTheTerminal(t *testing.T) {
	letter := deadletter.Letter{ID: "1-2", Function: "sensors", Topic: "a/\x1b[2Jb", Reason: "no\nmapping\x07", First: time.Unix(0, 0), Last: time.Unix(0, 0), Count: 1, Payload: []byte("\x1b]0;x\x07{}")}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token" {
			w.WriteHeader(401)
			return
		}
		json.NewEncoder(w).Encode([]deadletter.Letter{letter})
	}))
	defer srv.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "connector-token"), []byte("the-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(terminal bool, args ...string) string {
		var out bytes.Buffer
		c := Command{Program: "mqtt", Listen: strings.TrimPrefix(srv.URL, "http://"), Token: secret.NewFolder(dir).Get("connector-token"), Out: &out, Terminal: terminal}
		if err := c.Run(t.Context(), args); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, out := range []string{run(true, "list"), run(false, "list"), run(true, "show", "1-2")} {
		if strings.ContainsAny(out, "\x1b\x07") || !strings.Contains(out, "1-2") {
			t.Errorf("%q", out)
		}
	}
	if out := run(false, "show", "1-2"); !strings.Contains(out, string(letter.Payload)) {
		t.Errorf("to a file: %q, want the exact bytes", out)
	}
}

func TestACutLetterSaysSo(t *testing.T) {
	letter := deadletter.Letter{ID: "1", Function: "connector", Topic: "camera", Size: 9 << 20, Cut: true, Payload: []byte("jpeg")}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode([]deadletter.Letter{letter})
	}))
	defer srv.Close()
	var out bytes.Buffer
	if err := (Command{Listen: strings.TrimPrefix(srv.URL, "http://"), Out: &out}).Run(t.Context(), []string{"show", "1"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "the first 4 of 9437184 bytes") {
		t.Errorf("%s", &out)
	}
}

func TestAMistakeSaysHowToUseIt(t *testing.T) {
	for _, args := range [][]string{nil, {"lst"}, {"show"}, {"replay", "x"}, {"list", "-nonsense"}} {
		if err := (Command{Program: "mqtt"}).Run(t.Context(), args); err == nil || !strings.Contains(err.Error(), "use: mqtt dead list") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
