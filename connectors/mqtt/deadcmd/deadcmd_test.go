package deadcmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
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
		case r.URL.Path == "/dead/drop":
			fmt.Fprintf(w, `{"dropped":%d}`, min(2, len(letters)))
		case r.URL.Path == "/dead/replay" && r.URL.Query().Get("reason") == "cut":
			w.WriteHeader(409)
			w.Write([]byte(`{"cut":1,"error":"only the beginning is kept"}` + "\n"))
		case r.URL.Path == "/dead/replay" && r.URL.Query().Get("reason") == "again":
			w.Write([]byte(`{"replayed":5,"stored":1,"waiting":1,"refused":[{"function":"sensors","reason":"no mapping\u202e\nfor a","letters":2},{"function":"","reason":"other reasons","letters":1}]}`))
		case r.URL.Path == "/dead/replay":
			fmt.Fprintf(w, `{"replayed":%d,"on_the_way":2}`, min(1, len(letters)))
		case r.URL.Path == "/dead/nope":
			w.WriteHeader(404)
			w.Write([]byte(`{"error":"there is no such dead letter"}` + "\n"))
		case r.URL.Query().Get("topic") == "none":
			w.Write([]byte("[]"))
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
	root.AddCommand(New("mqtt", func(_ *cobra.Command, do func(Connector) error) error { return do(to) }, func() []string { return []string{"sensors", "zigbee"} }))
	var o, e bytes.Buffer
	code = command.Run(context.Background(), command.Program(root), append([]string{"dead"}, args...), &o, &e)
	return code, o.String(), e.String()
}

// Whoever publishes a message writes its topic and payload; whatever is at --at writes the
// rest.
func TestWhatOthersSentCannotControlTheTerminal(t *testing.T) {
	const evil = "\x1b[2J\u009b2J\u202e"
	letter := deadletter.Letter{ID: "1-2", Function: "f" + evil, Topic: "a/" + evil, Reason: "no\nmapping" + evil, First: time.Unix(0, 0), Last: time.Unix(0, 0), Count: 1, Payload: []byte(evil + "{\n\t\"a\": 1\r\n}")}
	other := letter
	other.ID, other.Function = evil+"id", evil+"\nmqtt: all is well"
	one, _ := connector(t, letter)
	both, _ := connector(t, letter, other)
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		json.NewEncoder(w).Encode(map[string]string{"error": evil + "\nmqtt: all is well"})
	}))
	defer refuses.Close()
	var shown, header bytes.Buffer
	if err := showTo(&shown, &header, other, true); err != nil {
		t.Fatal(err)
	}
	said := []string{header.String(), shown.String()}
	for _, c := range []struct {
		to   Connector
		args []string
	}{
		{both, []string{"list"}}, {both, []string{"list", "--json"}}, {both, []string{"show", "1-2"}},
		{both, []string{"show", "1-2", "--function", "sensors"}}, {both, []string{"list", "--function", "sensor"}}, {one, []string{"show", "1-2", "--json"}},
		{both, []string{"list", "--at", refuses.URL}}, {both, []string{"drop", "--all", "--at", refuses.URL, "--json"}},
	} {
		_, out, errs := run(c.to, c.args...)
		said = append(said, out+errs)
	}
	for i, text := range said {
		if strings.ContainsAny(text, "\x1b\u009b\u202e") || strings.Contains(text, "\nmqtt: all is well") || text == "" {
			t.Errorf("%d: %q", i, text)
		}
	}
	if want := "·[2J·2J·{\n\t\"a\": 1\n}\n"; shown.String() != want {
		t.Errorf("the payload is shown as %q, want %q", &shown, want)
	}
	root := &cobra.Command{Use: "mqtt"}
	root.AddCommand(New("mqtt", func(_ *cobra.Command, do func(Connector) error) error { return do(both) }, nil))
	var out bytes.Buffer
	command.Run(t.Context(), command.Program(root), []string{"__complete", "dead", "show", ""}, &out, io.Discard)
	if want := "1-2\tf·[2J·2J· a/·[2J·2J·\n:4\n"; out.String() != want {
		t.Errorf("completed %q, want %q", &out, want)
	}
}

