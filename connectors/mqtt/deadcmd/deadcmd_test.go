package deadcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/secret"
)

// connector answers with these letters to who has the token, and notes what it was
// asked.
func connector(t *testing.T, letters ...deadletter.Letter) (to Connector, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.String())
		switch {
		case r.Header.Get("Authorization") != "Bearer the-token":
			w.WriteHeader(401)
		case r.Method == http.MethodPost:
			w.Write([]byte(`{"replayed":1}`))
		default:
			json.NewEncoder(w).Encode(letters)
		}
	}))
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "connector-token"), []byte("the-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Connector{Address: strings.TrimPrefix(srv.URL, "http://"), Token: secret.NewFolder(dir).Get("connector-token")}, asked
}

// run runs the program mqtt, which has no other commands here.
func run(to Connector, args ...string) (code int, out, errs string) {
	root := &cobra.Command{Use: "mqtt"}
	root.AddCommand(New("mqtt", func(_ *cobra.Command, do func(Connector) error) error { return do(to) }))
	var o, e bytes.Buffer
	code = command.Run(context.Background(), command.Program(root), append([]string{"dead"}, args...), &o, &e)
	return code, o.String(), e.String()
}

func TestWhatOthersSentCannotSteerTheTerminal(t *testing.T) {
	letter := deadletter.Letter{ID: "1-2", Function: "sensors", Topic: "a/\x1b[2Jb", Reason: "no\nmapping\x07", First: time.Unix(0, 0), Last: time.Unix(0, 0), Count: 1, Payload: []byte("\x1b]0;x\x07{}")}
	to, _ := connector(t, letter)
	_, list, _ := run(to, "list")
	var shown bytes.Buffer
	if err := showOne(&shown, letter, true); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{list, shown.String()} {
		if strings.ContainsAny(out, "\x1b\x07") || !strings.Contains(out, "1-2") {
			t.Errorf("%q", out)
		}
	}
	if _, out, _ := run(to, "show", "1-2"); !strings.Contains(out, string(letter.Payload)) {
		t.Errorf("to a file: %q, want the exact bytes", out)
	}
}

func TestACutLetterSaysSo(t *testing.T) {
	to, _ := connector(t, deadletter.Letter{ID: "1", Function: "connector", Topic: "camera", Size: 9 << 20, Cut: true, Payload: []byte("jpeg")})
	if code, out, errs := run(to, "show", "1"); code != 0 || !strings.Contains(out, "the first 4 of 9437184 bytes") {
		t.Errorf("%d %s %s", code, out, errs)
	}
}

func TestAScriptReadsJSON(t *testing.T) {
	letter := deadletter.Letter{ID: "1", Function: "sensors", Topic: "a<b", Payload: []byte{0, 1, 255}}
	full, _ := connector(t, letter)
	none, _ := connector(t)
	for _, c := range []struct {
		to   Connector
		args []string
		want int
	}{{full, []string{"list", "--json"}, 1}, {full, []string{"show", "1", "--json"}, 1}, {none, []string{"list", "--json"}, 0}} {
		_, out, errs := run(c.to, c.args...)
		var got []deadletter.Letter
		if err := json.Unmarshal([]byte(out), &got); err != nil || got == nil || len(got) != c.want || c.want == 1 && !bytes.Equal(got[0].Payload, letter.Payload) {
			t.Errorf("%q: %v\n%s%s", c.args, err, out, errs)
		}
	}
}

func TestFlagsPickDeadLetters(t *testing.T) {
	for want, args := range map[string][]string{
		"GET /dead?": {"list"},
		"GET /dead?function=sensors&topic=tele%2F%23": {"list", "--function", "sensors", "--topic=tele/#"},
		"POST /dead/replay?":                          {"replay"},
		"POST /dead/replay?cause=a+b&id=1":            {"replay", "-cause", "a b", "-id=1"}, // one dash, as docs/mqtt.md had it
		"POST /dead/drop?reason=-all":                 {"drop", "--reason=-all"},
		"POST /dead/drop?all=true":                    {"drop", "-all"},
	} {
		to, asked := connector(t)
		if code, _, errs := run(to, args...); code != command.Done || len(*asked) != 1 || (*asked)[0] != want {
			t.Errorf("%q: %d, asked %q, want %q: %s", args, code, *asked, want, errs)
		}
	}
}

func TestAMistakeAsksNothingAndSaysWhatToDo(t *testing.T) {
	to, asked := connector(t)
	for want, args := range map[string][]string{
		"list, show, replay, drop":          nil,
		`did you mean "list"?`:              {"lst"},
		"show needs ID, as in: mqtt dead":   {"show"},
		"replay takes no arguments":         {"replay", "x"},
		"did you mean --function?":          {"list", "--fuction", "x"},
		"Pick some by a flag, or add --all": {"drop"},
	} {
		if code, _, errs := run(to, args...); code != command.Misuse || !strings.Contains(errs, want) || !strings.Contains(errs, "see: mqtt help dead") {
			t.Errorf("%q: %d %s, want %s", args, code, errs, want)
		}
	}
	if len(*asked) > 0 {
		t.Errorf("it asked %q", *asked)
	}
}

func TestAConnectorThatIsAwayOrRefusesIsAFailure(t *testing.T) {
	to, _ := connector(t)
	stranger, away := to, to
	stranger.Token = secret.NewFolder(t.TempDir()).Get("connector-token")
	away.Address = "127.0.0.1:1"
	for want, to := range map[string]Connector{"answered 401": stranger, "is it running?": away} {
		if code, out, errs := run(to, "list"); code != command.Failed || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%d %s %s, want %s", code, out, errs, want)
		}
	}
}
