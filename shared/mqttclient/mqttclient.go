// Package mqttclient turns the settings of an MQTT client into the options of the MQTT
// library: address, user, password, TLS.
package mqttclient

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/shared/secret"
)

// Access is the settings with which one client reaches a broker.
type Access struct {
	URL      string // see ParseURL; it is logged, so it must not contain a password
	ClientID string
	User     string        // "": none
	Password secret.String // read at each connect
	CAFile   string        // MQTT_CA_FILE: PEM file with the broker's certificate authority; "": the system's authorities
	CertFile string        // MQTT_CERT_FILE: PEM file with a client certificate; "": none
	KeyFile  string        // MQTT_KEY_FILE: PEM file with its key
	// MaxPayload is the number of bytes beyond which the payload of a received message is
	// cut, see Cut; 0: MaxPayload, the constant.
	MaxPayload int
}

// Options returns the library's options for a. The caller sets timeouts and session, and
// passes each received payload through Cut. An error names the setting that is invalid.
func (a Access) Options() (*mqtt.ClientOptions, error) {
	u, err := ParseURL(a.URL)
	if err != nil {
		return nil, err
	}
	if u.User != nil {
		return nil, errors.New("MQTT_URL must not contain user and password: use MQTT_USER and the secret mqtt-password")
	}
	o := mqtt.NewClientOptions().AddBroker(u.String()).SetClientID(a.ClientID)
	o.SetCredentialsProvider(func() (string, string) { return a.User, a.Password.Reveal() })
	o.SetCustomOpenConnectionFn(func(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
		c, err := open(u, o)
		if err != nil {
			return nil, err
		}
		return newSkipper(c, cmp.Or(a.MaxPayload, MaxPayload)), nil
	})
	if a.CAFile == "" && a.CertFile == "" {
		return o, nil
	}
	t, err := a.tls()
	if err != nil {
		return nil, err
	}
	return o.SetTLSConfig(t), nil
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
			return nil, fmt.Errorf("MQTT_CA_FILE: %s contains no certificate", a.CAFile)
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
