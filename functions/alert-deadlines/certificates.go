package function

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/deadline"
	"github.com/hearth-home/hearth/shared/rules"
)

const (
	checkEvery = 6 * time.Hour    // how often a certificate is read
	retryEvery = time.Hour        // how often a server that did not answer is asked again
	checkTime  = 10 * time.Second // for all certificates of a tick
	dialTime   = 5 * time.Second  // for one
	mostDials  = 16               // at the same time
)

// certificates reads the certificates of the servers that hearth.yml lists, each every six
// hours, and judges when they end. A server that does not answer changes no alert but makes
// its data unknown.
func (t *tick) certificates(ctx context.Context) error {
	watched, specs := map[string]bool{}, map[string]alert.Spec{}
	for _, server := range t.file.Certificates {
		if spec, on := t.rules.Spec(rules.Certificate, server, ""); on {
			watched[rules.Certificate+"/"+server], specs[server] = true, spec
		}
	}
	if err := t.unwatch(ctx, rules.Certificate, watched, "The server is no longer in hearth.yml, or the rule is switched off for it."); err != nil {
		return err
	}
	found, failed := t.check(ctx, t.dueServers(specs), specs)
	return errors.Join(t.move(ctx, found), failed)
}

// dueServers returns those of the servers whose certificates have to be read now.
func (t *tick) dueServers(servers map[string]alert.Spec) (due []string) {
	t.memory.Lock()
	defer t.memory.Unlock()
	for server := range servers {
		c, every := t.memory.checked[server], checkEvery
		if c.failed {
			every = retryEvery
		}
		if age := t.now.Sub(c.at); age >= every || age < 0 {
			due = append(due, server)
		}
	}
	return due
}

// check reads certificates at the same time, and judges them. The error names the servers
// that did not answer.
func (t *tick) check(ctx context.Context, servers []string, specs map[string]alert.Spec) (found []alert.Observation, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, mostDials)
	for _, server := range servers {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break // those that are left are still due at the next tick
		}
		all.Go(func() {
			c, failed := readCertificate(ctx, server)
			mu.Lock()
			defer mu.Unlock()
			spec := specs[server]
			o := alert.Observation{Key: rules.Certificate + "/" + server, Spec: spec, Subject: alert.Subject{Name: server}, Verdict: alert.NoData, At: t.now}
			if failed == nil {
				o = certificateOf(server, c.NotBefore, c.NotAfter).Observe(spec, t.house, t.now)
			} else {
				err = errors.Join(err, failed)
			}
			found = append(found, o)
			t.remember(server, c)
			<-slots
		})
	}
	all.Wait()
	return found, err
}

func certificateOf(server string, begin, end time.Time) deadline.Ending {
	return deadline.Ending{Name: server, What: "The certificate of " + server, Begin: begin, End: end}
}

// remember notes that a server was asked; nil is no answer.
func (t *tick) remember(server string, c *x509.Certificate) {
	t.memory.Lock()
	defer t.memory.Unlock()
	now := checked{at: t.now, end: t.memory.checked[server].end, failed: c == nil}
	if c != nil {
		now.end = c.NotAfter
	}
	t.memory.checked[server] = now
}

// readCertificate returns the certificate of a server, host or host:port. It is not
// verified, since only its dates count: so certificates that one has signed oneself and old
// versions of TLS are accepted. The handshake may fail after it, where the server wants a
// certificate of ours.
func readCertificate(ctx context.Context, server string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = strings.Trim(server, "[]"), "443"
	}
	var leaf *x509.Certificate
	c := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) (err error) {
		if len(raw) > 0 {
			leaf, err = x509.ParseCertificate(raw[0])
		}
		return err
	}}
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		c.CipherSuites = append(c.CipherSuites, suite.ID)
	}
	if _, err := netip.ParseAddr(host); err != nil {
		c.ServerName = host // SNI is for names only
	}
	conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err == nil {
		conn.Close()
	}
	if leaf == nil {
		return nil, fmt.Errorf("%s: %w", server, err)
	}
	return leaf, nil
}
