package mqttclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/proxy"
)

const (
	askTime = 2 * time.Second // for one question
	http1   = "HTTP/"         // how an answer by HTTP/1 begins
)

// refine returns p, or what p is more exactly: a server that does not answer a CONNECT, or
// closes the connection after it, may be a web server or speak TLS only.
func (a Access) refine(p Problem) Problem {
	if p.Kind != NoAnswer && p.Kind != Closed {
		return p
	}
	d := a.describer(nil)
	if p.Kind == Closed && d.secure() {
		if err := a.alertOf(d.u); (&describer{err: err}).alert() != "" {
			return a.explain(err)
		}
	}
	plain := slices.Contains(plainSchemes, d.u.Scheme)
	switch {
	case plain && speaksTLS(d.u):
		return Problem{TLSNeeded, d.tlsNeeded()}
	case (plain || slices.Contains(tlsSchemes, d.u.Scheme)) && speaksHTTP(d.u, !plain):
		return Problem{NotMQTT, d.webServer()}
	}
	return p
}

// alertOf makes a TLS handshake, sends nothing more, and returns the error of the answer.
// With TLS 1.3 a broker refuses a client's certificate after the handshake, and a client
// that writes meanwhile may get another error than the broker's alert.
func (a Access) alertOf(u *url.URL) error {
	t, err := a.tls()
	if err != nil {
		return err
	}
	t.ServerName = u.Hostname()
	c, err := ask(u)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = tls.Client(c, t).Read(make([]byte, 1))
	return err
}

// ask opens a connection for one question.
func ask(u *url.URL) (net.Conn, error) {
	c, err := proxy.FromEnvironmentUsing(&net.Dialer{Timeout: askTime}).Dial("tcp", u.Host)
	if err == nil {
		err = c.SetDeadline(time.Now().Add(askTime))
	}
	return c, err
}

// shake makes a TLS handshake without a check of the certificate: nothing but the question
// is sent.
func shake(c net.Conn, u *url.URL) (net.Conn, error) {
	secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true, ServerName: u.Hostname()})
	return secure, secure.HandshakeContext(context.Background())
}

func speaksTLS(u *url.URL) bool {
	c, err := ask(u)
	if err != nil {
		return false
	}
	defer c.Close()
	_, err = shake(c, u)
	return err == nil || (&describer{err: err}).alert() != ""
}

func speaksHTTP(u *url.URL, secure bool) bool {
	c, err := ask(u)
	if err != nil {
		return false
	}
	defer c.Close()
	if secure {
		if c, err = shake(c, u); err != nil {
			return false
		}
	}
	first := make([]byte, len(http1))
	_, wrote := fmt.Fprintf(c, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", u.Host)
	_, read := io.ReadFull(c, first)
	return errors.Join(wrote, read) == nil && string(first) == http1
}
