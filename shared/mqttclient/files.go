package mqttclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/certificate"
)

// checkFiles returns an error if the files for TLS do not fit each other, or the scheme of
// MQTT_URL.
func (a Access) checkFiles(scheme string) error {
	switch {
	case a.CertFile != "" && a.KeyFile == "":
		return errors.New("MQTT_CERT_FILE is set and MQTT_KEY_FILE is not: set it to the file with the certificate's key")
	case a.CertFile == "" && a.KeyFile != "":
		return errors.New("MQTT_KEY_FILE is set and MQTT_CERT_FILE is not: set it to the file with the key's certificate")
	}
	if slices.Contains(tlsSchemes, scheme) || scheme == "wss" {
		return nil
	}
	for _, f := range []struct{ name, value string }{{"MQTT_CA_FILE", a.CAFile}, {"MQTT_CERT_FILE", a.CertFile}} {
		if f.value != "" {
			secure := "ssl"
			if scheme == "ws" {
				secure = "wss"
			}
			return fmt.Errorf("%s is set, but MQTT_URL begins with %s://, which uses no TLS: write %s://, or remove %[1]s", f.name, scheme, secure)
		}
	}
	return nil
}

// tls returns the settings for TLS. An error names the setting whose file is wrong.
func (a Access) tls() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CAFile != "" {
		pem, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, fmt.Errorf("MQTT_CA_FILE: %w", err)
		}
		if t.RootCAs, err = certificate.Authorities("MQTT_CA_FILE: "+a.CAFile, pem); err != nil {
			return nil, err
		}
	}
	if a.CertFile != "" {
		pair, err := a.pair()
		if err != nil {
			return nil, err
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// pair returns the client certificate with its key.
func (a Access) pair() (tls.Certificate, error) {
	var none tls.Certificate
	cert, err := os.ReadFile(a.CertFile)
	if err != nil {
		return none, fmt.Errorf("MQTT_CERT_FILE: %w", err)
	}
	if _, err := certificate.Authorities("MQTT_CERT_FILE: "+a.CertFile, cert); err != nil {
		return none, err
	}
	key, err := os.ReadFile(a.KeyFile)
	if err != nil {
		return none, fmt.Errorf("MQTT_KEY_FILE: %w", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	switch {
	case err == nil:
		return pair, nil
	case strings.Contains(err.Error(), "does not match"): // crypto/tls has no error value for it
		return none, fmt.Errorf("MQTT_KEY_FILE: %s is not the key of the certificate in MQTT_CERT_FILE, %s", a.KeyFile, a.CertFile)
	default:
		return none, fmt.Errorf("MQTT_KEY_FILE: %s contains no key that can be read (an encrypted one cannot): %w", a.KeyFile, err)
	}
}
