package deadcmd

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/shared/command"
	"github.com/hearth-home/hearth/shared/secret"
)

// transport replaces the default one until the test ends.
func transport(t *testing.T, with *http.Transport) {
	t.Helper()
	before := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = before })
	with.DisableKeepAlives = true
	http.DefaultTransport = with
}

// completeID presses the tab key for the id of a dead letter.
func completeID(t *testing.T, to Connector, at string) (code int) {
	t.Helper()
	root := &cobra.Command{Use: "mqtt"}
	root.AddCommand(New("mqtt", func(_ *cobra.Command, do func(Connector) error) error { return do(to) }, nil))
	return command.Run(t.Context(), command.Program(root), []string{"__complete", "dead", "--at", at, "show", ""}, io.Discard, io.Discard)
}

func TestAKeptTokenStaysOnThisMachine(t *testing.T) {
	to, asked := connector(t, deadletter.Letter{ID: "1"})
	transport(t, &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, to.Address) // every host is the connector's
	}})
	for _, at := range []string{"house.example", "http://192.0.2.1:8081", "http://localhost.house.example", "127.0.0.1.house.example:8081", "[::ffff:192.0.2.1]:8081"} {
		*asked, to.Kept = nil, true
		if code, _, errs := run(to, "list", "--at", at); code != command.Misuse || !strings.Contains(errs, "set CONNECTOR_TOKEN") || len(*asked) > 0 {
			t.Errorf("a kept token for %s: %d %s, asked %q", at, code, errs, *asked)
		}
		if code := completeID(t, to, at); code != command.Done || len(*asked) > 0 {
			t.Errorf("the tab key at %s: %d, asked %q", at, code, *asked)
		}
		to.Kept = false
		if code, _, errs := run(to, "list", "--at", at); code != command.Done || len(*asked) != 1 {
			t.Errorf("the user's token for %s: %d %s, asked %q", at, code, errs, *asked)
		}
		if code := completeID(t, to, at); code != command.Done || len(*asked) != 2 {
			t.Errorf("the tab key at %s with the user's token: %d, asked %q", at, code, *asked)
		}
	}
}

func TestAKeptTokenIsSentToALoopbackAddress(t *testing.T) {
	to, asked := connector(t, deadletter.Letter{ID: "1"})
	to.Kept = true
	_, port, _ := net.SplitHostPort(to.Address)
	for _, args := range [][]string{{"list"}, {"list", "--at", to.Address}, {"list", "--at", "localhost:" + port}, {"list", "--at", "http://[::ffff:127.0.0.1]:" + port}} {
		*asked = nil
		if code, _, errs := run(to, args...); code != command.Done || len(*asked) != 1 {
			t.Errorf("%q: %d %s, asked %q", args, code, errs, *asked)
		}
	}
	to.url = "http://192.0.2.1:" + port // as if localhost were there
	if _, err := to.ask(t.Context(), http.MethodGet, "/dead"); err == nil || !strings.Contains(err.Error(), "set CONNECTOR_TOKEN") {
		t.Errorf("connected to another machine: %v", err)
	}
}

func TestAKeptTokenPassesNoProxy(t *testing.T) {
	to, asked := connector(t, deadletter.Letter{ID: "1"})
	proxied := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		proxied++
		io.WriteString(w, "[]")
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport(t, &http.Transport{Proxy: http.ProxyURL(at)})
	to.Kept = true
	if code, _, errs := run(to, "list"); code != command.Done || proxied > 0 || len(*asked) != 1 {
		t.Errorf("%d %s, %d calls passed the proxy", code, errs, proxied)
	}
}

// The port of the connector may be another program's by now.
func TestNoTokenFollowsARedirect(t *testing.T) {
	to, asked := connector(t, deadletter.Letter{ID: "1"})
	there := "http://" + to.Address
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, there+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	to.Address = strings.TrimPrefix(srv.URL, "http://")
	for _, to.Kept = range []bool{true, false} {
		for _, args := range [][]string{{"list"}, {"drop", "--all"}} {
			if code, out, errs := run(to, args...); code != command.Failed || out != "" || !strings.Contains(errs, "the connector answered 307") || len(*asked) > 0 {
				t.Errorf("kept %t, %q: %d %s%s, asked %q", to.Kept, args, code, out, errs, *asked)
			}
		}
	}
}

func TestAConnectorThatIsAwayOrRefusesIsAFailure(t *testing.T) {
	to, _ := connector(t)
	stranger, away := to, to
	stranger.Token = secret.NewFolder(t.TempDir()).Get("connector-token")
	away.Address = "127.0.0.1:1"
	if code, _, errs := run(stranger, "list", "--at", to.Address); code != command.Failed || !strings.Contains(errs, "answered 401") {
		t.Errorf("--at host:port: %d %s", code, errs)
	}
	for want, to := range map[string]Connector{"answered 401": stranger, "is it running?": away} {
		if code, out, errs := run(to, "list"); code != command.Failed || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%d %s %s, want %s", code, out, errs, want)
		}
	}
}
