package mqttclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	server "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/hearth-home/hearth/shared/secret"
)

// selfSigned writes a self-signed certificate and its key.
func selfSigned(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secretKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(t.TempDir(), name+".pem"), filepath.Join(t.TempDir(), name+".key")
	for file, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secretKey}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// pool returns a pool with one certificate.
func pool(t *testing.T, cert string) *x509.CertPool {
	t.Helper()
	b, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(b)
	return p
}

// connect connects once and disconnects.
func connect(a Access) error {
	o, err := a.Options()
	if err != nil {
		return err
	}
	c := mqtt.NewClient(o.SetConnectTimeout(5 * time.Second).SetAutoReconnect(false))
	defer c.Disconnect(0)
	token := c.Connect()
	token.WaitTimeout(10 * time.Second)
	return token.Error()
}

// TestConnectNeedsCertificatesAndAPassword: the broker refuses a client without them,
// and the client refuses a broker whose certificate it cannot verify.
func TestConnectNeedsCertificatesAndAPassword(t *testing.T) {
	cert, key := selfSigned(t, "broker")
	own, ownKey := selfSigned(t, "client")
	stranger, _ := selfSigned(t, "stranger")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	s := server.New(&server.Options{Logger: slog.New(slog.DiscardHandler)})
	rules := &auth.Ledger{Auth: auth.AuthRules{{Username: "me", Password: "word", Allow: true}}}
	if err := s.AddHook(new(auth.Hook), &auth.Options{Ledger: rules}); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0", TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool(t, own), ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}})
	if err := s.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mqtt-password"), []byte("word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := Access{URL: "ssl://" + l.Address(), ClientID: "c", User: "me", Password: secret.NewFolder(dir).Get("mqtt-password"), CAFile: cert, CertFile: own, KeyFile: ownKey}
	for name, change := range map[string]func(*Access){
		"":                         func(*Access) {},
		"no client certificate":    func(a *Access) { a.CertFile, a.KeyFile = "", "" },
		"another authority":        func(a *Access) { a.CAFile = stranger },
		"the system's authorities": func(a *Access) { a.CAFile = "" },
		"no password":              func(a *Access) { a.Password = secret.NewFolder(t.TempDir()).Get("mqtt-password") },
	} {
		a := good
		change(&a)
		if err := connect(a); (err == nil) != (name == "") {
			t.Errorf("case %q: error %v", name, err)
		}
	}
}

