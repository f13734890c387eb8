package mqttclient

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/authority"
	"github.com/hearth-home/hearth/shared/testserver/free"
)

// says answers each connection with an answer and closes it; without an answer it keeps
// the connection open.
func says(t *testing.T, answer []byte, open bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetReadDeadline(time.Now().Add(time.Minute))
				if len(answer) > 0 {
					c.Read(make([]byte, 1000))
					c.Write(answer)
				}
				if open {
					io.Copy(io.Discard, c) // until the client closes it
				}
			}()
		}
	}()
	return l.Addr().String()
}

// mosquitto returns a real broker's address.
func mosquitto(t *testing.T, lines ...string) string {
	t.Helper()
	return testserver.OwnMosquitto(t, 0, lines...).Addr
}

// failure connects once and returns the error.
func failure(t *testing.T, a Access) error {
	t.Helper()
	o, err := a.Options()
	if err != nil {
		t.Fatal(err)
	}
	c := mqtt.NewClient(o.SetConnectTimeout(2 * time.Second).SetAutoReconnect(false))
	defer c.Disconnect(0)
	token := c.Connect()
	if !token.WaitTimeout(30*time.Second) || token.Error() == nil {
		t.Fatalf("connected to %s", a.URL)
	}
	return token.Error()
}

// TestEachProblemHasItsOwnSentence: with real brokers and other servers. No sentence has
// the password.
func TestEachProblemHasItsOwnSentence(t *testing.T) {
	ca, stranger := authority.New(t, "home"), authority.New(t, "stranger")
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	secureWeb := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secureWeb.Close)
	webCA := filepath.Join(t.TempDir(), "web.pem")
	if err := os.WriteFile(webCA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secureWeb.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	clientCert, clientKey := stranger.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: "client"}})
	secured := func(change func(*x509.Certificate), lines ...string) Access {
		cert, key := ca.Server(t, change)
		return Access{URL: "ssl://" + mosquitto(t, append(lines, "certfile "+cert, "keyfile "+key)...), CAFile: ca.File}
	}
	days := func(from, to int) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().AddDate(0, 0, from), time.Now().AddDate(0, 0, to)
		}
	}
	for _, tc := range []struct {
		name   string
		access func() Access
		kind   Kind
		want   string
	}{
		{"no such name", func() Access { return Access{URL: "tcp://nowhere.invalid:1883"} }, NameUnknown, `"nowhere.invalid"`},
		{"nothing listens", func() Access { return Access{URL: free.Addr(t)} }, Refused, "nothing listens at 127.0.0.1:"},
		{"it hangs", func() Access { return Access{URL: says(t, nil, true)} }, NoAnswer, "does not answer as an MQTT broker"},
		{"it hangs in TLS", func() Access { return Access{URL: "ssl://" + says(t, nil, true)} }, NoAnswer, "does not answer as an MQTT broker"},
		{"it closes", func() Access { return Access{URL: says(t, nil, false)} }, Closed, "closes the connection without an answer"},
		{"a web server", func() Access { return Access{URL: web.Listener.Addr().String()} }, NotMQTT, "a web server answers at 127.0.0.1:"},
		{"a web server with TLS", func() Access { return Access{URL: "ssl://" + secureWeb.Listener.Addr().String(), CAFile: webCA} }, NotMQTT, "a web server answers at 127.0.0.1:"},
		{"a web server with TLS, plain", func() Access { return Access{URL: secureWeb.Listener.Addr().String()} }, TLSNeeded, "write ssl://127.0.0.1:"},
		{"a web server that refuses what is no HTTP", func() Access { return Access{URL: says(t, []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), false)} }, NotMQTT, "a web server answers at 127.0.0.1:"},
		{"a web server, by TLS", func() Access { return Access{URL: "ssl://" + web.Listener.Addr().String()} }, NoTLS, "speaks no TLS: write tcp://127.0.0.1:"},
		{"a web server, by WebSocket", func() Access { return Access{URL: "ws://" + web.Listener.Addr().String() + "/mqtt"} }, NotMQTT, "no MQTT over WebSocket there"},
		{"an SSH server", func() Access { return Access{URL: says(t, []byte("SSH-2.0-OpenSSH_9.6\r\n"), true)} }, NotMQTT, `"SSH-2.0-OpenSSH_9.6`},
		{"another packet of MQTT", func() Access { return Access{URL: says(t, []byte{0xd0, 0}, true)} }, NotMQTT, "is not MQTT"},
		{"version", func() Access { return Access{URL: says(t, []byte{0x20, 2, 0, 1}, true)} }, Protocol, "refuses MQTT 3.1.1"},
		{"id", func() Access {
			return Access{URL: says(t, []byte{0x20, 2, 0, 2}, true), ClientID: "me", IDAdvice: "set X"}
		}, ClientID, "client id me: set X"},
		{"unavailable", func() Access { return Access{URL: says(t, []byte{0x20, 2, 0, 3}, true)} }, Unavailable, "not available"},
		{"bad password", func() Access { return Access{URL: says(t, []byte{0x20, 2, 0, 4}, true), User: "me"} }, Login, `"me" or its password`},
		{"no user", func() Access {
			return Access{URL: mosquitto(t, "allow_anonymous false"), Password: secret.NewFolder(t.TempDir()).Get("mqtt-password")}
		}, Login, "requires a user and a password: set MQTT_USER and the secret mqtt-password"},
		{"wrong user", func() Access { return Access{URL: mosquitto(t, "allow_anonymous false"), User: "me"} }, Login, `the user "me" or its password`},
		{"an unknown authority", func() Access { a := secured(nil); a.CAFile = ""; return a }, Certificate, "set MQTT_CA_FILE to the authority's certificate"},
		{"another authority", func() Access { a := secured(nil); a.CAFile = stranger.File; return a }, Certificate, "not signed by an authority in MQTT_CA_FILE"},
		{"expired", func() Access { return secured(days(-9, -2)) }, Certificate, "expired at " + time.Now().AddDate(0, 0, -2).UTC().Format(time.DateOnly)},
		{"not yet valid", func() Access { return secured(days(2, 9)) }, Certificate, "this machine's clock"},
		{"another name", func() Access {
			return secured(func(c *x509.Certificate) { c.IPAddresses = nil })
		}, Certificate, "not for 127.0.0.1: use a name in MQTT_URL that is in the certificate (broker.home)"},
		{"no name", func() Access {
			return secured(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, nil })
		}, Certificate, "it has none"},
		{"TLS to a plain port", func() Access { return Access{URL: "ssl://" + mosquitto(t), CAFile: ca.File} }, NoTLS, "speaks no TLS: write tcp://127.0.0.1:"},
		{"plain to a TLS port", func() Access {
			a := secured(nil)
			return Access{URL: strings.TrimPrefix(a.URL, "ssl://")}
		}, TLSNeeded, "write ssl://127.0.0.1:"},
		{"no client certificate", func() Access { return secured(nil, "cafile "+ca.File, "require_certificate true") }, ClientCert, "set MQTT_CERT_FILE and MQTT_KEY_FILE"},
		{"no client certificate, TLS 1.2", func() Access {
			return secured(nil, "cafile "+ca.File, "require_certificate true", "tls_version tlsv1.2")
		}, ClientCert, "set MQTT_CERT_FILE and MQTT_KEY_FILE"},
		{"a stranger's client certificate", func() Access {
			a := secured(nil, "cafile "+ca.File, "require_certificate true")
			a.CertFile, a.KeyFile = clientCert, clientKey
			return a
		}, ClientCert, "refuses the client certificate in MQTT_CERT_FILE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := tc.access()
			if a.ClientID == "" {
				a.ClientID = "test"
			}
			if a.Password == (secret.String{}) {
				a.Password = secret.InMemory(map[string]string{"mqtt-password": "hunter2"}, nil).Get("mqtt-password")
			}
			err := failure(t, a)
			if p := a.Explain(err); p.Kind != tc.kind || !strings.Contains(p.Text, tc.want) || strings.Contains(p.Text, "hunter2") {
				t.Errorf("%q: %s, want %q: …%s…\nfrom %v", p.Kind, p.Text, tc.kind, tc.want, err)
			}
		})
	}
}

