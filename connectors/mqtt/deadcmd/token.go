package deadcmd

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"github.com/hearth-home/hearth/shared/command"
)

var errElsewhere = errors.New("the connector is on another machine: set CONNECTOR_TOKEN to its token; the one that this machine keeps is not sent there")

// mayAsk returns an error of usage if the connector's URL names no loopback address and the
// token must not leave this machine.
func (c Connector) mayAsk() error {
	u, err := url.Parse(c.url)
	if c.Kept && (err != nil || u.Hostname() != "localhost" && !loopback(u.Hostname())) {
		return command.Wrong(errElsewhere)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// client returns the client that sends the token. It follows no redirect, which would take
// the token elsewhere. With a kept token it uses no proxy, and it connects to loopback
// addresses only, whatever localhost is here.
func (c Connector) client() *http.Client {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if c.Kept {
		dialer := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
			if host, _, err := net.SplitHostPort(address); err != nil || !loopback(host) {
				return errElsewhere
			}
			return nil
		}}
		client.Transport = &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}
	}
	return client
}
