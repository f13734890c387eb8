// Package certificate is for servers whose certificates are signed by an authority of one's
// own: it reads the authority's certificate, and says why a server's cannot be verified.
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Authorities returns a pool with the certificates in pem, an authority's. The error names
// from, where pem is from.
func Authorities(from string, pem []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s contains no certificate in PEM", from)
	}
	return pool, nil
}

// Server is a server, to explain an error of a connection to it.
type Server struct {
	Host      string // as in its address, with the port
	Address   string // the setting with the address
	Authority string // the setting with the authority's certificate
	Own       bool   // the setting Authority is set; else the system's authorities are used
}

// Explain returns why the server's certificate cannot be verified, and what to do. It is ""
// if err is about something else.
func (s Server) Explain(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		if s.Own {
			return fmt.Sprintf("the certificate of %s is not signed by an authority in %s: set it to the certificate of the authority that has signed the server's", s.Host, s.Authority)
		}
		return fmt.Sprintf("the certificate of %s is signed by an authority that is not known here: set %s to the authority's certificate", s.Host, s.Authority)
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return s.invalid(e)
	}
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("the certificate of %s is not for %s: use a name in %s that is in the certificate (%s), or make a certificate for this one", s.Host, e.Host, s.Address, namesOf(e.Certificate))
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Sprintf("the certificate of %s cannot be verified: %.200s", s.Host, e.Err)
	}
	return ""
}

func (s Server) invalid(e x509.CertificateInvalidError) string {
	switch {
	case e.Reason != x509.Expired || e.Cert == nil:
		return fmt.Sprintf("the certificate of %s is invalid: %.200s", s.Host, e)
	case time.Now().Before(e.Cert.NotBefore): // clock: certificates are verified by the real one
		return fmt.Sprintf("the certificate of %s is valid only from %s: check this machine's clock", s.Host, e.Cert.NotBefore.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("the certificate of %s expired at %s: renew it, and check this machine's clock", s.Host, e.Cert.NotAfter.UTC().Format(time.RFC3339))
}

// namesOf are the names and addresses for which a certificate is.
func namesOf(c *x509.Certificate) string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "it has none"
	}
	return fmt.Sprintf("%.200s", strings.Join(names, ", "))
}