func TestAFileReceivesTheExactBytes(t *testing.T) {
	letter := deadletter.Letter{ID: "1", Function: "sensors", Topic: "a", Reason: "no mapping", Count: 1, Size: 4, Payload: []byte("\x00\xff\n{")}
	to, _ := connector(t, letter)
	code, out, errs := run(to, "show", "1")
	if code != 0 || out != string(letter.Payload) || !strings.Contains(errs, "1 for sensors on a, 4 bytes, rejected once, 0001-01-01") || !strings.Contains(errs, "no mapping") {
		t.Errorf("%d %q %q", code, out, errs)
	}
}

func TestSeveralFunctionsMayHaveRejectedAMessage(t *testing.T) {
	to, _ := connector(t, deadletter.Letter{ID: "1", Function: "sensors", Payload: []byte("s")}, deadletter.Letter{ID: "1", Function: "zigbee", Payload: []byte("z")})
	if code, out, errs := run(to, "show", "1"); code != command.Misuse || out != "" || !strings.Contains(errs, "add --function with one of sensors, zigbee") {
		t.Errorf("%d %q %q", code, out, errs)
	}
	if code, out, errs := run(to, "show", "1", "--function", "zigbee"); code != command.Done || out != "z" {
		t.Errorf("%d %q %q", code, out, errs)
	}
}

func TestACutLetterSaysSo(t *testing.T) {
	to, _ := connector(t, deadletter.Letter{ID: "1", Function: "connector", Topic: "camera", Size: 9 << 20, Cut: true, Payload: []byte("jpeg")})
	if code, out, errs := run(to, "show", "1"); code != 0 || out != "jpeg" || !strings.Contains(errs, "the first 4 of 9437184 bytes") {
		t.Errorf("%d %s %s", code, out, errs)
	}
}

func TestAScriptReadsJSON(t *testing.T) {
	letter := deadletter.Letter{ID: "1", Function: "sensors", Topic: "a<b", Payload: []byte{0, 1, 255}}
	full, _ := connector(t, letter)
	none, _ := connector(t)
	for _, c := range []struct {
		to   Connector
		want int
	}{{full, 1}, {none, 0}} {
		_, out, errs := run(c.to, "list", "--json")
		var got []deadletter.Letter
		if err := json.Unmarshal([]byte(out), &got); err != nil || got == nil || len(got) != c.want || c.want == 1 && !bytes.Equal(got[0].Payload, letter.Payload) {
			t.Errorf("%v\n%s%s", err, out, errs)
		}
	}
	var got deadletter.Letter
	if _, out, errs := run(full, "show", "1", "--json"); json.Unmarshal([]byte(out), &got) != nil || !bytes.Equal(got.Payload, letter.Payload) {
		t.Errorf("%s%s", out, errs)
	}
	for want, args := range map[string][]string{
		"{\n  \"dropped\": 1\n}\n":                        {"drop", "--all", "--json"},
		"{\n  \"on_the_way\": 2,\n  \"replayed\": 1\n}\n": {"replay", "--all", "--json"},
	} {
		if code, out, errs := run(full, args...); code != command.Done || out != want {
			t.Errorf("%q: %d %s%s", args, code, out, errs)
		}
	}
	if code, out, errs := run(full, "replay", "--reason", "cut", "--json"); code != command.Failed || !strings.Contains(out, `"cut": 1`) || errs != "mqtt: the connector answered 409: only the beginning is kept\n" {
		t.Errorf("%d %s%s", code, out, errs)
	}
}

