package function

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/rules"
)

// server is a TLS server whose certificate a test changes.
type server struct {
	mu    sync.Mutex
	named *tls.Certificate // for clients that ask for localhost
	other *tls.Certificate
	asked int
}

func serveTLS(t *testing.T, named, other *tls.Certificate, auth tls.ClientAuthType) (s *server, port string) {
	t.Helper()
	s = &server{named: named, other: other}
	h := httptest.NewUnstartedServer(http.NotFoundHandler())
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12, ClientAuth: auth, GetCertificate: s.certificate}
	if other != nil {
		h.TLS.Certificates = []tls.Certificate{*other} // for clients that ask for no name
	}
	h.StartTLS()
	t.Cleanup(h.Close)
	_, port, _ = net.SplitHostPort(h.Listener.Addr().String())
	return s, port
}

func (s *server) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	c := s.other
	if hello.ServerName == "localhost" {
		c = s.named
	}
	if c == nil {
		return nil, errors.New("no certificate")
	}
	return c, nil
}

func (s *server) set(c *tls.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.named, s.other = c, c
}

// valid returns a certificate that one has signed oneself, for a year until end.
func valid(t *testing.T, end time.Time) *tls.Certificate { return validFor(t, 365, end) }

func validFor(t *testing.T, days int, end time.Time) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.AddDate(0, 0, -days), NotAfter: end, DNSNames: []string{"someone.else"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestACertificateIsToldAtEachStepUntilItIsRenewed(t *testing.T) {
	s, port := serveTLS(t, valid(t, morning.Add(20*24*time.Hour)), valid(t, morning.AddDate(1, 0, 0)), tls.NoClientCert)
	h := start(t, "certificates: localhost:"+port, nil)
	h.expect(0, "The certificate of localhost:"+port+" ends in 20 days")
	for range 11 {
		h.expect(30 * time.Minute)
	}
	if s.asked != 1 {
		t.Errorf("it was read %d times within six hours", s.asked)
	}
	h.expect(6*24*time.Hour, "ends in 14 days")
	h.expect(7*24*time.Hour, "ends in 7 days")
	h.expect(4*24*time.Hour, "ends in 3 days")
	h.expect(2*24*time.Hour, "ends tomorrow")
	s.set(valid(t, morning.AddDate(1, 0, 0)))
	h.expect(5 * time.Minute)
	h.expect(6*time.Hour, "Resolved: The certificate expires")
	h.expect(6 * time.Hour)
}

func TestTheCertificateOfAnAddressIsReadWithoutAName(t *testing.T) {
	_, port := serveTLS(t, nil, valid(t, morning.Add(5*24*time.Hour)), tls.NoClientCert)
	h := start(t, "certificates: 127.0.0.1:"+port, nil)
	h.expect(0, "The certificate of 127.0.0.1:"+port+" ends in 5 days")
}

func TestAServerThatWantsACertificateOfOursShowsItsOwn(t *testing.T) {
	c := valid(t, morning.Add(5*24*time.Hour))
	_, port := serveTLS(t, c, c, tls.RequireAnyClientCert)
	h := start(t, "certificates: localhost:"+port, nil)
	h.expect(0, "ends in 5 days")
}

func TestAServerThatDoesNotAnswerResolvesNothing(t *testing.T) {
	s, port := serveTLS(t, valid(t, morning.Add(5*24*time.Hour)), nil, tls.NoClientCert)
	h := start(t, "certificates: localhost:"+port, nil)
	h.expect(0, "ends in 5 days")
	s.set(nil)
	h.Later(7 * time.Hour)
	if a, _ := h.Post(""); a.Status != "partial" || !strings.Contains(strings.Join(a.Warnings, " "), "localhost:"+port) {
		t.Errorf("%+v", a)
	}
	h.expect(5 * time.Minute) // it is asked again after an hour only
	key := rules.Certificate + "/localhost:" + port
	states, err := h.Store.AlertsOf(t.Context(), []string{key})
	if s := states[key]; err != nil || !s.Open() || s.Phase != "unknown" {
		t.Errorf("%+v, %v", s, err)
	}
	s.set(valid(t, morning.AddDate(1, 0, 0)))
	h.expect(time.Hour, "Resolved: The certificate expires")
}

func TestARuleThatIsOffForOneServerWatchesTheOthers(t *testing.T) {
	c := valid(t, morning.Add(5*24*time.Hour))
	_, port := serveTLS(t, c, c, tls.NoClientCert)
	h := start(t, "certificates: [\"localhost:"+port+"\", \"127.0.0.1:"+port+"\"]\nrules: {certificate: {off: true, device: \"localhost:"+port+"\"}}", nil)
	h.expect(0, "127.0.0.1:"+port+" ends in 5 days")
}