// Files that do not exist, hold something else, or do not fit each other or the address are
// refused before the client connects.
func TestTheErrorNamesTheSettingOfAnInvalidFile(t *testing.T) {
	cert, key := selfSigned(t, "c")
	_, other := selfSigned(t, "other")
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	empty, text, folder := file(""), file("hello"), t.TempDir()
	broken := file("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n")
	encrypted := file("-----BEGIN ENCRYPTED PRIVATE KEY-----\naGVsbG8=\n-----END ENCRYPTED PRIVATE KEY-----\n")
	for _, tc := range []struct {
		access Access
		want   string
	}{
		{Access{CAFile: "nowhere"}, "MQTT_CA_FILE: open nowhere"},
		{Access{CAFile: folder}, "MQTT_CA_FILE: "},
		{Access{CAFile: key}, "MQTT_CA_FILE: " + key + " contains no certificate"},
		{Access{CAFile: empty}, "MQTT_CA_FILE: " + empty + " contains no certificate"},
		{Access{CAFile: text}, "MQTT_CA_FILE: " + text + " contains no certificate"},
		{Access{CAFile: broken}, "MQTT_CA_FILE: " + broken + " contains no certificate"},
		{Access{CertFile: "nowhere", KeyFile: key}, "MQTT_CERT_FILE: open nowhere"},
		{Access{CertFile: key, KeyFile: key}, "MQTT_CERT_FILE: " + key + " contains no certificate"},
		{Access{CertFile: broken, KeyFile: key}, "MQTT_CERT_FILE: " + broken + " contains no certificate"},
		{Access{CertFile: cert, KeyFile: "nowhere"}, "MQTT_KEY_FILE: open nowhere"},
		{Access{CertFile: cert, KeyFile: cert}, "MQTT_KEY_FILE: " + cert + " contains no key"},
		{Access{CertFile: cert, KeyFile: empty}, "MQTT_KEY_FILE: " + empty + " contains no key"},
		{Access{CertFile: cert, KeyFile: encrypted}, "MQTT_KEY_FILE: " + encrypted + " contains no key that can be read (an encrypted one cannot)"},
		{Access{CertFile: cert, KeyFile: other}, "MQTT_KEY_FILE: " + other + " is not the key of the certificate in MQTT_CERT_FILE, " + cert},
		{Access{CertFile: cert}, "MQTT_CERT_FILE is set and MQTT_KEY_FILE is not"},
		{Access{KeyFile: key}, "MQTT_KEY_FILE is set and MQTT_CERT_FILE is not"},
		{Access{URL: "broker", CAFile: cert}, "MQTT_CA_FILE is set, but MQTT_URL begins with tcp://, which uses no TLS: write ssl://"},
		{Access{URL: "mqtt://broker", CAFile: cert}, "MQTT_CA_FILE is set, but MQTT_URL begins with mqtt://"},
		{Access{URL: "ws://broker", CAFile: cert}, "MQTT_CA_FILE is set, but MQTT_URL begins with ws://, which uses no TLS: write wss://"},
		{Access{URL: "tcp://broker:8883", CertFile: cert, KeyFile: key}, "MQTT_CERT_FILE is set, but MQTT_URL begins with tcp://"},
	} {
		if tc.access.URL == "" {
			tc.access.URL = "ssl://broker"
		}
		if _, err := tc.access.Options(); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %s", tc.access, err, tc.want)
		}
	}
	for _, scheme := range []string{"ssl", "tls", "mqtts", "mqtt+ssl", "tcps", "wss"} {
		if _, err := (Access{URL: scheme + "://broker", CAFile: cert, CertFile: cert, KeyFile: key}).Options(); err != nil {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// Addresses are logged. No error quotes the password.
func TestAPasswordInTheAddressIsRefused(t *testing.T) {
	for _, address := range []string{"tcp://me:hunter2@broker:1883", "me:hunter2@broker", "tcp://hunter2@broker", "tcp://me:hunter2%@broker:1883", "tcp://me:hunter2:broker:1883:%x", "tcp://me:12/hunter2@broker", "me:12?hunter2@broker:1883", "me:#hunter2@broker"} {
		if _, err := (Access{URL: address}).Options(); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "MQTT_URL") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAnAddressIsCompleted(t *testing.T) {
	for given, want := range map[string]string{
		"broker":                    "tcp://broker:1883",
		"broker:1884":               "tcp://broker:1884",
		"broker:":                   "tcp://broker:1883",
		":1883":                     "tcp://127.0.0.1:1883",
		"tcp://broker":              "tcp://broker:1883",
		"MQTT://Broker":             "mqtt://Broker:1883",
		"SSL://broker":              "ssl://broker:8883",
		"tls://broker":              "tls://broker:8883",
		"mqtts://broker":            "mqtts://broker:8883",
		"mqtt+ssl://broker":         "mqtt+ssl://broker:8883",
		"tcps://broker":             "tcps://broker:8883",
		"ssl://10.0.0.7:1883":       "ssl://10.0.0.7:1883",
		"[fe80::1]":                 "tcp://[fe80::1]:1883",
		"ssl://[fe80::1]:8884":      "ssl://[fe80::1]:8884",
		"ws://broker/mqtt":          "ws://broker/mqtt",
		"wss://[fe80::1]/mqtt":      "wss://[fe80::1]/mqtt",
		"tcp://broker/":             "tcp://broker:1883",
		"tcp://broker/mqtt":         "more than host and port",
		"ws://broker:80/mqtt@home":  "ws://broker:80/mqtt@home",
		"tcp://me:word@broker":      "tcp://me:word@broker:1883", // the caller takes user and password out
		"":                          "names no host",
		"tcp://":                    "names no host",
		"foo://broker:1883":         "its scheme is none of tcp, mqtt, ssl",
		"http://broker:1883":        "its scheme is none of",
		"unix:///run/mqtt.sock":     "its scheme is none of",
		"://broker:1883":            "is no address of a broker",
		"fe80::1":                   "is no address of a broker",
		"broker:http":               "is no address of a broker",
		"broker:99999":              "no number from 1 to 65535",
		"broker:0":                  "no number from 1 to 65535",
		"broker with spaces":        "is no address of a broker",
		"tcp://a:1883,tcp://b:1883": "is no address of a broker",
	} {
		u, err := ParseURL(given)
		if strings.Contains(want, "://") && (err != nil || u.String() != want) {
			t.Errorf("%q: %v, %v, want %s", given, u, err, want)
		}
		if !strings.Contains(want, "://") && (err == nil || !strings.Contains(err.Error(), "MQTT_URL") || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, %v, want the error %s", given, u, err, want)
		}
		if err != nil {
			continue
		}
		if o, err := (Access{URL: given}).Options(); u.User == nil && (err != nil || o.Servers[0].String() != want) {
			t.Errorf("%q: the client's options: %+v, %v", given, o.Servers, err)
		}
		if again, err := ParseURL(u.String()); err != nil || again.String() != want {
			t.Errorf("%s again: %v, %v", want, again, err)
		}
	}
}
