package fetch

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

func TestOnlyAddressesOfTheInternetArePublic(t *testing.T) {
	for address, want := range map[string]bool{
		"93.184.216.34": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.1": true, "192.167.1.1": true, "223.255.255.254": true,
		"2606:4700:4700::1111": true, "2001:4860:4860::8888": true, "2a00:1450::1": true, "::ffff:1.1.1.1": true, "64:ff9b::101:101": true, "2002:101:101::1": true,
		"127.0.0.1": false, "127.255.255.255": false, "0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false, "192.0.0.8": false, "198.18.0.1": false, "224.0.0.1": false, "239.255.255.250": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:0.0.0.0": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12:3456::1": false,
		"fec0::1": false, "ff02::1": false, "64:ff9b::7f00:1": false, "64:ff9b::a00:1": false, "64:ff9b:1::1": false, "2002:7f00:1::1": false, "2002:c0a8:101::1": false, "2001::1": false, "100::1": false,
	} {
		if got := publicIP(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is public: %v, want %v", address, got, want)
		}
	}
}

// fromPublic makes the first requests of c to any host go to the server at, as if that had a
// public address.
func fromPublic(c *Client, at string) *Client {
	g := newGuard()
	direct := g.direct.(*http.Transport).Clone()
	direct.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, at)
		return publicConn{conn}, err
	}
	g.direct = direct
	c.http.Transport = g
	return c
}

type publicConn struct{ net.Conn }

func (publicConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(93, 184, 216, 34), Port: 80}
}

// TestNoRedirectLeadsIntoAPrivateNetwork: however the address is written.
func TestNoRedirectLeadsIntoAPrivateNetwork(t *testing.T) {
	private, asked := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("private")) })
	port := private.Port()
	for _, to := range []string{
		"http://127.0.0.1:" + port, "http://localhost:" + port, "http://127.1:" + port, "http://0.0.0.0:" + port, "http://0:" + port, "http://2130706433:" + port, "http://0x7f000001:" + port, "http://0177.0.0.1:" + port,
		"http://[::1]:" + port, "http://[::]:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://[::ffff:7f00:1]:" + port, "http://user:pass@127.0.0.1:" + port, "//127.0.0.1:" + port, "http://127.0.0.1.:" + port,
		"http://10.0.0.1:" + port, "http://192.168.1.1:" + port, "http://169.254.169.254/latest/meta-data", "http://100.64.0.1", "http://[fd00::1]", "http://[fe80::1]",
		"http://feeds.example:" + port, // the same host, whose name resolves to another address than before, or to none
		"file:///etc/passwd",
	} {
		first := httptest.NewServer(http.RedirectHandler(to, http.StatusFound))
		c := fromPublic(New(noon), first.Listener.Addr().String())
		u, _ := url.Parse("http://feeds.example/feed")
		a, err := c.Get(t.Context(), u, nil)
		if err == nil || asked.Load() > 0 {
			t.Errorf("%s: %v, %v, %d requests", to, a, err, asked.Swap(0))
		}
		first.Close()
	}
}

// TestARefusedRedirectIsSaidAndNotRetried: also if the same client has a connection to the
// private host, for a target that the owner configured.
func TestARefusedRedirectIsSaidAndNotRetried(t *testing.T) {
	private, asked := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("private")) })
	var redirects atomic.Int64
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		redirects.Add(1)
		http.Redirect(w, r, "http://"+private.Host+"/", http.StatusTemporaryRedirect)
	}))
	defer first.Close()
	c := New(noon)
	if a, err := c.Get(t.Context(), private, nil); err != nil || string(a.Body) != "private" {
		t.Fatalf("an address that the owner configured: %v", err)
	}
	u, _ := url.Parse("http://localhost:" + first.URL[strings.LastIndex(first.URL, ":")+1:] + "/?key=s3cr3t-key")
	_, err := c.Get(t.Context(), u, nil)
	if err == nil || !strings.Contains(err.Error(), "it leads to 127.0.0.1") || !strings.Contains(err.Error(), "not a public address") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("err = %v", err)
	}
	if asked.Load() != 1 || redirects.Load() != 1 {
		t.Errorf("%d requests to the private host and %d redirects, want 1 and 1", asked.Load(), redirects.Load())
	}
}

// TestTheOwnersHostMayRedirectWithinItself: to another path or port, with its key only to
// the same port.
func TestTheOwnersHostMayRedirectWithinItself(t *testing.T) {
	var keys []string
	other, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Authorization"))
		w.Write([]byte("other port"))
	})
	own, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Authorization"))
		if r.URL.Path == "/data" {
			http.Redirect(w, r, "/moved", http.StatusMovedPermanently)
			return
		}
		http.Redirect(w, r, "http://"+other.Host+"/", http.StatusMovedPermanently)
	})
	own.User = url.UserPassword("me", "word")
	a, err := New(noon).Get(t.Context(), own, nil)
	if err != nil || string(a.Body) != "other port" {
		t.Fatalf("%v, %v", a, err)
	}
	if len(keys) != 3 || keys[0] == "" || keys[1] != keys[0] || keys[2] != "" {
		t.Errorf("Authorization was %q", keys)
	}
}

// TestAnAddressThatAnUpstreamChoseIsPublic: also if the owner's own target has it, too.
func TestAnAddressThatAnUpstreamChoseIsPublic(t *testing.T) {
	private, asked := upstream(t, func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("private")) })
	run := New(noon).Memo()
	if _, err := run.Get(t.Context(), private, nil); err != nil {
		t.Fatal(err)
	}
	a, err := run.Chosen().Get(t.Context(), private, nil)
	if err == nil || !strings.Contains(err.Error(), "it leads to 127.0.0.1") || asked.Load() != 1 {
		t.Errorf("%v, %v, %d requests", a, err, asked.Load())
	}
}