func TestWhatWasDoneIsASentence(t *testing.T) {
	letter := deadletter.Letter{ID: "1", Function: "sensors", Topic: "a"}
	full, _ := connector(t, letter, letter, letter)
	one, _ := connector(t, letter)
	none, _ := connector(t)
	for _, c := range []struct {
		to   Connector
		want string
		args []string
	}{
		{full, "dropped 2 dead letters", []string{"drop", "--function", "sensors"}},
		{one, "dropped 1 dead letter", []string{"drop", "--all"}},
		{full, "replayed 1 dead letter; on the way from an earlier replay: 2", []string{"replay", "--id", "1"}},
		{full, "replayed 5 dead letters; stored: 1; rejected again: 3; not answered yet: 1\nrejected again (2): sensors: no mapping· for a\nrejected again (1): other reasons", []string{"replay", "--reason", "again"}},
		{none, "there are no dead letters", []string{"drop", "--all"}},
		{none, "there are no dead letters", []string{"list"}},
		{full, "no dead letter matches (3 in all)", []string{"list", "--topic", "none"}},
	} {
		if code, out, errs := run(c.to, c.args...); code != command.Done || out != c.want+"\n" {
			t.Errorf("%q: %d %q %s, want %q", c.args, code, out, errs, c.want)
		}
	}
	if code, out, errs := run(full, "show", "nope"); code != command.Failed || out != "" || errs != "mqtt: there is no dead letter \"nope\"\n" {
		t.Errorf("%d %q %q", code, out, errs)
	}
}

// A function that was removed may still have dead letters.
func TestAFunctionIsOneOfTheStackOrHasDeadLetters(t *testing.T) {
	to, _ := connector(t, deadletter.Letter{ID: "1", Function: "removed", Topic: "a"})
	if code, out, errs := run(to, "drop", "--function", "removed"); code != command.Done {
		t.Errorf("%d %s%s", code, out, errs)
	}
	if code, out, errs := run(to, "drop", "--function", "zigbe"); code != command.Misuse || out != "" || !strings.Contains(errs, `unknown function "zigbe": did you mean "zigbee"?`) {
		t.Errorf("%d %s%s", code, out, errs)
	}
}

func TestIDsAndFunctionsAreCompleted(t *testing.T) {
	to, _ := connector(t, deadletter.Letter{ID: "dn5tewz6dyug", Function: "sensors", Topic: "a"})
	for want, args := range map[string][]string{
		"dn5tewz6dyug\tsensors a\n:4\n":  {"show", ""},
		"dn5tewz6dyug\tsensors a\n:4\n ": {"drop", "--id", ""},
		"sensors\nzigbee\n:4\n":          {"list", "--function", ""},
		":4\n":                           {"list", "--topic", ""},
	} {
		root := &cobra.Command{Use: "mqtt"}
		root.AddCommand(New("mqtt", func(_ *cobra.Command, do func(Connector) error) error { return do(to) }, func() []string { return []string{"sensors", "zigbee"} }))
		var o, e bytes.Buffer
		if command.Run(t.Context(), command.Program(root), append([]string{"__complete", "dead"}, args...), &o, &e); o.String() != strings.TrimSuffix(want, " ") {
			t.Errorf("%q: %q %s", args, &o, &e)
		}
	}
}

// A connector may accept a call and never answer it.
func TestTheTabKeyDoesNotWaitForAConnector(t *testing.T) {
	asked := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		<-r.Context().Done()
	}))
	defer srv.Close()
	to, _ := connector(t)
	to.Address = strings.TrimPrefix(srv.URL, "http://")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // a call of dead list takes up to a minute
	defer cancel()
	root := &cobra.Command{Use: "mqtt"}
	root.AddCommand(New("mqtt", func(_ *cobra.Command, do func(Connector) error) error { return do(to) }, nil))
	var out, errs bytes.Buffer
	code := command.Run(ctx, command.Program(root), []string{"__complete", "dead", "show", ""}, &out, &errs)
	if code != command.Done || out.String() != ":4\n" || ctx.Err() != nil || len(asked) != 1 {
		t.Errorf("%d %q %s, asked %d times, %v", code, &out, &errs, len(asked), ctx.Err())
	}
}

