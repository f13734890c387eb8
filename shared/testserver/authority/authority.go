// Package authority makes certificates for the TLS servers of tests.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	rnd "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates.
type Authority struct {
	File string // its own certificate, in PEM

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New returns an authority of this name.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{}
	file, keyFile := a.Sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	pair, err := tls.LoadX509KeyPair(file, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	a.File, a.cert, a.key = file, pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// Server returns the files of a certificate for a server at 127.0.0.1 and broker.home, and
// of its key. change may change it; nil: nothing.
func (a *Authority) Server(t testing.TB, change func(*x509.Certificate)) (cert, key string) {
	t.Helper()
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"broker.home"}}
	if change != nil {
		change(c)
	}
	return a.Sign(t, c)
}

// Sign completes the certificate c and returns its file and that of its key. Both can be
// read by a server that runs as another user. The certificate is valid for an hour before
// and after now if it has no time.
func (a *Authority) Sign(t testing.TB, c *x509.Certificate) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(1 + rnd.Int64N(1<<62))
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour) // clock: certificates are verified by the real one
	}
	parent, signer := a.cert, a.key
	if parent == nil { // a itself
		parent, signer = c, private
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &private.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key")
	err = errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755),
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// Front runs a TLS server with a certificate of Server in front of the server at plain,
// host:port, until the test ends. It returns its host:port.
func (a *Authority) Front(t testing.TB, plain string, change func(*x509.Certificate)) string {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(a.Server(t, change))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // closed by the test's end
			}
			go pass(client, plain)
		}
	}()
	return l.Addr().String()
}

// pass copies between a client and a new connection to the server, until one of them ends.
func pass(client net.Conn, plain string) {
	defer client.Close()
	server, err := net.Dial("tcp", plain)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, server)
}
