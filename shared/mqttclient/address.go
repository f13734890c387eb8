package mqttclient

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The schemes that the MQTT library can connect by, and the ports that the first two kinds
// have without one in the address.
var (
	plainSchemes = []string{"tcp", "mqtt"}                             // port 1883
	tlsSchemes   = []string{"ssl", "tls", "mqtts", "mqtt+ssl", "tcps"} // port 8883
	webSchemes   = []string{"ws", "wss"}                               // the ports of http and https
)

// ParseURL parses MQTT_URL, the address of a broker, and completes it: broker becomes
// tcp://broker:1883, ssl://broker ssl://broker:8883, and :1884 tcp://127.0.0.1:1884. Every
// program accepts the same addresses. The error names MQTT_URL and does not quote it, as it
// may contain a password.
func ParseURL(address string) (*url.URL, error) {
	if !strings.Contains(address, "://") {
		address = "tcp://" + address
	}
	u, err := url.Parse(address) // the scheme is in lower case then
	if err != nil || strings.Contains(u.Hostname(), ":") && !strings.HasPrefix(u.Host, "[") || strings.Contains(u.Host, ",") {
		return nil, errors.New("MQTT_URL is no address of a broker: write tcp://host:1883, or ssl://host:8883")
	}
	if err := check(u); err != nil {
		return nil, err
	}
	host, port := u.Hostname(), u.Port()
	switch {
	case host == "" && port == "":
		return nil, errors.New("MQTT_URL names no host: write an address such as tcp://host:1883")
	case host == "":
		host = "127.0.0.1"
	}
	switch {
	case port != "":
	case slices.Contains(plainSchemes, u.Scheme):
		port = "1883"
	case slices.Contains(tlsSchemes, u.Scheme):
		port = "8883"
	}
	if !slices.Contains(webSchemes, u.Scheme) {
		u.Path = "" // it is empty or a slash
	}
	if u.Host = net.JoinHostPort(host, port); port == "" { // of ws:// or wss://
		u.Host = strings.TrimSuffix(u.Host, ":")
	}
	return u, nil
}

// check returns an error if a client cannot connect to u.
func check(u *url.URL) error {
	known := slices.Concat(plainSchemes, tlsSchemes, webSchemes)
	if !slices.Contains(known, u.Scheme) {
		return fmt.Errorf("MQTT_URL: its scheme is none of %s: write an address such as tcp://host:1883", strings.Join(known, ", "))
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || n == 0) {
		return errors.New("MQTT_URL: its port is no number from 1 to 65535")
	}
	if !slices.Contains(webSchemes, u.Scheme) && (strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "") {
		return errors.New("MQTT_URL has more than host and port: write tcp://host:1883, and %2F for a slash in a password")
	}
	return nil
}
