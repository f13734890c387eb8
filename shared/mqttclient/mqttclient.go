// Package mqttclient says how to reach an MQTT broker: address, password, TLS.
package mqttclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/secret"
)

// Access is how one client reaches a broker. Its errors name the settings that
// the files come from.
type Access struct {
	URL      string // tcp://, ssl:// or ws://; it is logged, and must hold no password
	ClientID string
	User     string
	Password secret.String // read at each connect
	CAFile   string        // MQTT_CA_FILE: PEM file with the broker's certificate authority, "" for the system's
	CertFile string        // MQTT_CERT_FILE: PEM file with a client certificate, "" for none
	KeyFile  string        // MQTT_KEY_FILE: PEM file with its key
}

// Options are the library's for a. Waits and sessions are the caller's.
func (a Access) Options() (*mqtt.ClientOptions, error) {
	if err := a.checkURL(); err != nil {
		return nil, err
	}
	o := mqtt.NewClientOptions().AddBroker(a.URL).SetClientID(a.ClientID)
	o.SetCredentialsProvider(func() (string, string) { return a.User, a.Password.Reveal() })
	if a.CAFile == "" && a.CertFile == "" {
		return o, nil
	}
	t, err := a.tls()
	if err != nil {
		return nil, err
	}
	return o.SetTLSConfig(t), nil
}

// checkURL quotes nothing of the address, which may hold a password.
func (a Access) checkURL() error {
	address := a.URL
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	host, _, _ := strings.Cut(address, "/")
	if strings.Contains(host, "@") {
		return errors.New("MQTT_URL: leave out user and password: use MQTT_USER and the secret mqtt-password")
	}
	if _, err := url.Parse("tcp://" + address); err != nil {
		return errors.New("MQTT_URL: not an address such as tcp://host:1883")
	}
	return nil
}

func (a Access) tls() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CAFile != "" {
		pem, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("MQTT_CA_FILE: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("MQTT_CA_FILE: %s holds no certificate", a.CAFile)
		}
	}
	if a.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("MQTT_CERT_FILE: %w", err)
		}
		t.Certificates = []tls.Certificate{cert}
	}
	return t, nil
}
