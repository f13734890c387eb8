package mqttclient

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"slices"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/net/proxy"
)

// open connects to a broker as the MQTT library does by default: with TLS, by a websocket,
// or by the proxy of the variable all_proxy, which serves no websockets.
func open(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
	if slices.Contains(webSchemes, u.Scheme) {
		config := o.TLSConfig
		if u.Scheme == "ws" {
			config = nil
		}
		return mqtt.NewWebsocket(u.String(), config, o.ConnectTimeout, o.HTTPHeaders, o.WebsocketOptions)
	}
	c, err := proxy.FromEnvironmentUsing(&net.Dialer{Timeout: o.ConnectTimeout}).Dial("tcp", u.Host)
	if err != nil || slices.Contains(plainSchemes, u.Scheme) {
		return c, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLSConfig != nil {
		config = o.TLSConfig.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.ConnectTimeout)
	defer cancel()
	secure := tls.Client(c, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, handshakeError{err}
	}
	return secure, nil
}

// handshakeError is an error of a TLS handshake.
type handshakeError struct{ error }

func (e handshakeError) Error() string { return "TLS handshake: " + e.error.Error() }
func (e handshakeError) Unwrap() error { return e.error }