func TestFlagsPickDeadLetters(t *testing.T) {
	for want, args := range map[string][]string{
		"GET /dead?": {"list"},
		"GET /dead?function=sensors&topic=tele%2F%23": {"list", "--function", "sensors", "--topic=tele/#"},
		"POST /dead/replay?all=true&wait=10s":         {"replay", "--all"},
		"POST /dead/replay?all=true":                  {"replay", "--all", "--wait=0s"},
		"POST /dead/replay?cause=a+b&id=1&wait=1s":    {"replay", "-cause", "a b", "-id=1", "-wait", "1s"}, // one dash, as docs/mqtt.md had it
		"POST /dead/drop?reason=-all":                 {"drop", "--reason", "-all"},
		"POST /dead/drop?all=true":                    {"drop", "-all"},
	} {
		to, asked := connector(t, deadletter.Letter{ID: "1"}, deadletter.Letter{ID: "2"})
		if code, _, errs := run(to, args...); code != command.Done || len(*asked) != 1 || (*asked)[0] != want {
			t.Errorf("%q: %d, asked %q, want %q: %s", args, code, *asked, want, errs)
		}
	}
}

func TestAMistakeAsksNothingAndSaysWhatToDo(t *testing.T) {
	to, asked := connector(t)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"list, show, replay, drop", nil},
		{`did you mean "list"?`, []string{"lst"}},
		{"show needs ID, as in: mqtt dead", []string{"show"}},
		{"replay takes no arguments", []string{"replay", "x"}},
		{"did you mean --function?", []string{"list", "--fuction", "x"}},
		{"Pick some by a flag, or add --all", []string{"drop"}},
		{"or add --all", []string{"replay"}},
		{"dead letters? Pick", []string{"drop", "--all=false"}},
		{"--function is empty", []string{"drop", "--function", ""}},
		{"--reason is empty", []string{"list", "--reason="}},
		{"--all is every dead letter", []string{"drop", "--all", "--function", "sensors"}},
		{"--all is every dead letter", []string{"replay", "--id", "1", "--all"}},
		{"did you mean --function?", []string{"drop", "--all", "--Function", "x"}},
		{"drop takes no arguments", []string{"drop", "--all", "sensors"}},
		{"give it once", []string{"drop", "--function", "sensors", "--function", "zigbee"}},
		{"give it once", []string{"replay", "--id=1", "--id=1"}},
		{"give it once", []string{"show", "1", "--function=sensors", "--function=sensors"}},
		{"# must be the last level", []string{"list", "--topic", "a/#/b"}},
		{"write host:port, or http://host:port", []string{"list", "--at", "ftp://me:s3cr3t@x"}},
		{"write host:port, or http://host:port", []string{"list", "--at", "a b"}},
		{"write host:port, or http://host:port", []string{"list", "--at", "http://me:s3cr3t@x:port"}},
		{"write host:port, or http://host:port", []string{"list", "--at", "x/#me:s3cr3t@x"}},
		{"must not contain user and password", []string{"list", "--at", "me:s3cr3t@127.0.0.1:1"}},
		{"--wait is 1m0s: write a time up to 30s", []string{"replay", "--all", "--wait", "1m"}},
		{"--wait is -1s: write a time up to 30s", []string{"replay", "--all", "--wait", "-1s"}},
		{"--wait is \"x\": write a time", []string{"replay", "--all", "--wait", "x"}},
		{"--at is empty", []string{"drop", "--all", "--at", ""}},
	} {
		if code, _, errs := run(to, c.args...); code != command.Misuse || !strings.Contains(errs, c.want) || !strings.Contains(errs, "see: mqtt help dead") || strings.Contains(errs, "s3cr3t") {
			t.Errorf("%q: %d %s, want %s", c.args, code, errs, c.want)
		}
	}
	if len(*asked) > 0 {
		t.Errorf("it asked %q", *asked)
	}
}
