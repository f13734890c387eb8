// Package mqttclient turns the settings of an MQTT client into the options of the MQTT
// library: address, user, password, TLS.
package mqttclient

import (
	"cmp"
	"errors"
	"net"
	"net/url"

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
	IDAdvice string        // what to do about an id that is refused or in use
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
	o.SetProtocolVersion(4) // 3.1.1; else the library tries 3.1 after each failure, and returns that error instead
	o.SetCustomOpenConnectionFn(func(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
		c, err := open(u, o)
		if err != nil {
			return nil, err
		}
		return newSkipper(&greeted{Conn: c}, cmp.Or(a.MaxPayload, MaxPayload)), nil
	})
	if err := a.checkFiles(u.Scheme); err != nil {
		return nil, err
	}
	t, err := a.tls()
	if err != nil {
		return nil, err
	}
	return o.SetTLSConfig(t), nil
}
