package gateway

import (
	"net"
	"net/http"
	"strings"
)

// Guard returns a handler that passes requests on to h unless they may come from a page of
// another web site in the user's browser, which can reach every port of this machine. It
// answers 403 to a request that the browser marks as another site's, and 421 to one that is
// for a host name other than localhost.
func Guard(h http.Handler) http.Handler {
	sites := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case sites.Check(r) != nil:
			http.Error(w, "a page of another site may not call functions", http.StatusForbidden)
		case !ours(r.Host):
			http.Error(w, "call this port by its address or as localhost", http.StatusMisdirectedRequest)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// ours reports whether a request's host is an IP address or localhost. Other names are
// refused: a web site could point its own name at this machine (DNS rebinding), and its
// script could then read the page.
func ours(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil
}