// Errors that a test cannot cause everywhere.
func TestAnAddressWithoutANetworkIsNamed(t *testing.T) {
	dial := func(err error) error {
		return fmt.Errorf("network Error : %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	for _, tc := range []struct {
		err  error
		kind Kind
	}{
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), NoRoute},
		{dial(os.NewSyscallError("connect", syscall.ENETUNREACH)), NoRoute},
		{dial(os.ErrDeadlineExceeded), NoAnswer},
		{dial(os.NewSyscallError("connect", syscall.ETIMEDOUT)), NoAnswer},
		{dial(&net.DNSError{Err: "server misbehaving", Name: "broker.home", IsTemporary: true}), NameUnknown},
		{dial(os.NewSyscallError("connect", syscall.EACCES)), Other},
		{errors.New("what"), Other},
		{context.DeadlineExceeded, NoAnswer},
	} {
		if p := (Access{URL: "tcp://broker.home:1883"}).Explain(tc.err); p.Kind != tc.kind || !strings.Contains(p.Text, "broker.home") {
			t.Errorf("%v: %q %s, want %q", tc.err, p.Kind, p.Text, tc.kind)
		}
	}
}

// TestEachProblemIsLoggedOnce: the first failure, each other reason, and that all is right
// again; not each attempt, and not a reason that comes and goes.
func TestEachProblemIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	r := NewReporter(Access{URL: "tcp://broker.home:1883", ClientID: "me", IDAdvice: "choose another"}, slog.New(slog.NewTextHandler(&log, nil)))
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	noRoute := &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}
	says := func(want ...string) {
		t.Helper()
		lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
		if log.Len() == 0 {
			lines = nil
		}
		log.Reset()
		if len(lines) != len(want) {
			t.Fatalf("logged %q, want %q", lines, want)
		}
		for i, w := range want {
			if !strings.Contains(lines[i], w) {
				t.Errorf("logged %s, want …%s…", lines[i], w)
			}
		}
	}
	for range 3 {
		r.Failed(refused)
	}
	says("nothing listens at broker.home:1883")
	for range 3 {
		r.Failed(noRoute)
		r.Failed(refused)
	}
	says("no network leads to broker.home:1883")
	if p := r.Problem(); p.Kind != Refused {
		t.Errorf("the problem is %+v, want the last one", p)
	}
	r.Connected()
	says("connected to the broker again")
	if p := r.Problem(); p != (Problem{}) {
		t.Errorf("the problem is still %+v", p)
	}
	r.Refused([]string{"a/#"})
	r.Refused([]string{"a/#"})
	r.Refused([]string{"a/#", "b/#"})
	says("subscription to a/#: let clients without a user read", "subscription to b/#")
	if p := r.Problem(); p.Kind != Subscription || !strings.Contains(p.Text, "a/#, b/#") {
		t.Errorf("the problem is %+v, want the subscriptions", p)
	}
	r.Refused(nil)
	says("allows all subscriptions again")
	for range maxQuickLosses {
		r.Lost(io.EOF)
		r.Connected()
	}
	says("the broker closed it", "again", "the broker closed it", "again", "the same id me: choose another")
	r.Lost(io.EOF)
	r.Connected()
	says()
	if p := r.Problem(); p.Kind != ClientIDTaken {
		t.Errorf("the problem is %+v, want that of the id, until the connection lasts", p)
	}
}

// TestALossBeforeConnectedIsAQuickOne: the MQTT library calls both handlers in goroutines.
func TestALossBeforeConnectedIsAQuickOne(t *testing.T) {
	r := NewReporter(Access{URL: "tcp://broker.home:1883", ClientID: "me"}, slog.New(slog.DiscardHandler))
	r.Connected()
	for range maxQuickLosses {
		r.Lost(io.EOF)
	}
	if !r.TooManyQuickLosses() {
		t.Errorf("%d quick losses, want %d", r.QuickLosses(), maxQuickLosses)
	}
}
