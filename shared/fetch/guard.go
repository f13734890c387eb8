package fetch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// guard sends requests. A redirect to another host is not followed into the home's own
// networks: an upstream must not choose what is asked there. The addresses that the owner
// configured may be in them.
//
// What is checked is the address that is dialled, so it does not matter how a host is
// written, or that its name resolves to another address than before.
type guard struct {
	direct http.RoundTripper
	public http.RoundTripper // dials public addresses only; with connections of its own
}

func newGuard() *guard {
	direct := http.DefaultTransport.(*http.Transport).Clone()
	public := direct.Clone()
	public.Proxy = nil
	public.DialContext = (&net.Dialer{Timeout: tryTimeout, KeepAlive: 30 * time.Second, Control: onlyPublic}).DialContext
	return &guard{direct: direct, public: public}
}

// origin is where the first request of a chain of redirects was sent.
type origin struct {
	private atomic.Bool
	chosen  bool // by an upstream, not by the owner
}

type originKey struct{}

// RoundTrip sends a request. A redirect stays at the configured host if it has the same
// host name and the first request went to a private address: the owner meant that machine.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	first := req
	for first.Response != nil { // the redirect that caused it
		first = first.Response.Request
	}
	from, _ := req.Context().Value(originKey{}).(*origin)
	switch {
	case first == req && from != nil && !from.chosen:
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { from.private.Store(!isPublic(c.Conn.RemoteAddr())) }}
		return g.direct.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	case from != nil && from.private.Load() && strings.EqualFold(first.URL.Hostname(), req.URL.Hostname()):
		return g.direct.RoundTrip(req)
	}
	if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil {
		if err := lookUp(req.Context(), req.URL.Hostname()); err != nil {
			return nil, err
		}
		return g.direct.RoundTrip(req)
	}
	return g.public.RoundTrip(req)
}

// lookUp returns an error if a host has an address that is not public. It is for requests
// that a proxy sends, which looks up the host itself. A name that only the proxy knows is no
// error.
func lookUp(ctx context.Context, host string) error {
	as, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, a := range as {
		if !publicIP(a) {
			return privateError{a.String()}
		}
	}
	return nil
}

// withOrigin returns a context for one chain of redirects. chosen says that an upstream chose
// its first address.
func withOrigin(ctx context.Context, chosen bool) context.Context {
	return context.WithValue(ctx, originKey{}, &origin{chosen: chosen})
}

// privateError is a redirect that is not followed.
type privateError struct{ address string }

func (e privateError) Error() string {
	return fmt.Sprintf("it leads to %s, which is not a public address: neither a redirect nor a link is followed into a private network", e.address)
}

// onlyPublic is a net.Dialer's Control, which is called with the address that is dialled.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !publicIP(a.Addr()) {
		return privateError{address}
	}
	return nil
}

func isPublic(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && publicIP(tcp.AddrPort().Addr())
}

// reserved are the ranges that are not public and that netip does not name
// (https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-special-registry).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT, and Tailscale
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"), // with an IPv4 address
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), // Teredo and others
	netip.MustParsePrefix("fec0::/10"),
}

var (
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
	to6   = netip.MustParsePrefix("2002::/16")
)

// publicIP reports whether an address is one of the public internet. An IPv6 address that
// stands for an IPv4 address is public if that is.
func publicIP(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return publicIP(netip.AddrFrom4([4]byte(b[12:])))
	case to6.Contains(a):
		return publicIP(netip.AddrFrom4([4]byte(b[2:6])))
	}
	for _, r := range reserved {
		if r.Contains(a) {
			return false
		}
	}
	return a.IsGlobalUnicast() && !a.IsPrivate()
}
